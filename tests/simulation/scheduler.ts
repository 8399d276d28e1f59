/**
 * One thread, one clock, everything in an order the seed decides.
 *
 *     next event ▶ clock moves to it ▶ it runs ▶ every promise it settled is followed ▶ next event
 *
 * @module
 */
import { ManualClock } from "../../src/base/clock.ts";
import { MinHeap } from "../../src/base/heap.ts";
import type { Cancel, Timers } from "../../src/ports/timers.ts";

type Event = { readonly atMs: number; readonly sequence: number; fn: (() => void) | null };

/**
 * Turns of the microtask queue between two events. The longest chain of awaits in the broker is a
 * fraction of it; a chain that is longer goes on after the next event, equally on every runtime.
 */
const microtaskTurns = 32;
/** Two events of the same instant keep their order: room for the sequence below one microsecond. */
const sequenceStep = 1e-9;

/** The events to come, in order of time and then of asking. */
export class Scheduler {
  readonly clock = new ManualClock();
  readonly #events = new MinHeap<Event>((event) => event.atMs + event.sequence * sequenceStep);
  #sequence = 0;
  #ran = 0;
  #failure: { readonly error: unknown } | null = null;

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  /** Events so far. */
  get ran(): number {
    return this.#ran;
  }

  /** Calls `fn` in `delayMs`, whole milliseconds. */
  later(delayMs: number, fn: () => void): Cancel {
    const event: Event = { atMs: this.nowMs + delayMs, sequence: ++this.#sequence, fn };
    this.#events.push(event);
    return () => {
      event.fn = null;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.later(delayMs, resolve));
  }

  /** Ends the run with this error: something failed where nobody waits for it. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Runs until `isDone`, or until the clock reaches `untilMs`. Answers whether it was done. */
  async run(untilMs: number, isDone: () => boolean): Promise<boolean> {
    await this.#settle();
    while (!isDone()) {
      const event = this.#events.peek();
      if (event === undefined || event.atMs > untilMs) return false;
      this.#events.pop();
      if (event.fn === null) continue;
      if (event.atMs > this.nowMs) this.clock.advance(event.atMs - this.nowMs);
      this.#ran++;
      event.fn();
      await this.#settle();
    }
    return true;
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < microtaskTurns; turn++) await null;
    if (this.#failure !== null) throw this.#failure.error;
  }
}

/** The timers of one simulated process: when it dies, none of them fires. */
export class ProcessTimers implements Timers {
  readonly #scheduler: Scheduler;
  readonly #onThrown: (thrown: unknown) => void;
  #dead = false;

  /** `onThrown` is told what a timer's function threw: it would have ended its thread. */
  constructor(scheduler: Scheduler, onThrown: (thrown: unknown) => void) {
    this.#scheduler = scheduler;
    this.#onThrown = onThrown;
  }

  setTimer(delayMs: number, fn: () => void): Cancel {
    return this.#scheduler.later(Math.ceil(delayMs), () => this.#call(fn));
  }

  immediate(fn: () => void): Cancel {
    return this.#scheduler.later(0, () => this.#call(fn));
  }

  kill(): void {
    this.#dead = true;
  }

  #call(fn: () => void): void {
    if (this.#dead) return;
    try {
      fn();
    } catch (thrown) {
      this.#onThrown(thrown);
    }
  }
}
