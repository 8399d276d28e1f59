/** SQL92 expressions as nobody would write them: refused, never a bug, and fast. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { Prng } from "../../src/base/prng.ts";
import { compileSql } from "../../src/core/sql_filter.ts";
import { parseSql } from "../../src/core/sql_parser.ts";
import { BrokerError } from "../../src/model/errors.ts";

const words = [
  ...["a", "b.c", "_", "$x", "1", "-", "+", "1.5", ".5", "1e9", "9".repeat(30), "'x'", "''", "'"],
  ...["and", "or", "not", "between", "in", "is", "null", "true", "false", "contains", "startswith"],
  ...["(", ")", ",", "=", "<>", "<", ">=", "!", "\u0000", "é", "\ud800", "--", "/*", ";", '"'],
];

/** Whether it was taken. Anything but a refusal is a bug. */
function isTaken(sql: string): boolean {
  try {
    compileSql(parseSql(sql))((name) => name === "a" ? sql : undefined);
    return true;
  } catch (thrown) {
    if (thrown instanceof BrokerError && thrown.code === "filter_invalid") return false;
    throw thrown;
  }
}

test("parseSql() takes or refuses random words, and throws nothing else", () => {
  let taken = 0;
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = new Prng(seed);
    const count = 1 + random.next() % 8;
    const glue = random.next() % 4 === 0 ? "" : " ";
    const picked = Array.from({ length: count }, () => words[random.next() % words.length]!);
    if (isTaken(picked.join(glue))) taken++;
  }
  assert.ok(taken > 100, `some are expressions: ${taken}`);
});

test("parseSql() refuses a megabyte of anything at once, and the longest text fast", () => {
  const startedMs = performance.now();
  const pieces = ["(", "not ", "'", "1", "a and ", "-", "a in ('x', ", "1.", "((a) and ", "''"];
  for (const piece of pieces) {
    const sql = piece.repeat(Math.ceil(1024 * 1024 / piece.length));
    assert.throws(() => parseSql(sql), /bytes or more/);
    assert.equal(isTaken(sql.slice(0, limits.filterBytesMax)), false, piece);
  }
  assert.ok(performance.now() - startedMs < 1000, "20 refusals take less than a second");
});

test("compileSql() reads the longest property in linear time", () => {
  const property = "1".repeat(limits.propertiesBytesMax - 1);
  const predicates = ["a > 1", "a between 1 and 2", "a contains '2'", "a = b", "a = true"]
    .map((sql) => compileSql(parseSql(sql)));
  const startedMs = performance.now();
  for (const end of ["", "x", ".", "e", "e+"]) {
    for (const predicate of predicates) predicate(() => property + end);
  }
  assert.ok(performance.now() - startedMs < 500, "25 looks at 32 KiB take less than half a second");
});
