/**
 * Which messages of a queue an ordered group may be handed, while earlier ones of the same key are
 * open: of every key only the first open message, so that at most one is in flight and none
 * overtakes. Keys do not wait for each other.
 *
 *     key a:  12 (leased)  ◀ 15 (held)  ◀ 21 (held)      15 waits for 12, 21 for 15
 *     key b:  13 (parked)  ◀ 14 (held)                   nothing of b moves until 13 is settled
 *
 * Pure, and only memory: it is built from a group's open deliveries and follows them.
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** The keys of one queue that have something open for one ordered group. */
export class OrderWindow {
  /** Key → open offsets, ascending. Bounded by the open deliveries of the group in the queue. */
  readonly #offsets = new Map<string, number[]>();
  readonly #keys = new Map<number, string>();

  /** How many keys have something open. */
  get keyCount(): number {
    return this.#offsets.size;
  }

  /** Notes an open message; offsets of a key come in ascending order. */
  add(key: string, offset: number): void {
    const offsets = this.#offsets.get(key);
    if (offsets === undefined) this.#offsets.set(key, [offset]);
    else {
      assert((offsets.at(-1) ?? -1) < offset, "messages of a key open in their order");
      offsets.push(offset);
    }
    this.#keys.set(offset, key);
  }

  /** Whether an open message of the key stands before a new one. */
  isBlocked(key: string): boolean {
    return this.#offsets.has(key);
  }

  /** The first open message of a key; `undefined`: none is open. */
  firstOfKey(key: string): number | undefined {
    return this.#offsets.get(key)?.[0];
  }

  /** Whether an open message is the first of its key. */
  isFirst(offset: number): boolean {
    const key = this.#keys.get(offset);
    return key === undefined || this.#offsets.get(key)?.[0] === offset;
  }

  keyOf(offset: number): string | undefined {
    return this.#keys.get(offset);
  }

  /** Open messages of the key of `offset` that come after it. */
  behind(offset: number): number {
    const offsets = this.#offsets.get(this.#keys.get(offset) ?? "");
    return offsets === undefined ? 0 : offsets.filter((other) => other > offset).length;
  }

  /** The first open message of the key of `offset`: what it waits for, or itself. */
  firstOf(offset: number): number {
    return this.#offsets.get(this.#keys.get(offset) ?? "")?.[0] ?? offset;
  }

  /** A message is finished. True when another one of its key has become the first. */
  remove(offset: number): boolean {
    const key = this.#keys.get(offset);
    if (key === undefined) return false;
    this.#keys.delete(offset);
    const offsets = this.#offsets.get(key);
    const at = offsets?.indexOf(offset) ?? -1;
    if (offsets === undefined || at === -1) return false;
    offsets.splice(at, 1);
    if (offsets.length === 0) this.#offsets.delete(key);
    return at === 0 && offsets.length > 0;
  }
}
