import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf, lastAlike, ratioLines } from "./history.ts";

test("figuresOf() reads rates out of text, and numbers out of JSON lines", () => {
  const output = [
    "json: read a send            812 ns    1,231,527/s",
    "append 4 queues, 256 a turn: 322 k/s, 1.0 KB",
    '{"bench":"session","requestsPerSecond":54000,"microsecondsPerRequest":1.2}',
    "a line without a figure",
  ].join("\n");

  assert.deepEqual(figuresOf(output), {
    "json: read a send": 1_231_527,
    "append 4 queues, 256 a turn": 322_000,
    requestsPerSecond: 54_000,
    microsecondsPerRequest: 1.2,
  });
});

test("lastAlike() compares with the same runtime and processor only", () => {
  const record = (commit: string, runtime: string) => ({
    bench: "b",
    commit,
    runtime,
    cpuModel: "c",
    cores: 2,
    date: "",
    figures: {},
  });
  const history = [record("1", "Deno 2"), record("2", "Deno 2"), record("3", "Bun 1")];

  assert.equal(lastAlike(history, { runtime: "Deno 2", cpuModel: "c" })?.commit, "2");
  assert.equal(lastAlike(history, { runtime: "Deno 2", cpuModel: "other" }), undefined);
});

test("ratioLines() gives each figure beside what it was", () => {
  assert.deepEqual(ratioLines({ a: 100 }, { a: 150, bb: 7 }), [
    "  a              150  1.50 x 100",
    "  bb               7  new",
  ]);
});
