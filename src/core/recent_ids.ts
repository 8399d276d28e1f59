/**
 * Where the newest messages with an id of their producer's are, so that a message that is sent
 * again is recognised.
 *
 *     ring      oldest … newest    hash, position, stored time of each id
 *     heads     hash → the newest slot of its chain; a slot leads to the next older one
 *
 * Only hashes are kept: whoever asks compares the id in the stored record. Positions grow, so a
 * chain that leads into a slot written anew is recognised by a position that does not fall, and
 * nothing has to be taken out of chains. The ring grows while what it would overwrite is still
 * within the window, up to its bound; beyond it the oldest ids are forgotten early.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { placementHash } from "../base/hash.ts";

const slotsFirst = 1024;
const noSlot = -1;

/** The ids of one shard, newest last. */
export class RecentIds {
  readonly #countMax: number;
  #hashes = new Uint32Array(slotsFirst);
  #positions = new Float64Array(slotsFirst);
  #storedMs = new Float64Array(slotsFirst);
  #older = new Int32Array(slotsFirst);
  /** Twice as many as slots, a power of two, so that chains stay short. */
  #heads = new Int32Array(slotsFirst * 2).fill(noSlot);
  #next = 0;
  #count = 0;
  #lastPosition = 0;
  #completeFromMs: number;

  /**
   * Knows every id stored at `completeFromMs` or later: those that were noted before it are gone.
   */
  constructor(countMax: number, completeFromMs: number) {
    assert(countMax >= slotsFirst, "a ring begins with its first slots");
    this.#countMax = countMax;
    this.#completeFromMs = completeFromMs;
  }

  /** Ids in memory. */
  get size(): number {
    return this.#count;
  }

  /** No id that was stored at this time or later is missing. */
  get completeFromMs(): number {
    return this.#completeFromMs;
  }

  /** Notes an id. Positions grow. Ids older than `windowMs` make room without being missed. */
  add(id: string, position: number, storedMs: number, windowMs: number): void {
    assert(position > this.#lastPosition, "ids are noted in the order of the log");
    this.#lastPosition = position;
    if (this.#count === this.#hashes.length) this.#makeRoom(storedMs - windowMs);
    const hash = placementHash(id);
    this.#write(hash, position, storedMs);
  }

  /** The newest message that may have this id and passes `isIt`; `undefined` without one. */
  find(id: string, isIt: (position: number) => boolean): number | undefined {
    const hash = placementHash(id);
    let before = Infinity;
    let slot = this.#heads[hash & (this.#heads.length - 1)] ?? noSlot;
    while (slot !== noSlot) {
      const position = this.#positions[slot] ?? 0;
      if (position >= before) return undefined;
      if (this.#hashes[slot] === hash && isIt(position)) return position;
      before = position;
      slot = this.#older[slot] ?? noSlot;
    }
    return undefined;
  }

  #write(hash: number, position: number, storedMs: number): void {
    const slot = this.#next;
    const bucket = hash & (this.#heads.length - 1);
    this.#hashes[slot] = hash;
    this.#positions[slot] = position;
    this.#storedMs[slot] = storedMs;
    // A head that was overwritten, by this slot too, has a later position: `find` ends there.
    this.#older[slot] = this.#heads[bucket] ?? noSlot;
    this.#heads[bucket] = slot;
    this.#next = (slot + 1) % this.#hashes.length;
    this.#count = Math.min(this.#count + 1, this.#hashes.length);
  }

  /** The ring is full: `#next` is its oldest slot. */
  #makeRoom(windowFromMs: number): void {
    const oldestMs = this.#storedMs[this.#next] ?? 0;
    const canGrow = this.#hashes.length < this.#countMax;
    if (oldestMs >= windowFromMs && canGrow) this.#grow();
    else this.#completeFromMs = Math.max(this.#completeFromMs, oldestMs + 1);
  }

  #grow(): void {
    const slots = this.#hashes.length;
    const hashes = this.#hashes;
    const positions = this.#positions;
    const storedMs = this.#storedMs;
    const oldest = this.#next;
    const more = Math.min(slots * 2, this.#countMax);
    this.#hashes = new Uint32Array(more);
    this.#positions = new Float64Array(more);
    this.#storedMs = new Float64Array(more);
    this.#older = new Int32Array(more);
    this.#heads = new Int32Array(this.#heads.length * 2).fill(noSlot);
    this.#next = 0;
    this.#count = 0;
    for (let step = 0; step < slots; step++) {
      const slot = (oldest + step) % slots;
      this.#write(hashes[slot] ?? 0, positions[slot] ?? 0, storedMs[slot] ?? 0);
    }
  }
}
