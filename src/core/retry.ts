/** When a message that failed is tried again, and when it is given up. @module */
import { assert } from "../base/assert.ts";
import type { RetryBackoff } from "../model/group.ts";

/** How long a group waits between deliveries: by a list, or by a rule where there is one. */
export type RetryPolicy = {
  readonly retryDelaysMs: readonly number[];
  readonly retryBackoff: RetryBackoff | null;
};

/**
 * The wait before the delivery after `attempts` deliveries (1 and up), in milliseconds. The last
 * step of a list repeats. `lot`, 0 up to 1, decides the part of a wait that is left to chance.
 */
export function retryDelayMs(policy: RetryPolicy, attempts: number, lot: number): number {
  assert(attempts >= 1, "a retry follows a delivery");
  const { retryDelaysMs, retryBackoff } = policy;
  if (retryBackoff === null) {
    return retryDelaysMs[Math.min(attempts, retryDelaysMs.length) - 1] ?? 0;
  }
  const { firstMs, maxMs, factor, jitter } = retryBackoff;
  const waitMs = Math.min(maxMs, firstMs * factor ** (attempts - 1));
  return Math.round(waitMs * (1 - jitter * lot));
}

/** Whether a message handed out `attempts` times is given up instead of handed out again. */
export function isExhausted(attempts: number, attemptsMax: number): boolean {
  return attempts >= attemptsMax;
}

/** A number of 0 up to 1 that depends on nothing but a message and how often it was tried. */
export function lotOf(offset: number, attempts: number): number {
  let hash = Math.imul(offset >>> 0, 0x9e3779b1) ^ Math.imul(attempts, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return ((hash ^ (hash >>> 13)) >>> 0) / 0x1_0000_0000;
}
