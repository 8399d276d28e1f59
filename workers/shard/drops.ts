/**
 * Dropping queues and groups in bounded steps between turns, whether somebody asks for it or the
 * shard finds that the registry has them no more.
 *
 *     dropQueues asked ─────────────┐
 *     existing heard ──▶ orphans ───┴─▶ jobs ──a step each turn──▶ gone, and the asker is answered
 *
 * A queue stays until its last step. A process that ends before leaves an orphan to the next start.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import { isInRanges } from "../../src/core/key_ranges.ts";
import type { ExistingNews } from "../../src/link/coordinator_messages.ts";
import type { LinkServer } from "../../src/link/server.ts";
import type { ShardOperations } from "../../src/link/shard_messages.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import { operatorsKey, type ShardState } from "./state.ts";

/** After a step found no room, orphans are looked for again. */
const lookAgainMs = 10_000;

type Job =
  /** `id`: who asked, and waits. */
  | { readonly kind: "queues"; readonly id: number | null; readonly queueKeys: readonly number[] }
  | { readonly kind: "group"; readonly groupKey: number };

/** What a step came to. `fault`: a write failed, and the shard stops. */
export type DropStep = { readonly fault: StorageError | null; readonly more: boolean };

const nothingDone: DropStep = { fault: null, more: false };

/** The drops of one shard. */
export class Drops {
  readonly #server: LinkServer<ShardOperations>;
  /** Bounded by the requests of the link, and by the queues and groups of the shard. */
  #jobs: Job[] = [];
  #existing: ExistingNews | null = null;
  /** When to look for orphans, on the monotonic clock; `null`: nothing has changed. */
  #lookMs: number | null = null;

  constructor(server: LinkServer<ShardOperations>) {
    this.#server = server;
  }

  /** Orphans dropped or found so far wait as jobs; how many. */
  get waiting(): number {
    return this.#jobs.length;
  }

  /** Takes a request: from now on nobody is handed anything of these queues. */
  ask(store: ShardStore, state: ShardState, id: number, queueKeys: readonly number[]): void {
    if (!store.recovery.writable) throw new BrokerError("storage_damaged");
    state.dropQueues(queueKeys);
    this.#jobs.push({ kind: "queues", id, queueKeys });
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

  /** One bounded piece of work, if there is any. */
  step(store: ShardStore, state: ShardState, monotonicMs: number): DropStep {
    if (this.#lookMs !== null && this.#lookMs <= monotonicMs) this.#look(store, state);
    const job = this.#jobs[0];
    if (job === undefined) return nothingDone;
    try {
      if (!carryOut(job, store, state)) return { fault: null, more: true };
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      this.refuseAll(thrown);
      this.#lookMs = monotonicMs + lookAgainMs;
      return { fault: thrown.fault === "full" ? null : thrown, more: false };
    }
    this.#jobs.shift();
    if (job.kind === "queues" && job.id !== null) this.#server.answer("dropQueues", job.id, null);
    return { fault: null, more: this.#jobs.length > 0 };
  }

  /** Nothing more is dropped: what was begun is an orphan. */
  refuseAll(thrown: unknown): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) {
      if (job.kind === "queues" && job.id !== null) this.#server.refuse(job.id, thrown);
    }
  }

  #look(store: ShardStore, state: ShardState): void {
    this.#lookMs = null;
    const existing = this.#existing;
    if (existing === null || !store.recovery.writable) return;
    const { queueKeys, queueKeyMax, groupKeys, groupKeyMax } = existing;
    const orphans = store.queueKeys().filter((key) =>
      key <= queueKeyMax && !isInRanges(queueKeys, key) && !this.#isAsked(key)
    );
    for (let at = 0; at < orphans.length; at += limits.queuesPerDropMax) {
      const some = orphans.slice(at, at + limits.queuesPerDropMax);
      state.dropQueues(some);
      this.#jobs.push({ kind: "queues", id: null, queueKeys: some });
    }
    for (const groupKey of state.groupKeys()) {
      if (groupKey === operatorsKey || groupKey > groupKeyMax) continue;
      if (!isInRanges(groupKeys, groupKey)) this.#jobs.push({ kind: "group", groupKey });
    }
  }

  #isAsked(queueKey: number): boolean {
    return this.#jobs.some((job) => job.kind === "queues" && job.queueKeys.includes(queueKey));
  }
}

/** Whether the job is done with this. @throws {StorageError} */
function carryOut(job: Job, store: ShardStore, state: ShardState): boolean {
  if (job.kind === "group") {
    store.dropGroup(job.groupKey);
    state.dropGroup(job.groupKey);
    return true;
  }
  if (store.dropQueues(job.queueKeys)) return false;
  // Once more: memory may have been read back from the tables between two steps.
  state.dropQueues(job.queueKeys);
  return true;
}
