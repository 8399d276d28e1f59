/**
 * What a shard does between turns, in bounded steps: checkpoints, retention, a look at the disk.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { RetentionRule, ShardStore } from "../../src/ports/shard_store.ts";
import type { DiskGuard } from "./disk_guard.ts";
import type { ShardState } from "./state.ts";

/** The disk is looked at, and the WAL's length, this often. */
const lookMs = 500;
/** Retention begins a new round this often. */
const trimRoundMs = 10_000;
/**
 * How long verdicts of transactions are remembered: a producer that repeats one after a day has
 * long been answered, and an undecided message is parked long before.
 */
const verdictsMs = 86_400_000;
/** Verdicts forgotten in one step. */
const purgeRowsMax = 1024;

/** What one step found. */
export type UpkeepStep = {
  readonly fault: StorageError | null;
  readonly guardChanged: boolean;
  /** Another step is worth doing at once. */
  readonly more: boolean;
  /** Of the time it took, what was spent on pages that drops had changed. */
  readonly dropMs: number;
};

const nothingDone: UpkeepStep = { fault: null, guardChanged: false, more: false, dropMs: 0 };

/**
 * The housekeeping of one shard. A step is short, so that a turn is never kept waiting; a round of
 * retention is as many steps as it needs.
 */
export class Upkeep {
  readonly #guard: DiskGuard;
  readonly #clock: Clock;
  #rules: readonly RetentionRule[] = [];
  #nextLookMs = 0;
  #nextTrimMs = 0;
  #nextPurgeMs = 0;

  constructor(guard: DiskGuard, clock: Clock) {
    this.#guard = guard;
    this.#clock = clock;
  }

  setRules(rules: readonly RetentionRule[]): void {
    this.#rules = rules;
  }

  /** How long until a step is due. */
  nextInMs(): number {
    return this.#nextLookMs - this.#clock.monotonicMs();
  }

  /** Does what is due, at most one bounded piece of each kind. */
  step(store: ShardStore, state: ShardState, nowMs: number): UpkeepStep {
    const monotonicMs = this.#clock.monotonicMs();
    // Drops write so much when nobody asks for anything that half a second is too long.
    if (monotonicMs < this.#nextLookMs && !store.checkpointOverdue()) return nothingDone;
    this.#nextLookMs = monotonicMs + lookMs;
    let [guardChanged, dropMs] = [false, 0];
    try {
      guardChanged = this.#guard.check(store.reusableBytes());
      // A damaged store takes no writes: trying would stop the shard, and with it all reading.
      if (!store.recovery.writable) return { ...nothingDone, guardChanged };
      if (store.checkpointDue()) dropMs = this.#checkpoint(store);
      this.#forgetVerdicts(store, nowMs, monotonicMs);
      const more = this.#trim(store, state, nowMs, monotonicMs);
      return { fault: null, guardChanged, more, dropMs };
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      // A full disk is the guard's business; retention tries again in its next round.
      if (thrown.fault === "full") return { ...nothingDone, guardChanged, dropMs };
      return { fault: thrown, guardChanged, more: false, dropMs };
    }
  }

  /** Answers how much of the time was spent for drops. @throws {StorageError} */
  #checkpoint(store: ShardStore): number {
    const beganMs = this.#clock.monotonicMs();
    const dropShare = store.checkpoint();
    return dropShare * (this.#clock.monotonicMs() - beganMs);
  }

  #forgetVerdicts(store: ShardStore, nowMs: number, monotonicMs: number): void {
    const verdicts = store.halfCount("committed") + store.halfCount("rolled-back");
    // Nothing is written for nothing.
    if (verdicts === 0 || monotonicMs < this.#nextPurgeMs) return;
    const forgotten = store.purgeHalves(nowMs - verdictsMs, purgeRowsMax);
    // A full step is followed by the next one soon.
    if (forgotten < purgeRowsMax) this.#nextPurgeMs = monotonicMs + trimRoundMs;
  }

  #trim(store: ShardStore, state: ShardState, nowMs: number, monotonicMs: number): boolean {
    if (this.#rules.length === 0 || monotonicMs < this.#nextTrimMs) return false;
    const { more } = store.trim(this.#rules, (queueKey) => state.floor(queueKey), nowMs);
    if (more) this.#nextLookMs = monotonicMs;
    else this.#nextTrimMs = monotonicMs + trimRoundMs;
    return more;
  }
}
