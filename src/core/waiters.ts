/**
 * Requests that wait for something to happen to a queue.
 *
 *     park ──wake(queue)──▶ taken, in the order of parking
 *        ├───forget(id)───▶ gone: its client is
 *        └───deadline─────▶ expired
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { MinHeap } from "../base/heap.ts";

/** A parked request. It waits for any of `queueKeys`, on the monotonic clock. */
export type Waiter<T> = {
  readonly id: number;
  readonly queueKeys: readonly number[];
  readonly deadlineMs: number;
  /** Order of arrival: a waiter that is parked again keeps its place in the line. */
  readonly sequence: number;
  readonly request: T;
};

/**
 * At most `waitersMax` parked requests, found again by id, by queue and by deadline. It decides
 * nothing: whoever is taken out must be answered or parked again by the caller.
 */
export class Waiters<T> {
  readonly #waitersMax: number;
  readonly #byId = new Map<number, Waiter<T>>();
  /** Bounded by `waitersMax` times the queues each names. */
  readonly #byQueue = new Map<number, Set<Waiter<T>>>();
  readonly #deadlines = new MinHeap<Waiter<T>>((waiter) => waiter.deadlineMs);
  #sequence = 0;

  constructor(waitersMax: number) {
    this.#waitersMax = waitersMax;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Whether another one may be parked. */
  get full(): boolean {
    return this.#byId.size >= this.#waitersMax;
  }

  /** A place in the line for a request that is about to be tried. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  park(waiter: Waiter<T>): void {
    assert(!this.full && !this.#byId.has(waiter.id), "a request is parked once, within the bound");
    this.#byId.set(waiter.id, waiter);
    this.#deadlines.push(waiter);
    for (const queueKey of waiter.queueKeys) {
      const line = this.#byQueue.get(queueKey);
      if (line === undefined) this.#byQueue.set(queueKey, new Set([waiter]));
      else line.add(waiter);
    }
    if (this.#deadlines.size > 2 * this.#byId.size + 64) this.#rebuildDeadlines();
  }

  /** Takes everyone who waits for one of these queues, in the order of arrival. */
  wake(queueKeys: Iterable<number>): Waiter<T>[] {
    const woken = new Set<Waiter<T>>();
    for (const queueKey of queueKeys) {
      for (const waiter of this.#byQueue.get(queueKey) ?? []) woken.add(waiter);
    }
    for (const waiter of woken) this.#remove(waiter);
    return [...woken].sort((one, other) => one.sequence - other.sequence);
  }

  /** Takes everyone whose request is one of these. */
  takeWhere(isOne: (request: T) => boolean): Waiter<T>[] {
    const taken = [...this.#byId.values()].filter(({ request }) => isOne(request));
    for (const waiter of taken) this.#remove(waiter);
    return taken;
  }

  /** Takes the waiter `id`, if it is still parked. */
  forget(id: number): Waiter<T> | undefined {
    const waiter = this.#byId.get(id);
    if (waiter !== undefined) this.#remove(waiter);
    return waiter;
  }

  /** Takes everyone whose deadline has come. */
  expire(nowMs: number): Waiter<T>[] {
    const expired: Waiter<T>[] = [];
    for (let top = this.#nextWaiter(); top && top.deadlineMs <= nowMs; top = this.#nextWaiter()) {
      this.#remove(top);
      expired.push(top);
    }
    return expired;
  }

  /** Takes everyone: the shard stops. */
  takeAll(): Waiter<T>[] {
    const all = [...this.#byId.values()];
    for (const waiter of all) this.#remove(waiter);
    return all;
  }

  nextDeadlineMs(): number | null {
    return this.#nextWaiter()?.deadlineMs ?? null;
  }

  #nextWaiter(): Waiter<T> | undefined {
    for (let top = this.#deadlines.peek(); top !== undefined; top = this.#deadlines.peek()) {
      if (this.#byId.get(top.id) === top) return top;
      this.#deadlines.pop();
    }
    return undefined;
  }

  #remove(waiter: Waiter<T>): void {
    this.#byId.delete(waiter.id);
    for (const queueKey of waiter.queueKeys) {
      const line = this.#byQueue.get(queueKey);
      line?.delete(waiter);
      if (line?.size === 0) this.#byQueue.delete(queueKey);
    }
  }

  /** Waiters that were woken leave their deadlines behind; begin again when most are stale. */
  #rebuildDeadlines(): void {
    while (this.#deadlines.size > 0) this.#deadlines.pop();
    for (const waiter of this.#byId.values()) this.#deadlines.push(waiter);
  }
}
