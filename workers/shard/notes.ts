/**
 * What a shard remembers only to be able to explain: who asked last, and which messages expired.
 * None of it decides anything, and none of it outlives the process.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import { Lru } from "../../src/base/lru.ts";
import type { Deliveries } from "../../src/core/deliveries.ts";

/** Who asked for a queue in a group's name, and when. */
export type LastAsked = { readonly atMs: number; readonly by: string };

/** Notes of one shard; each with a bound, or with the life of what it is about. */
export class ShardNotes {
  /** Goes with the deliveries it is about. */
  readonly #asked = new WeakMap<Deliveries, { atMs: number; by: string }>();
  readonly #expired = new Lru<string, true>({ countMax: limits.expiredRemembered });

  asked(deliveries: Deliveries, atMs: number, by: string): void {
    const last = this.#asked.get(deliveries);
    if (last === undefined) this.#asked.set(deliveries, { atMs, by });
    else {
      last.atMs = atMs;
      last.by = by;
    }
  }

  lastAsked(deliveries: Deliveries): LastAsked | null {
    return this.#asked.get(deliveries) ?? null;
  }

  expired(groupKey: number, queueKey: number, offset: number): void {
    this.#expired.set(`${groupKey}/${queueKey}/${offset}`, true);
  }

  hasExpired(groupKey: number, queueKey: number, offset: number): boolean {
    return this.#expired.has(`${groupKey}/${queueKey}/${offset}`);
  }
}
