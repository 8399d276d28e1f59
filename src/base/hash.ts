/**
 * Hashes. But for `digestOf`, their values are part of a format: changing one breaks stored data.
 *
 * @module
 */

/** Java's `String.hashCode`, as a signed 32-bit integer: what RocketMQ compares tags by. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/**
 * 53 bits by which bytes are recognised, in memory only. Whoever chooses the bytes can find two
 * that are equal: for telling what one peer said from what the same peer said before.
 */
export function digestOf(bytes: Uint8Array): number {
  let one = 0xdeadbeef ^ bytes.length;
  let two = 0x41c6ce57 ^ bytes.length;
  for (const byte of bytes) {
    one = Math.imul(one ^ byte, 0x9e3779b1);
    two = Math.imul(two ^ byte, 0x5f356495);
  }
  one = Math.imul(one ^ one >>> 16, 0x85ebca6b) ^ Math.imul(two ^ two >>> 13, 0xc2b2ae35);
  two = Math.imul(two ^ two >>> 16, 0x85ebca6b) ^ Math.imul(one ^ one >>> 13, 0xc2b2ae35);
  return (two >>> 11) * 2 ** 32 + (one >>> 0);
}

/** FNV-1a over UTF-16 units, spread once more, unsigned 32-bit: placement and key look-up. */
export function placementHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}
