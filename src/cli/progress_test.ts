import assert from "node:assert/strict";
import { test } from "node:test";
import { progressLine } from "./progress.ts";

const half = { done: 1_500, fraction: 0.5, trouble: undefined };

test("progressLine() tells count, rate, how much of the whole, and how long it takes", () => {
  assert.equal(
    progressLine(half, 3_000, 100),
    "1,500 sent  500/s  [============            ] 50 %  3 s left",
  );
  const stuck = { done: 0, fraction: undefined, trouble: "nobody\nlistens" };
  assert.equal(progressLine(stuck, 0, 100).includes("\n"), false);
});

test("progressLine() is cut to the terminal, and to 80 columns where no width is known", () => {
  assert.equal(progressLine(half, 3_000, 20), "1,500 sent  500/s  ");
  const long = { ...half, trouble: "x".repeat(200) };
  assert.equal(progressLine(long, 3_000, 0).length, 79);
});
