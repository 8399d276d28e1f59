import assert from "node:assert/strict";
import { test } from "node:test";
import { isExhausted, retryDelayMs } from "./retry.ts";

test("retryDelayMs() climbs the ladder and stays on its last step", () => {
  const waits = [1, 2, 3, 4, 256].map((attempts) => retryDelayMs([10, 30, 60], attempts));
  assert.deepEqual(waits, [10, 30, 60, 60, 60]);
});

test("retryDelayMs() waits for nothing without a ladder, and needs a delivery to follow", () => {
  assert.equal(retryDelayMs([], 1), 0);
  assert.throws(() => retryDelayMs([10], 0), { name: "AssertionError" });
});

test("isExhausted() gives up after attemptsMax deliveries, and not one before", () => {
  const given = [0, 1, 2, 3, 4].map((attempts) => isExhausted(attempts, 3));
  assert.deepEqual(given, [false, false, false, true, true]);
});
