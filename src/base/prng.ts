/**
 * Seeded random numbers (xoshiro128**): equal seeds give equal sequences on every runtime. Jitter
 * in production, everything in simulation. Never for secrets: those come from
 * `src/runtime/random.ts`.
 *
 * @module
 */
import { assert } from "./assert.ts";

/** A sequence of random numbers that its seed determines. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `seed` is a whole number; its low 53 bits count. */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), "a seed is a safe integer");
    // The generator must not start from all zeros, and near seeds must not give near sequences.
    const mix = splitMix(seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0);
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix() | 1;
  }

  /** The next unsigned 32-bit number. */
  next(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A number in [0, 1), with 53 random bits. */
  float(): number {
    return ((this.next() >>> 5) * 0x400_0000 + (this.next() >>> 6)) / 0x20_0000_0000_0000;
  }

  /** A whole number in [0, max). `max` is from 1 to 2^53. */
  int(max: number): number {
    assert(max >= 1 && max <= 2 ** 53, "a range is at least one wide");
    return Math.floor(this.float() * max);
  }

  /** A whole number in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1);
  }

  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of `items`, each equally likely. There must be at least one. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, "there is something to pick from");
    return items[this.int(items.length)] as T;
  }

  /** Puts `items` into a random order, in place, and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let end = items.length - 1; end > 0; end--) {
      const other = this.int(end + 1);
      [items[end], items[other]] = [items[other] as T, items[end] as T];
    }
    return items;
  }

  /** `count` random bytes. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 4) {
      const word = this.next();
      for (let byte = 0; byte < 4 && at + byte < count; byte++) {
        bytes[at + byte] = word >>> (8 * byte);
      }
    }
    return bytes;
  }

  /** An independent sequence, so that one part's draws do not shift another's. */
  fork(): Prng {
    return new Prng(this.next() * 0x20_0000 + (this.next() >>> 11));
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Spreads two words over as many as are asked for. */
function splitMix(low: number, high: number): () => number {
  let state = low ^ Math.imul(high, 0x85ebca6b) ^ high >>> 15;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return word ^ (word >>> 15);
  };
}
