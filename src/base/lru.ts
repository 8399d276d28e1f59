/** A map with a bound: what was not used for longest goes first. @module */
import { assert } from "./assert.ts";

/** Bounds of an `Lru`. Without `bytesMax` only the count matters. */
export type LruOptions<K, V> = {
  /** Entries it holds at most. */
  readonly countMax: number;
  /** Sum of `bytesOf` it holds at most. */
  readonly bytesMax?: number;
  /** What an entry weighs; asked once, when it is set. */
  readonly bytesOf?: (value: V, key: K) => number;
  /** Told of each entry that had to go to make room; not of those deleted or replaced. */
  readonly onEvict?: (key: K, value: V) => void;
};

type Entry<V> = { readonly value: V; readonly bytes: number };

/** Keeps the entries used last, within a count and, if wished, a number of bytes. */
export class Lru<K, V> {
  // A Map keeps the order of insertion; moving an entry to the end marks it as used.
  readonly #entries = new Map<K, Entry<V>>();
  readonly #options: LruOptions<K, V>;
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(options: LruOptions<K, V>) {
    assert(options.countMax >= 1, "a cache holds at least one entry");
    assert(options.bytesMax === undefined || options.bytesOf, "a bound in bytes can be measured");
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? Infinity;
  }

  /** How many entries are inside. */
  get size(): number {
    return this.#entries.size;
  }

  /** What the entries weigh together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The value of a key, which becomes the one used last. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** The value of a key; its turn to go does not change. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Whether the key is inside; its turn to go does not change. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /**
   * Adds or replaces, and makes room. False if the entry alone is over the bound in bytes: it is
   * then not kept, and neither is what the key had before.
   */
  set(key: K, value: V): boolean {
    this.delete(key);
    const bytes = this.#options.bytesOf?.(value, key) ?? 0;
    if (bytes > this.#bytesMax) return false;
    while (this.#entries.size >= this.#options.countMax || this.#bytes + bytes > this.#bytesMax) {
      this.#evictOldest();
    }
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Takes an entry out. False if it was not inside. */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    return true;
  }

  /** Forgets everything, without telling `onEvict`. */
  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** The keys, the one that would go first in front. */
  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  #evictOldest(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
      this.#options.onEvict?.(key, entry.value);
      return;
    }
  }
}
