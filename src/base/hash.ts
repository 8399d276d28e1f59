/** Hashes whose values are part of a format: changing one breaks stored data. @module */

/** Java's `String.hashCode`, as a signed 32-bit integer: what RocketMQ compares tags by. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
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
