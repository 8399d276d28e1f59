/**
 * Dropping queues and groups in bounded steps between turns, whether somebody asks for it or the
 * shard finds that the registry has them no more.
 *
 *     dropQueues asked ──▶ answered ─┐
 *     existing heard ──▶ orphans ────┴─▶ jobs ──a step between turns──▶ gone
 *
 * That a topic is deleted is decided, and stored, by the registry. Who asks here is answered at
 * once: from then on nobody is handed anything of its queues, and nothing of them becomes visible.
 * A queue's rows stay until its last step; a process that ends before leaves an orphan to the next
 * start. While requests come, the steps leave nine tenths of the time to them (`drop_pace.ts`).
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import type { Log } from "../../src/base/log.ts";
import { isInRanges } from "../../src/core/key_ranges.ts";
import type { ExistingNews } from "../../src/link/coordinator_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { DropResult, ShardStore } from "../../src/ports/shard_store.ts";
import { DropPace } from "./drop_pace.ts";
import { operatorsKey, type ShardState } from "./state.ts";

/** After a step found no room, orphans are looked for again. */
const lookAgainMs = 10_000;
/** Requests of so short a time ago count: between two of a lone sender's nothing waits, either. */
const busyMs = 500;

type Job =
  | { readonly kind: "queues"; readonly queueKeys: readonly number[] }
  | { readonly kind: "group"; readonly groupKey: number };

/** What has been done since there was nothing to drop, for the log. */
type Run = { readonly beganMs: number; queues: number; rows: number; steps: number };

/** What a step came to. `fault`: a write failed, and the shard stops. */
export type DropStep = { readonly fault: StorageError | null; readonly more: boolean };

const nothingDone: DropStep = { fault: null, more: false };

/** The drops of one shard. */
export class Drops {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Bounded by the queues and groups of the shard. */
  #jobs: Job[] = [];
  #run: Run | null = null;
  #rows = 0;
  #existing: ExistingNews | null = null;
  /** When to look for orphans, on the monotonic clock; `null`: nothing has changed. */
  #lookMs: number | null = null;
  readonly #pace = new DropPace();
  #busyUntilMs = -Infinity;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Queues that are not dropped to the end yet. */
  get queuesLeft(): number {
    let left = 0;
    for (const job of this.#jobs) if (job.kind === "queues") left += job.queueKeys.length;
    return left;
  }

  /** Messages that waited in dropped queues, deleted since the shard started. */
  get rowsDropped(): number {
    return this.#rows;
  }

  /** From now on nobody is handed anything of these queues; their rows go in steps. */
  ask(store: ShardStore, state: ShardState, queueKeys: readonly number[]): void {
    state.dropQueues(queueKeys);
    // A damaged file takes no writes: what is left in it is an orphan when it was repaired.
    if (!store.recovery.writable) return;
    this.#add(queueKeys.filter((key) => !this.#isAsked(key)), store);
  }

  /** The registry says what exists: look for what does not. */
  heard(news: ExistingNews): void {
    this.#existing = news;
    this.lookAgain();
  }

  /** The store was opened anew. */
  lookAgain(): void {
    this.#lookMs = -Infinity;
  }

  /** How long until a step is due, if nothing happens before; `null`: nothing is to be dropped. */
  nextInMs(): number | null {
    if (this.#jobs.length === 0) return null;
    const nowMs = this.#clock.monotonicMs();
    return nowMs < this.#busyUntilMs ? this.#pace.restMs(nowMs) : 0;
  }

  /** Upkeep took so long for pages that steps have changed: it counts as theirs. */
  charge(tookMs: number): void {
    this.#pace.charge(this.#clock.monotonicMs(), tookMs);
  }

  /** A turn's commit took so long, with its fsync: so does a step that came before it. */
  committed(tookMs: number): void {
    this.#pace.committed(this.#clock.monotonicMs(), tookMs);
  }

  /** One bounded piece of work, if there is any. `isAsked`: requests came with this turn. */
  step(store: ShardStore, state: ShardState, isAsked: boolean): DropStep {
    const beganMs = this.#clock.monotonicMs();
    if (isAsked) this.#busyUntilMs = beganMs + busyMs;
    const isBusy = beganMs < this.#busyUntilMs;
    if (this.#lookMs !== null && this.#lookMs <= beganMs) this.#look(store, state);
    const job = this.#jobs[0];
    if (job === undefined || (isBusy && this.#pace.restMs(beganMs) > 0)) return nothingDone;
    try {
      const { rows, more } = this.#carryOut(job, store, state);
      const nowMs = this.#clock.monotonicMs();
      this.#pace.stepped(nowMs, nowMs - beganMs, rows);
      if (more) return { fault: null, more: !isBusy };
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      this.stop();
      this.#lookMs = beganMs + lookAgainMs;
      return { fault: thrown.fault === "full" ? null : thrown, more: false };
    }
    this.#jobs.shift();
    if (this.#jobs.length === 0) this.#noteEnd();
    return { fault: null, more: this.#jobs.length > 0 && !isBusy };
  }

  /** Nothing more is dropped: what was begun is an orphan. */
  stop(): void {
    if (this.queuesLeft > 0) {
      this.#log.info("dropping queues was interrupted", { queuesLeft: this.queuesLeft });
    }
    this.#jobs = [];
    this.#run = null;
  }

  #add(queueKeys: readonly number[], store: ShardStore): void {
    if (queueKeys.length === 0) return;
    for (let at = 0; at < queueKeys.length; at += limits.queuesPerDropMax) {
      const some = queueKeys.slice(at, at + limits.queuesPerDropMax);
      this.#jobs.push({ kind: "queues", queueKeys: some });
    }
    this.#run ??= { beganMs: this.#clock.monotonicMs(), queues: 0, rows: 0, steps: 0 };
    this.#run.queues += queueKeys.length;
    const timers = store.delayedCount(queueKeys);
    this.#log.info("dropping queues of deleted topics", { queues: queueKeys.length, timers });
  }

  #noteEnd(): void {
    if (this.#run === null) return;
    const { beganMs, ...told } = this.#run;
    const tookMs = Math.round(this.#clock.monotonicMs() - beganMs);
    this.#log.info("queues of deleted topics are dropped", { ...told, tookMs });
    this.#run = null;
  }

  /** @throws {StorageError} */
  #carryOut(job: Job, store: ShardStore, state: ShardState): DropResult {
    if (job.kind === "group") {
      store.dropGroup(job.groupKey);
      state.dropGroup(job.groupKey);
      return { rows: 0, more: false };
    }
    const step = store.dropQueues(job.queueKeys, this.#pace.rowsMax);
    this.#rows += step.rows;
    if (this.#run !== null) {
      this.#run.rows += step.rows;
      this.#run.steps++;
    }
    return step;
  }

  #look(store: ShardStore, state: ShardState): void {
    this.#lookMs = null;
    const existing = this.#existing;
    if (existing === null || !store.recovery.writable) return;
    const { queueKeys, queueKeyMax, groupKeys, groupKeyMax } = existing;
    const orphans = store.queueKeys().filter((key) =>
      key <= queueKeyMax && !isInRanges(queueKeys, key) && !this.#isAsked(key)
    );
    state.dropQueues(orphans);
    this.#add(orphans, store);
    for (const groupKey of state.groupKeys()) {
      if (groupKey === operatorsKey || groupKey > groupKeyMax) continue;
      if (!isInRanges(groupKeys, groupKey)) this.#jobs.push({ kind: "group", groupKey });
    }
  }

  #isAsked(queueKey: number): boolean {
    return this.#jobs.some((job) => job.kind === "queues" && job.queueKeys.includes(queueKey));
  }
}
