/** Polls that wait for an answer, for a manual clock or for their client to leave. @module */
import type { Clock } from "../../src/base/clock.ts";

type Parked = { readonly deadlineMs: number; attempt(isLast: boolean): boolean };

/** The waiting room of a broker in memory. */
export class ParkedPolls {
  readonly #clock: Clock;
  readonly #waiting = new Set<Parked>();
  readonly #watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Polls that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when so many polls wait. */
  until(count: number): Promise<void> {
    if (this.#waiting.size === count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  /**
   * Answers what `look` finds: now, or when `wake` asks again. `look(true)` is the last chance, at
   * the deadline, and has to answer. After an abort the poll is forgotten and never answered.
   */
  park<Value>(
    request: { readonly waitMs: number; readonly signal?: AbortSignal },
    look: (isLast: boolean) => Value | undefined,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      const { waitMs, signal } = request;
      const attempt = (isLast: boolean) => {
        try {
          const value = look(isLast);
          if (value === undefined) return false;
          resolve(value);
        } catch (thrown) {
          reject(thrown);
        }
        return true;
      };
      if (signal?.aborted || attempt(waitMs === 0)) return;
      const parked: Parked = { deadlineMs: this.#clock.monotonicMs() + waitMs, attempt };
      this.#waiting.add(parked);
      for (const { count, resolve } of this.#watchers) if (count === this.size) resolve();
      signal?.addEventListener("abort", () => this.#waiting.delete(parked));
    });
  }

  /** Asks for every poll again. */
  wake(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const parked of [...this.#waiting]) {
      if (parked.attempt(parked.deadlineMs <= nowMs)) this.#waiting.delete(parked);
    }
  }
}
