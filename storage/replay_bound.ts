/**
 * From where on a recovery would read at most so many bytes of the log, however large its messages.
 *
 *     ├─ step ─┼─ step ─┼─ ... ─┼─ step ─┤ open
 *              ▲ from: what was before is to be indexed
 *
 * @module
 */
type Step = { readonly position: number; readonly bytes: number };

/** Counts what is appended, in steps of a sixteenth of `bytesMax`. */
export class ReplayBound {
  readonly #bytesMax: number;
  /** At most sixteen, the oldest first; a step ends before its position. */
  readonly #steps: Step[] = [];
  #bytes = 0;
  #open = 0;
  #from = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Positions below are more than `bytesMax` bytes behind; 0 while nothing is. */
  get from(): number {
    return this.#from;
  }

  /** `bytes` were appended up to `nextPosition`. */
  appended(nextPosition: number, bytes: number): void {
    this.#open += bytes;
    if (this.#open < this.#bytesMax / 16) return;
    this.#steps.push({ position: nextPosition, bytes: this.#open });
    this.#bytes += this.#open;
    this.#open = 0;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#steps.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      this.#from = oldest.position;
    }
  }
}
