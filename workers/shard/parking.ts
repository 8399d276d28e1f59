/**
 * The requests a shard has no answer for yet.
 *
 *     pull, receive, watch ──nothing there──▶ parked ──queue grew, delivery due──▶ tried again
 *                                               ├─deadline, forgotten, drained──▶ answered: nothing
 *                                               └─topic or group deleted──▶ refused
 *
 * A pull and a watch are tried again at once; a receive leases, so it goes into the next turn.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { Waiters } from "../../src/core/waiters.ts";
import type {
  PullAsk,
  ReceiveAsk,
  ShardOperations,
  WatchAsk,
} from "../../src/link/shard_messages.ts";
import type { LinkServer } from "../../src/link/server.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { Work } from "./plan.ts";
import { readPull } from "./read.ts";
import type { ShardState } from "./state.ts";
import type { ShardTallies } from "./tallies.ts";
import { hasWork } from "./watch.ts";

type Parked =
  | { readonly kind: "pull"; readonly ask: PullAsk }
  | { readonly kind: "receive"; readonly ask: ReceiveAsk }
  | { readonly kind: "watch"; readonly ask: WatchAsk };

/** A request's place among those that wait. */
export type Waiting = { readonly deadlineMs: number; readonly sequence: number };

const nothing = new Uint8Array(0);

/** Holds pulls and receives until there is something for them; bounded by `waitersPerShardMax`. */
export class Parking {
  readonly #server: LinkServer<ShardOperations>;
  readonly #clock: Clock;
  readonly #tallies: ShardTallies;
  readonly #state: ShardState;
  readonly #waiters = new Waiters<Parked>(limits.waitersPerShardMax);
  /** Receives whose time has come. Bounded by the waiters they were. */
  #woken: Work[] = [];
  #closed = false;

  constructor(
    server: LinkServer<ShardOperations>,
    clock: Clock,
    tallies: ShardTallies,
    state: ShardState,
  ) {
    this.#server = server;
    this.#clock = clock;
    this.#tallies = tallies;
    this.#state = state;
  }

  get size(): number {
    return this.#waiters.size;
  }

  nextDeadlineMs(): number | null {
    return this.#waiters.nextDeadlineMs();
  }

  /** The receives to be planned in this turn. */
  takeWoken(): Work[] {
    const woken = this.#woken;
    this.#woken = [];
    return woken;
  }

  /** Answers a pull, or parks it when there is nothing and it may wait. */
  pull(store: ShardStore, id: number, ask: PullAsk, waiting?: Waiting): void {
    this.#state.needQueue(ask.queueKey);
    const answer = readPull(store, ask, this.#clock.wallMs());
    this.#tallies.expired += answer.expired;
    const { outcome, nextOffset, maxOffset, count } = answer.head;
    const nothingYet = outcome === "empty" || (outcome === "filtered" && nextOffset === maxOffset);
    if (nothingYet && ask.waitMs > 0 && this.#hasRoom()) {
      const moved = nextOffset === ask.offset ? ask : { ...ask, offset: nextOffset };
      this.#park(id, { kind: "pull", ask: moved }, waiting);
      return;
    }
    this.#tallies.delivered += count;
    this.#server.answer("pull", id, answer);
  }

  /** Parks a receive that found nothing. */
  receive(id: number, ask: ReceiveAsk, waiting?: Waiting): void {
    if (this.#hasRoom()) this.#park(id, { kind: "receive", ask }, waiting);
    else this.#answerNothing(id);
  }

  /** Answers whether there is something for a group, or parks until there is. */
  watch(store: ShardStore, id: number, ask: WatchAsk, waiting?: Waiting): void {
    this.#state.needGroup(ask.groupKey);
    for (const queueKey of ask.queueKeys) this.#state.needQueue(queueKey);
    const found = hasWork(this.#state, store, ask, this.#clock.wallMs());
    if (!found && ask.waitMs > 0 && this.#hasRoom()) {
      this.#park(id, { kind: "watch", ask }, waiting);
    } else this.#server.answer("watch", id, found);
  }

  /** Tries everyone again who waits for one of these queues. True: a receive wants a turn. */
  wake(store: ShardStore, queueKeys: Iterable<number>): boolean {
    for (const { id, deadlineMs, sequence, request } of this.#waiters.wake(queueKeys)) {
      const waiting = { deadlineMs, sequence };
      if (request.kind === "pull") {
        this.#guarded(id, () => this.pull(store, id, request.ask, waiting));
      } else if (request.kind === "watch") {
        this.#guarded(id, () => this.watch(store, id, request.ask, waiting));
      } else this.#woken.push({ name: "receive", id, request: request.ask, waiting });
    }
    return this.#woken.length > 0;
  }

  /** Refuses everyone who waits for what was dropped meanwhile: it will not come. */
  endDropped(): void {
    const { queueKeys, groupKeys } = this.#state.takeDropped();
    const ended = this.#waiters.wake(queueKeys);
    if (groupKeys.size > 0) {
      const isOfGroup = ({ kind, ask }: Parked) => kind !== "pull" && groupKeys.has(ask.groupKey);
      ended.push(...this.#waiters.takeWhere(isOfGroup));
    }
    for (const { id, queueKeys: waitsFor, request } of ended) {
      this.#guarded(id, () => {
        if (request.kind !== "pull") this.#state.needGroup(request.ask.groupKey);
        for (const queueKey of waitsFor) this.#state.needQueue(queueKey);
      });
    }
  }

  /** Answers everyone whose deadline has come. */
  expire(store: ShardStore): void {
    for (const { id, request } of this.#waiters.expire(this.#clock.monotonicMs())) {
      this.#giveUp(store, id, request);
    }
  }

  /** Answers one request with nothing: its client is gone. */
  forget(store: ShardStore, id: number): void {
    const waiter = this.#waiters.forget(id);
    if (waiter !== undefined) this.#giveUp(store, id, waiter.request);
    const rest = this.#woken.filter((work) => work.id !== id);
    if (rest.length < this.#woken.length) this.#answerNothing(id);
    this.#woken = rest;
  }

  /** Answers everyone with nothing, and parks nobody from now on. */
  close(store: ShardStore): void {
    this.#closed = true;
    for (const { id, request } of this.#waiters.takeAll()) this.#giveUp(store, id, request);
    for (const { id } of this.takeWoken()) this.#answerNothing(id);
  }

  /** Refuses everyone: the store cannot be read. */
  refuseAll(error: Error): void {
    for (const { id } of this.#waiters.takeAll()) this.#server.refuse(id, error);
    for (const { id } of this.takeWoken()) this.#server.refuse(id, error);
  }

  #hasRoom(): boolean {
    return !this.#closed && !this.#waiters.full;
  }

  #park(id: number, request: Parked, waiting?: Waiting): void {
    const { ask } = request;
    this.#waiters.park({
      id,
      queueKeys: request.kind === "pull" ? [request.ask.queueKey] : request.ask.queueKeys,
      deadlineMs: waiting?.deadlineMs ?? this.#clock.monotonicMs() + ask.waitMs,
      sequence: waiting?.sequence ?? this.#waiters.nextSequence(),
      request,
    });
  }

  #giveUp(store: ShardStore, id: number, request: Parked): void {
    if (request.kind === "receive") this.#answerNothing(id);
    else if (request.kind === "watch") this.#server.answer("watch", id, false);
    else this.#guarded(id, () => this.pull(store, id, { ...request.ask, waitMs: 0 }));
  }

  #answerNothing(id: number): void {
    this.#server.answer("receive", id, { head: { deliveries: [] }, blob: nothing });
  }

  #guarded(id: number, answer: () => void): void {
    try {
      answer();
    } catch (thrown) {
      this.#server.refuse(id, this.#tallies.noted(thrown));
    }
  }
}
