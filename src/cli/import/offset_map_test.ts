import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { addPair, pairsIn, type Stretch, targetOffsetOf } from "./offset_map.ts";

function mapOf(pairs: readonly (readonly [number, number])[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const [source, target] of pairs) addPair(stretches, source, target);
  return stretches;
}

test("addPair() keeps one stretch as long as both offsets grow by one", () => {
  const stretches = mapOf([[5, 0], [6, 1], [7, 2], [9, 3], [10, 4], [11, 6]]);

  assert.deepEqual(stretches, [[5, 0, 3], [9, 3, 2], [11, 6, 1]]);
  assert.equal(pairsIn(stretches), 6);
});

test("addPair() refuses a queue that others write to all the time", () => {
  const stretches = mapOf([[0, 0]]);
  assert.throws(() => {
    for (let at = 1; at <= limits.importStretchesMax; at++) addPair(stretches, at, at * 2);
  }, /Others wrote between the copied messages/);
});

test("targetOffsetOf() translates every offset exactly, also where a message is missing", () => {
  const stretches = mapOf([[5, 0], [6, 1], [7, 2], [9, 3], [10, 4], [11, 6]]);

  const translated = [0, 5, 6, 7, 8, 9, 10, 11, 12, 99].map((at) =>
    targetOffsetOf(stretches, at, 7)
  );

  assert.deepEqual(translated, [0, 0, 1, 2, 3, 3, 4, 6, 7, 7]);
});

test("targetOffsetOf() puts a group of an empty queue at its end", () => {
  assert.equal(targetOffsetOf([], 12, 4), 4);
});
