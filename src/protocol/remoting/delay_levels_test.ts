import assert from "node:assert/strict";
import { test } from "node:test";
import { delayOfLevelMs } from "./delay_levels.ts";

test("delayOfLevelMs has the eighteen levels of protocol 6.4, and none beyond", () => {
  const [second, minute, hour] = [1_000, 60_000, 3_600_000];
  const levels = Array.from({ length: 20 }, (_, index) => delayOfLevelMs(index + 1));
  assert.deepEqual(levels, [
    ...[1, 5, 10, 30].map((count) => count * second),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map((count) => count * minute),
    ...[1, 2, 2, 2].map((count) => count * hour),
  ]);
  assert.throws(() => delayOfLevelMs(0), /a delay level is 1 or more/);
});
