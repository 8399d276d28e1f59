import assert from "node:assert/strict";
import { test } from "node:test";
import { isExhausted, lotOf, retryDelayMs } from "./retry.ts";

const ladder = (...retryDelaysMs: number[]) => ({ retryDelaysMs, retryBackoff: null });

test("retryDelayMs() climbs the ladder and stays on its last step", () => {
  const policy = ladder(10, 30, 60);
  const waits = [1, 2, 3, 4, 256].map((attempts) => retryDelayMs(policy, attempts, 0));
  assert.deepEqual(waits, [10, 30, 60, 60, 60]);
});

test("retryDelayMs() waits for nothing without a ladder, and needs a delivery to follow", () => {
  assert.equal(retryDelayMs(ladder(), 1, 0), 0);
  assert.throws(() => retryDelayMs(ladder(10), 0, 0), { name: "AssertionError" });
});

test("retryDelayMs() multiplies waits up to the largest, and leaves the jitter to the lot", () => {
  const retryBackoff = { firstMs: 100, maxMs: 1_000, factor: 3, jitter: 0.5 };
  const policy = { retryDelaysMs: [], retryBackoff };
  const waits = (lot: number) => [1, 2, 3, 4].map((count) => retryDelayMs(policy, count, lot));

  assert.deepEqual(waits(0), [100, 300, 900, 1_000]);
  assert.deepEqual(waits(0.5), [75, 225, 675, 750]);
});

test("lotOf() depends on nothing but its arguments, and spreads over 0 to 1", () => {
  const lots = Array.from({ length: 1_000 }, (_, offset) => lotOf(offset, 1));

  assert.equal(lotOf(7, 2), lotOf(7, 2));
  assert.ok(lots.every((lot) => lot >= 0 && lot < 1));
  const mean = lots.reduce((sum, lot) => sum + lot, 0) / lots.length;
  assert.ok(mean > 0.45 && mean < 0.55, `mean ${mean}`);
});

test("isExhausted() gives up after attemptsMax deliveries, and not one before", () => {
  const given = [0, 1, 2, 3, 4].map((attempts) => isExhausted(attempts, 3));
  assert.deepEqual(given, [false, false, false, true, true]);
});
