/**
 * What SQL92 costs: reading an expression, and judging a message by it, beside a tag's hash.
 *
 *     deno run -A bench/sql_filter_bench.ts
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { Bench } from "tinybench";
import { javaHash } from "../src/base/hash.ts";
import { accepts, compileExpression } from "../src/core/filter.ts";
import { parseSql } from "../src/core/sql_parser.ts";
import { encodeProperties } from "../src/model/properties.ts";

const simple = "colour = 'red'";
const usual = "TAGS = 'paid' and colour in ('red', 'blue') and amount between 100 and 200";
const largest = Array.from({ length: 42 }, (_, at) => `property${at} = ${at}`).join(" or ");
const properties = encodeProperties([
  ["UNIQ_KEY", "7F00000100002A9F0000000000000001"],
  ["WAIT", "true"],
  ["TAGS", "paid"],
  ["colour", "blue"],
  ["amount", "150"],
]);
const text = () => properties;
const tagHash = javaHash("paid");

const bench = new Bench({ time: 1000, warmupTime: 300 });
for (const [name, sql] of Object.entries({ simple, usual, largest })) {
  bench.add(`read, ${name}`, () => {
    parseSql(sql);
  });
  const filter = compileExpression({ language: "SQL92", text: sql });
  bench.add(`judge, ${name}`, () => {
    accepts(filter, tagHash, text);
  });
  const json = JSON.stringify(filter);
  bench.add(`judge after crossing threads, ${name}`, () => {
    accepts(JSON.parse(json), tagHash, text);
  });
}
const tags = compileExpression({ language: "TAG", text: "created || paid" });
bench.add("judge, tags", () => {
  accepts(tags, tagHash, text);
});
await bench.run();
console.table(bench.table());
