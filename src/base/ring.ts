/** A queue of fixed room: first in, first out, without moving what is inside. @module */
import { assert } from "./assert.ts";

/**
 * Holds up to `countMax` items in the order they came. The room grows with use and never shrinks.
 */
export class Ring<T> {
  readonly #countMax: number;
  #slots: (T | undefined)[];
  #head = 0;
  #size = 0;

  constructor(countMax: number) {
    assert(Number.isSafeInteger(countMax) && countMax >= 1, "a ring holds at least one item");
    this.#countMax = countMax;
    this.#slots = new Array<T | undefined>(16).fill(undefined);
  }

  /** How many items are inside. */
  get size(): number {
    return this.#size;
  }

  /** Whether `push` would refuse. */
  get full(): boolean {
    return this.#size >= this.#countMax;
  }

  /** Adds an item behind the others. False, and nothing happens, if the ring is full. */
  push(item: T): boolean {
    if (this.#size >= this.#countMax) return false;
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item;
    this.#size++;
    return true;
  }

  /** Adds an item; a full ring loses its oldest for it, which is returned. */
  pushOver(item: T): T | undefined {
    const lost = this.full ? this.shift() : undefined;
    this.push(item);
    return lost;
  }

  /** The oldest item, left in place. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  /** Takes out the oldest item. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    // The slot is emptied so that the ring does not keep the item alive.
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size--;
    return item;
  }

  /** The items, oldest first. The ring must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let at = 0; at < this.#size; at++) {
      yield this.#slots[(this.#head + at) & (this.#slots.length - 1)] as T;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.fill(undefined);
    this.#head = 0;
    this.#size = 0;
  }

  /** Doubles the slots. Their number stays a power of two, so that a mask replaces a division. */
  #grow(): void {
    const slots = new Array<T | undefined>(this.#slots.length * 2).fill(undefined);
    let at = 0;
    for (const item of this) slots[at++] = item;
    this.#slots = slots;
    this.#head = 0;
  }
}
