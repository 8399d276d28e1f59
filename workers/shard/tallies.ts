/** What a shard counts since it started. @module */
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import type { DamageTally } from "./damage.ts";

/** Counters of one shard, from zero at the thread's start; `snapshot` is what `stats` shows. */
export class ShardTallies {
  turns = 0;
  delivered = 0;
  /** Messages that pulls left out because their time was over. */
  expired = 0;
  #commits = 0;
  #appended = 0;
  #commitMsTotal = 0;
  readonly #damage: DamageTally;

  /** `damage`: counted by others too. */
  constructor(damage: DamageTally) {
    this.#damage = damage;
  }

  /** A commit of `messages` new messages took `tookMs`. */
  committed(messages: number, tookMs: number): void {
    this.#commits++;
    this.#appended += messages;
    this.#commitMsTotal += tookMs;
  }

  /** Counts an error on its way to a caller. A bug is not an answer: it stops the thread. */
  noted(thrown: unknown): BrokerError | StorageError {
    if (thrown instanceof StorageError) {
      if (thrown.fault === "damaged") this.#damage.note(thrown.message);
      return thrown;
    }
    if (thrown instanceof BrokerError) return thrown;
    throw thrown;
  }

  snapshot() {
    return {
      turns: this.turns,
      commits: this.#commits,
      appended: this.#appended,
      delivered: this.delivered,
      commitMsTotal: this.#commitMsTotal,
      damagedReads: this.#damage.reads,
    };
  }
}
