import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../base/prng.ts";
import { isInRanges, rangesOf } from "./key_ranges.ts";

test("rangesOf() joins runs, whatever the order, and forgets repeats", () => {
  assert.deepEqual(rangesOf([]), []);
  assert.deepEqual(rangesOf([3]), [3, 3]);
  assert.deepEqual(rangesOf([4, 1, 2, 7, 3, 2]), [1, 4, 7, 7]);
});

test("isInRanges() agrees with the set of the keys", () => {
  const prng = new Prng(7);
  for (let round = 0; round < 50; round++) {
    const keys = new Set(Array.from({ length: prng.int(30) }, () => prng.int(40)));
    const ranges = rangesOf(keys);
    for (let key = -1; key < 42; key++) {
      assert.equal(isInRanges(ranges, key), keys.has(key), `${key} in ${ranges}`);
    }
  }
});
