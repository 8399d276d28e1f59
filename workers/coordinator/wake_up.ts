/** One timer that knows when it is next needed, so that its owner only names due times. @module */
import { limits } from "../../src/base/limits.ts";
import type { Timers } from "../../src/ports/timers.ts";

/** Calls its owner when something is due, and asks it when that will be again. */
export class WakeUp {
  readonly #timers: Timers;
  readonly #nowMs: () => number;
  readonly #onWake: (nowMs: number) => number | null;
  #armed: { readonly dueMs: number; readonly cancel: () => void } | null = null;

  /**
   * @param nowMs The clock that due times are told by.
   * @param onWake Does what is due, which may be nothing, and answers the next due time.
   */
  constructor(timers: Timers, nowMs: () => number, onWake: (nowMs: number) => number | null) {
    this.#timers = timers;
    this.#nowMs = nowMs;
    this.#onWake = onWake;
  }

  /** Sees to it that the owner is called by `dueMs`; `null` asks for nothing. */
  by(dueMs: number | null): void {
    if (dueMs === null || (this.#armed !== null && this.#armed.dueMs <= dueMs)) return;
    this.stop();
    // A long wait is cut into pieces: wall clocks are set, and runtimes cannot count far.
    const delayMs = Math.min(Math.max(0, Math.ceil(dueMs - this.#nowMs())), limits.timerMsMax);
    this.#armed = { dueMs, cancel: this.#timers.setTimer(delayMs, () => this.#wake()) };
  }

  /** Nothing more is due. */
  stop(): void {
    this.#armed?.cancel();
    this.#armed = null;
  }

  #wake(): void {
    this.#armed = null;
    this.by(this.#onWake(this.#nowMs()));
  }
}
