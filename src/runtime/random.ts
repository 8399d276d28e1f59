/** Randomness that must not be guessed, and seeds for what may be. @module */

/** `count` bytes nobody can predict: secrets, receipts. At most 65,536 at a time. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** A random UUID (version 4). */
export function randomId(): string {
  return crypto.randomUUID();
}

/** A seed for `Prng`: jitter must differ between processes, and is no secret. */
export function randomSeed(): number {
  const [low, high] = crypto.getRandomValues(new Uint32Array(2));
  return ((high ?? 0) >>> 11) * 0x1_0000_0000 + (low ?? 0);
}
