/** When a message that failed is tried again, and when it is given up. @module */
import { assert } from "../base/assert.ts";

/**
 * The wait before the delivery after `attempts` deliveries (1 and up), in milliseconds. The last
 * step of the ladder repeats.
 */
export function retryDelayMs(ladderMs: readonly number[], attempts: number): number {
  assert(attempts >= 1, "a retry follows a delivery");
  return ladderMs[Math.min(attempts, ladderMs.length) - 1] ?? 0;
}

/** Whether a message handed out `attempts` times is given up instead of handed out again. */
export function isExhausted(attempts: number, attemptsMax: number): boolean {
  return attempts >= attemptsMax;
}
