/**
 * When to ring which shard. A shard keeps its delayed messages itself and asks for one alarm at a
 * time, the earliest; so this is one number a shard, not a wheel of messages.
 *
 * Pure: times are wall-clock milliseconds, because messages are due at a time of day.
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** The alarm of each shard. Bounded by the number of shards. */
export class Alarms {
  readonly #dueMs: (number | null)[];

  constructor(shards: number) {
    this.#dueMs = new Array<number | null>(shards).fill(null);
  }

  /** Replaces the shard's alarm; `null` takes it away. */
  set(shard: number, dueMs: number | null): void {
    assert(shard >= 0 && shard < this.#dueMs.length, "a shard of this broker sets an alarm");
    this.#dueMs[shard] = dueMs;
  }

  /** The shards to ring now. Each is rung once: it sets its next alarm itself. */
  due(nowMs: number): number[] {
    const shards: number[] = [];
    for (const [shard, dueMs] of this.#dueMs.entries()) {
      if (dueMs === null || dueMs > nowMs) continue;
      this.#dueMs[shard] = null;
      shards.push(shard);
    }
    return shards;
  }

  /** When `due` has something to say again; `null`: not before an alarm is set. */
  nextDueMs(): number | null {
    let next: number | null = null;
    for (const dueMs of this.#dueMs) {
      if (dueMs !== null && (next === null || dueMs < next)) next = dueMs;
    }
    return next;
  }
}
