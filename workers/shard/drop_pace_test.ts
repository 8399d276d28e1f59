import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { DropPace } from "./drop_pace.ts";

const { rowsPerDropStepMin: rowsMin, rowsPerDropStepMax: rowsMax } = limits;

/** A pace that has grown to so many rows by steps that took no time. */
function grownTo(rows: number): DropPace {
  const pace = new DropPace();
  while (pace.rowsMax < rows) pace.stepped(0, 0, pace.rowsMax);
  return pace;
}

test("DropPace gives a step as many rows as go in two milliseconds", () => {
  const pace = new DropPace();
  const sizes = [pace.rowsMax];
  for (let step = 0; step < 12; step++) {
    // A hundred rows a millisecond.
    pace.stepped(0, pace.rowsMax / 100, pace.rowsMax);
    sizes.push(pace.rowsMax);
  }
  assert.deepEqual(sizes.slice(0, 5), [rowsMin, 32, 64, 128, 200]);
  assert.equal(sizes.at(-1), 200);
});

test("DropPace keeps a step between its bounds, whatever the time says", () => {
  const pace = grownTo(rowsMax);
  pace.stepped(0, 0, rowsMax);
  assert.equal(pace.rowsMax, rowsMax);
  for (let step = 0; step < 20; step++) pace.stepped(0, 1000, pace.rowsMax);
  assert.equal(pace.rowsMax, rowsMin);
});

test("DropPace learns nothing from a short step that had fewer rows than it might", () => {
  const pace = grownTo(128);
  pace.stepped(0, 0.1, 5);
  assert.equal(pace.rowsMax, 128);
  pace.stepped(0, 4, 5);
  assert.equal(pace.rowsMax, 64);
});

test("DropPace rests nine times as long as a step took, and no longer for a turn's nothing", () => {
  const pace = new DropPace();
  pace.stepped(100, 2, 1);
  assert.deepEqual([pace.restMs(100), pace.restMs(117), pace.restMs(118)], [18, 1, 0]);
  pace.charge(200, 0);
  assert.equal(pace.restMs(200), 0);
  pace.charge(200, 1);
  pace.charge(200, 1);
  assert.equal(pace.restMs(200), 18);
});

test("DropPace charges a step with what it added to the next commit, and sizes it by that", () => {
  const pace = grownTo(128);
  pace.committed(1_000, 1);
  // This commit takes the growing's pages along.
  for (let commit = 0; commit < 3; commit++) pace.committed(1_000, 1);
  assert.equal(pace.restMs(1_000), 0);
  pace.stepped(2_000, 1, 10);
  pace.committed(2_009, 5);
  assert.deepEqual([pace.restMs(2_009), pace.rowsMax], [36, 64]);
  // The one after is nobody's.
  pace.committed(2_014, 50);
  assert.equal(pace.restMs(2_014), 31);
});

test("DropPace puts a step off by three seconds at most, however long the disk hung", () => {
  const pace = new DropPace();
  pace.charge(0, 60_000);
  assert.equal(pace.restMs(0), 3_000);
});
