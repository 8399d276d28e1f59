/** RocketMQ's delay levels: protocol 6.4. @module */
import { assert } from "../../base/assert.ts";
import { defaultRetryDelaysMs } from "../../model/group.ts";

/** Levels 1 to 18. The retries begin at level 3, so the ladder of retries is the rest of them. */
const delayLevelsMs: readonly number[] = [1_000, 5_000, ...defaultRetryDelaysMs];

/** How long a level from 1 up waits; beyond the last it is the last. */
export function delayOfLevelMs(level: number): number {
  const delayMs = delayLevelsMs[Math.min(level, delayLevelsMs.length) - 1];
  assert(delayMs !== undefined, "a delay level is 1 or more");
  return delayMs;
}
