/** What a shard met of stored messages that do not match their checksum. @module */

/** Damage is met again with every read of it: it is told at most this often. */
const tellMs = 60_000;

/** Counts reads that were refused, and says when somebody should be told. */
export class DamageTally {
  #reads = 0;
  #toldReads = 0;
  #reason = "";
  #nextTellMs = -Infinity;

  /** A record could not be read; `reason` names its place. */
  note(reason: string): void {
    this.#reads++;
    this.#reason = reason;
  }

  /** Records that could not be read since the shard started. */
  get reads(): number {
    return this.#reads;
  }

  /** What was met last, when that is news; `null` when there is nothing to tell now. */
  takeNews(monotonicMs: number): string | null {
    if (this.#reads === this.#toldReads || monotonicMs < this.#nextTellMs) return null;
    this.#toldReads = this.#reads;
    this.#nextTellMs = monotonicMs + tellMs;
    return this.#reason;
  }
}
