import assert from "node:assert/strict";
import { test } from "node:test";
import { type Figure, median, mediansOf, tablesOf } from "./table.ts";

function figure(peer: string, perSecond: number, more: Partial<Figure> = {}): Figure {
  return { load: "sends", peer, perSecond, failed: 0, ...more };
}

test("median() is the middle one, or lies between the two in the middle", () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([9, 1, 5, 6]), 5.5);
});

test("mediansOf() keeps loads and peers apart", () => {
  const figures = [
    figure("a", 10),
    figure("b", 20),
    figure("a", 30),
    figure("a", 11, { load: "reads" }),
  ];

  assert.deepEqual(mediansOf(figures), { "sends, a": 20, "sends, b": 20, "reads, a": 11 });
});

test("tablesOf() sets every peer beside the first, and adds up what failed", () => {
  const figures = [
    figure("a", 1000, { p99Ms: 4 }),
    figure("b", 500, { failed: 2 }),
    figure("a", 2000, { p99Ms: 6 }),
    figure("b", 1500, { failed: 1 }),
  ];

  const lines = tablesOf(figures, new Map([["a", "after fsync"]])).split("\n");

  assert.equal(lines[0], "sends");
  assert.deepEqual(
    lines.filter((line) => line.startsWith("| a") || line.startsWith("| b")).map((line) =>
      line.split("|").map((cell) => cell.trim()).join("|")
    ),
    [
      "|a|after fsync|1,500|1,000 to 2,000|1.00|5.0|0|",
      "|b||1,000|500 to 1,500|0.67||3|",
    ],
  );
});
