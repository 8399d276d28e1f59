/**
 * Which client holds a queue for ordered consumption, and until when.
 *
 *     free ──lock──▶ held ──lock by its owner──▶ held, the time begins anew
 *      ▲               │
 *      └── unlock by its owner, or silence of `limits.queueLockMsMax`
 *
 * A connection that closes frees nothing: a client that reconnects keeps its queues, and a client
 * that is gone stays silent. Pure: `nowMs` is monotonic.
 *
 * @module
 */
import { limits } from "../base/limits.ts";

/** A queue as RocketMQ names it. */
export type NamedQueue = { readonly topic: string; readonly queueId: number };

type Held = NamedQueue & {
  readonly group: string;
  readonly clientId: string;
  readonly lockedMs: number;
};

/** Every lock of one broker. */
export class QueueLocks {
  /** Bounded by `locksMax`. In the order of locking, so that what is over stands in front. */
  readonly #held = new Map<string, Held>();
  readonly #locksMax: number;

  constructor(locksMax: number = limits.queueLocksMax) {
    this.#locksMax = locksMax;
  }

  /** How many queues are held, or were until just now. */
  get size(): number {
    return this.#held.size;
  }

  /** The queues that are now the client's, in the order asked; the others have another owner. */
  lock<Q extends NamedQueue>(
    group: string,
    clientId: string,
    queues: readonly Q[],
    nowMs: number,
  ): Q[] {
    this.#dropSilent(nowMs);
    return queues.filter(({ topic, queueId }) => {
      const key = keyOf(group, topic, queueId);
      const held = this.#held.get(key);
      if (held !== undefined && held.clientId !== clientId) return false;
      if (held === undefined && this.#held.size >= this.#locksMax) return false;
      this.#held.delete(key);
      this.#held.set(key, { group, topic, queueId, clientId, lockedMs: nowMs });
      return true;
    });
  }

  /** Frees those of the queues that are the client's. */
  unlock(group: string, clientId: string, queues: readonly NamedQueue[]): void {
    for (const { topic, queueId } of queues) {
      const key = keyOf(group, topic, queueId);
      if (this.#held.get(key)?.clientId === clientId) this.#held.delete(key);
    }
  }

  /** Who holds a queue. */
  ownerOf(group: string, topic: string, queueId: number, nowMs: number): string | null {
    const held = this.#held.get(keyOf(group, topic, queueId));
    return held === undefined || isOver(held, nowMs) ? null : held.clientId;
  }

  /** The group is deleted. */
  forgetGroup(group: string): void {
    this.#forget((held) => held.group === group);
  }

  /** The topic is deleted. */
  forgetTopic(topic: string): void {
    this.#forget((held) => held.topic === topic);
  }

  #forget(concerned: (held: Held) => boolean): void {
    for (const [key, held] of this.#held) if (concerned(held)) this.#held.delete(key);
  }

  #dropSilent(nowMs: number): void {
    for (const [key, held] of this.#held) {
      if (!isOver(held, nowMs)) return;
      this.#held.delete(key);
    }
  }
}

function isOver(held: Held, nowMs: number): boolean {
  return nowMs - held.lockedMs >= limits.queueLockMsMax;
}

/** Names hold no line breaks, so no two queues share a key. */
function keyOf(group: string, topic: string, queueId: number): string {
  return `${queueId}\n${group}\n${topic}`;
}
