import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayBound } from "./replay_bound.ts";

test("ReplayBound names the position behind which its bytes lie, within a step", () => {
  const bound = new ReplayBound(1600);
  const froms: number[] = [];
  for (let position = 2; position <= 40; position++) {
    bound.appended(position, 100);
    froms.push(bound.from);
  }
  assert.deepEqual(froms.slice(0, 16), Array(16).fill(0));
  assert.deepEqual(froms.slice(16), Array.from({ length: 23 }, (_, at) => at + 2));
});

test("ReplayBound passes over what is larger than all its bytes at once", () => {
  const bound = new ReplayBound(1600);
  bound.appended(9, 99);
  bound.appended(10, 5_000);
  assert.equal(bound.from, 10);
});
