/**
 * Looks for messages where they would have gone while their topic had fewer queues, so that a
 * repeat is recognised although its id or key leads to another shard by now.
 *
 *     send ─▶ former shards: known? ─┬ yes ─▶ the first receipt
 *                                    └ no ──▶ append at the present place
 *
 * A shard answers after the turn of all that was asked of it before, over the same link: a send
 * that went to the former place is stored or refused by then. Whoever cannot be asked leaves it
 * open, and then the message is refused rather than perhaps stored twice.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { formerShards } from "../core/former_queues.ts";
import type { Repeat } from "../link/repeats.ts";
import { asBrokerError, BrokerError } from "../model/errors.ts";
import type { Topic } from "../model/topic.ts";
import { queuesByShard } from "./offsets.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Where a message was stored before, and in which shard that is. */
export type KnownPlace = Omit<Repeat, "index"> & { readonly shard: number };

/** By index of the message in its request. */
export type KnownPlaces = ReadonlyMap<number, KnownPlace>;

/** What looking for former places takes. */
export type FormerPlacesParts = {
  readonly router: ShardRouter;
  readonly clock: Clock;
  /** How far back an id is recognised. */
  readonly windowMs: number;
};

/** Asks shards other than the one a message is about to go to. */
export class FormerPlaces {
  readonly #parts: FormerPlacesParts;

  constructor(parts: FormerPlacesParts) {
    this.#parts = parts;
  }

  /** Since when a former number of queues may have led a message that counts still. */
  sinceMs(): number {
    const { clock, windowMs } = this.#parts;
    return clock.wallMs() - windowMs - limits.formerQueuesLateMs;
  }

  /** The shards that `key` led to at `sinceMs` or later, but for the one it leads to now. */
  shardsOf(topic: Topic, key: string, present: number, sinceMs: number): number[] {
    return [...formerShards(topic, key, sinceMs)].filter((shard) => shard !== present);
  }

  /** Whether places may be others than when the question was asked, and have to be chosen anew. */
  hasChanged(asked: Topic, present: Topic): boolean {
    return asked.version !== present.version;
  }

  /**
   * Which of the messages were stored before. `shards`: those to ask, by message.
   *
   * @throws {BrokerError} One of the shards cannot say, with its code.
   */
  async known(
    topic: Topic,
    ids: readonly string[],
    shards: ReadonlyMap<number, readonly number[]>,
  ): Promise<KnownPlaces> {
    const { windowMs } = this.#parts;
    const rule = { windowMs, firstQueueKey: firstQueueKeyOf(topic) };
    const known = new Map<number, KnownPlace>();
    await Promise.all([...indexesByShard(shards)].map(async ([shard, indexes]) => {
      const its = indexes.map((index) => ids[index] ?? "");
      const ask = { topic: topic.name, ids: its, ...rule };
      const repeats = await this.#ask(topic, () => this.#parts.router.ask(shard, "known", ask));
      for (const { index, ...place } of repeats) {
        const at = indexes[index]!;
        const other = known.get(at);
        // Both within the window, because a clock was set back: the first receipt is the older one.
        if (other === undefined || place.storedMs < other.storedMs) {
          known.set(at, { ...place, shard });
        }
      }
    }));
    return known;
  }

  /**
   * The queue in which a timer with this message id is pending, of those in `shards`; `null`: none.
   *
   * @throws {BrokerError} One of the shards cannot say, with its code.
   */
  async pendingQueueKey(
    topic: Topic,
    messageId: string,
    shards: readonly number[],
  ): Promise<number | null> {
    const queues = queuesByShard(topic);
    const found = await Promise.all(shards.map(async (shard) => {
      const ask = { queueKeys: queues.get(shard) ?? [], by: "id", messageId } as const;
      const answer = await this.#ask(topic, () => this.#parts.router.ask(shard, "timers", ask));
      return answer.timers[0]?.queueKey ?? null;
    }));
    return found.find((queueKey) => queueKey !== null) ?? null;
  }

  async #ask<T>(topic: Topic, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      const { code, message } = asBrokerError(cause);
      throw new BrokerError(
        code,
        `Cannot tell whether topic "${topic.name}" holds the message already, from before it got ` +
          `more queues: ${message}`,
        { cause },
      );
    }
  }
}

/** Keys are given upwards and never again: an earlier topic of the name had smaller ones. */
export function firstQueueKeyOf(topic: Topic): number {
  return topic.queueRefs[0]?.queueKey ?? 0;
}

function indexesByShard(
  shards: ReadonlyMap<number, readonly number[]>,
): ReadonlyMap<number, readonly number[]> {
  const indexes = new Map<number, number[]>();
  for (const [index, its] of shards) {
    for (const shard of its) {
      const known = indexes.get(shard);
      if (known === undefined) indexes.set(shard, [index]);
      else known.push(index);
    }
  }
  return indexes;
}
