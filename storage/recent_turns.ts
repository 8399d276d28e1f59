/**
 * The newest turns, copied into one fixed buffer, so that reading at the tail of the log touches
 * neither SQLite nor the garbage collector:
 *
 *     ┌ turn 7 ┬ turn 8 ┬ (unused) ┐      a turn that does not fit behind the last one goes to the
 *     └ at ──────────────▶ evicts what it overwrites, which is what is oldest
 *
 * A turn read from here is valid until the next `add`.
 *
 * @module
 */
import { Turn } from "./turn_format.ts";

type Held = { readonly turn: Turn; readonly from: number };

/** Evicted descriptors that may stand before the first live one. */
const spentMax = 1024;

/** A ring of turns, oldest first. */
export class RecentTurns {
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #held: Held[] = [];
  #first = 0;
  #at = 0;

  constructor(bytesMax: number) {
    this.#buffer = new Uint8Array(bytesMax);
  }

  /** Copies a turn that follows the last one. One larger than the whole buffer empties it. */
  add(
    place: { firstPosition: number; count: number; storedMs: number },
    entries: Uint8Array,
    records: Uint8Array,
  ): void {
    const entriesRoom = (entries.length + 7) & ~7;
    const room = entriesRoom + ((records.length + 7) & ~7);
    if (room > this.#buffer.length) return this.clear();
    if (this.#at + room > this.#buffer.length) {
      while (this.#oldestFrom() >= this.#at) this.#first++;
      this.#at = 0;
    }
    const from = this.#at;
    for (let old = this.#oldestFrom(); old >= from && old < from + room; old = this.#oldestFrom()) {
      this.#first++;
    }
    if (this.#first > spentMax) {
      this.#held = this.#held.slice(this.#first);
      this.#first = 0;
    }
    this.#buffer.set(entries, from);
    this.#buffer.set(records, from + entriesRoom);
    const turn = new Turn(
      { ...place, rewritten: false },
      this.#buffer.subarray(from, from + entries.length),
      this.#buffer.subarray(from + entriesRoom, from + entriesRoom + records.length),
    );
    this.#held.push({ turn, from });
    this.#at = from + room;
  }

  /** Where the oldest turn begins; -1 without one. */
  #oldestFrom(): number {
    return this.#held[this.#first]?.from ?? -1;
  }

  /** The turn that holds a position. */
  find(position: number): Turn | null {
    let low = this.#first;
    let high = this.#held.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#held[middle]?.turn.endPosition ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    const turn = this.#held[low]?.turn;
    return turn !== undefined && position >= turn.firstPosition ? turn : null;
  }

  clear(): void {
    this.#held = [];
    this.#first = 0;
    this.#at = 0;
  }
}
