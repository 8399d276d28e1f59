/**
 * The keys a stored record can be found by: the value of UNIQ_KEY, and each word of KEYS. Read from
 * the record's bytes without making strings, since every append pays for it.
 *
 *     0      4      36       48      48+host  ...
 *     size   magic  sysFlag  host    stored ms, host, i32, i64, body (i32 + n), topic, properties
 *
 * @module
 */

const magicV1 = 0xdaa320a7;
const magicV2 = 0xdaa320ab;
const nameEnd = 1;
const valueEnd = 2;
const space = 0x20;
const uniqueKeyName = [...new TextEncoder().encode("UNIQ_KEY")];
const keysName = [...new TextEncoder().encode("KEYS")];

function u32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>> 0;
}

/** FNV-1a over bytes, spread once more: part of the format of `key_index`. */
export function keyHash(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

/** Calls `found` with the hash of each key. Bytes that are no record have none. */
export function forEachKeyHash(
  bytes: Uint8Array,
  start: number,
  size: number,
  found: (hash: number) => void,
): void {
  const end = start + size;
  let wanted = 2;
  for (let at = propertiesStart(bytes, start, end); at < end && wanted > 0; at++) {
    const nameStart = at;
    while (at < end && bytes[at] !== nameEnd) at++;
    const valueStart = at + 1;
    const isKeys = isName(bytes, nameStart, at, keysName);
    const isUnique = !isKeys && isName(bytes, nameStart, at, uniqueKeyName);
    // Values can be long; the search of the engine reads many bytes at once.
    const valueStop = bytes.indexOf(valueEnd, valueStart);
    at = valueStop === -1 || valueStop > end ? end : valueStop;
    if (!isKeys && !isUnique) continue;
    wanted--;
    if (isKeys) words(bytes, valueStart, at, found);
    else if (at > valueStart) found(keyHash(bytes, valueStart, at));
  }
}

/** Where the properties begin; `end` when this is no record of the layout above. */
function propertiesStart(bytes: Uint8Array, start: number, end: number): number {
  const magic = u32(bytes, start + 4);
  if (end - start < 91 || u32(bytes, start) !== end - start) return end;
  if (magic !== magicV1 && magic !== magicV2) return end;
  const sysFlag = u32(bytes, start + 36);
  let at = start + 48 + (sysFlag & 0x10 ? 20 : 8) + 8 + (sysFlag & 0x20 ? 20 : 8) + 4 + 8;
  at += 4 + u32(bytes, at);
  if (at >= end) return end;
  at += magic === magicV1
    ? 1 + (bytes[at] ?? 0)
    : 2 + ((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0));
  return Math.min(end, at + 2);
}

function isName(bytes: Uint8Array, start: number, end: number, name: readonly number[]): boolean {
  if (end - start !== name.length) return false;
  for (let at = 0; at < name.length; at++) if (bytes[start + at] !== name[at]) return false;
  return true;
}

function words(b: Uint8Array, start: number, end: number, found: (hash: number) => void): void {
  for (let at = start; at < end;) {
    const wordStart = at;
    while (at < end && b[at] !== space) at++;
    if (at > wordStart) found(keyHash(b, wordStart, at));
    at++;
  }
}
