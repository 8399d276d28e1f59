/** Time as something handed in. Only `src/runtime/` holds the real one. @module */

/** Wall time is what users see and stores keep; monotonic time measures waits and never jumps. */
export interface Clock {
  /** Milliseconds since 1970, whole. May jump either way when the host's clock is set. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start, fractional. Never goes back. */
  monotonicMs(): number;
}

/** A clock that moves when told to: tests and simulation. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;

  constructor(wallMs = 1_700_000_000_000) {
    this.#wallMs = wallMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Both clocks go forward by `ms`. */
  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** The host's clock is set: wall time jumps, monotonic time does not notice. */
  jump(ms: number): void {
    this.#wallMs += ms;
  }
}
