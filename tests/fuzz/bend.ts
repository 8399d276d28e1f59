/** How good input is made bad: one seeded injury or a few. @module */
import type { Prng } from "../../src/base/prng.ts";

/** Lengths that have broken parsers before. */
const lengths = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as const;
const noiseBytesMax = 200;

/** A copy with an injury: bits, lengths, a cut, a doubled piece, or noise in its place. */
export function bentBytes(prng: Prng, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const bent = new Uint8Array(bytes);
  if (bent.length === 0) return prng.bytes(prng.int(noiseBytesMax));
  const at = prng.int(bent.length);
  switch (prng.int(7)) {
    case 0:
      bent[at] = (bent[at] ?? 0) ^ (1 << prng.int(8));
      return bent;
    case 1:
      bent[at] = prng.int(256);
      return bent;
    case 2:
      return bent.slice(0, at);
    case 3:
      return joined(bent.subarray(0, at), prng.bytes(prng.int(20)), bent.subarray(at));
    case 4:
      return joined(bent, bent.subarray(at));
    case 5:
      if (bent.length >= 4) {
        const lengthAt = prng.int(bent.length - 3);
        new DataView(bent.buffer).setUint32(lengthAt, prng.pick(lengths));
      }
      return bent;
    default:
      return prng.bytes(prng.int(noiseBytesMax));
  }
}

const pieces = [
  ...["", "a", "0", "-1", "9007199254740993", "1e999", "null", "true", "[]", "{}", "{", "\\u0000"],
  ...['"', "'", "\0", "\u0001", "\u0002", "\n", "\r\n", "=", ".", "..", "/", "%", "%00", "%2e%2e"],
  ...["||", "*", "&&", "(", ")", "AND", "IS NULL", "BETWEEN", "é", "\ud800", "🐦", "\ufeff", " "],
  ...["__proto__", "constructor", "toString", "x".repeat(300)],
] as const;

/** Text made of words that parsers stumble over. */
export function oddText(prng: Prng, piecesMax = 8): string {
  let text = "";
  for (let left = prng.int(piecesMax); left > 0; left--) text += prng.pick(pieces);
  return text;
}

/** A copy of `text` with an odd piece put in, or a part taken out. */
export function bentText(prng: Prng, text: string): string {
  const at = prng.int(text.length + 1);
  const end = Math.min(text.length, at + prng.int(4));
  return text.slice(0, at) + (prng.chance(0.6) ? prng.pick(pieces) : "") + text.slice(end);
}

/** The pieces one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
