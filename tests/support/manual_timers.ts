/** Timers that fire when a manual clock is moved on, in the order they are due. @module */
import { ManualClock } from "../../src/base/clock.ts";
import type { Cancel, Timers } from "../../src/ports/timers.ts";

type Timer = { readonly dueMs: number; readonly fn: () => void };

/** Time for a test: a clock, and the timers that go by its monotonic side. */
export class ManualTimers implements Timers {
  readonly clock: ManualClock;
  #timers: Timer[] = [];
  #immediates: (() => void)[] = [];

  constructor(clock = new ManualClock()) {
    this.clock = clock;
  }

  /** Timers not fired yet. */
  get pending(): number {
    return this.#timers.length + this.#immediates.length;
  }

  setTimer(delayMs: number, fn: () => void): Cancel {
    const timer = { dueMs: this.clock.monotonicMs() + delayMs, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  immediate(fn: () => void): Cancel {
    this.#immediates.push(fn);
    return () => {
      this.#immediates = this.#immediates.filter((other) => other !== fn);
    };
  }

  /** Moves time on by `ms`, stopping at every timer that is due on the way. */
  advance(ms: number): void {
    const endMs = this.clock.monotonicMs() + ms;
    this.#runImmediates();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.clock.advance(Math.max(0, next.dueMs - this.clock.monotonicMs()));
      next.fn();
      this.#runImmediates();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
  }

  #earliest(): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (earliest === undefined || timer.dueMs < earliest.dueMs) earliest = timer;
    }
    return earliest;
  }

  #runImmediates(): void {
    while (this.#immediates.length > 0) this.#immediates.shift()?.();
  }
}
