/**
 * Values in ASN.1's distinguished encoding, as far as a certificate needs them:
 *
 *     tag  one byte
 *     length  one byte below 128; else 128 + how many bytes follow, and these, the largest first
 *     content
 *
 * @module
 */
import { assert } from "./assert.ts";

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** From this year on the two digits of a UTCTime would mean the century before. */
const utcTimeYearEnd = 2050;

/** Values one after the other, as one. */
export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tagged(tags.sequence, join(parts));
}

/** A set of one value: an order would have to be kept among more. */
export function derSet(only: Uint8Array): Uint8Array {
  return tagged(tags.set, only);
}

/** True or false. */
export function derBoolean(value: boolean): Uint8Array {
  return tagged(tags.boolean, Uint8Array.of(value ? 0xff : 0));
}

/** A number from 0 up, given as its bytes, the largest first. */
export function derInteger(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Uint8Array.of(0) : magnitude.subarray(first);
  // A leading one bit would make it negative.
  const isHigh = (shortest[0] ?? 0) >= 0x80;
  return tagged(tags.integer, isHigh ? join([Uint8Array.of(0), shortest]) : shortest);
}

/** Whole bytes as a string of bits. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return tagged(tags.bitString, join([Uint8Array.of(0), bytes]));
}

/** Bytes that mean something to whoever asks for them. */
export function derOctetString(bytes: Uint8Array): Uint8Array {
  return tagged(tags.octetString, bytes);
}

/** Text in UTF-8. */
export function derText(text: string): Uint8Array {
  return tagged(tags.utf8String, new TextEncoder().encode(text));
}

/** An object identifier from its dotted text: `2.5.29.17`. */
export function derObjectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  return tagged(tags.objectId, Uint8Array.from(bytes));
}

/** An instant, to the second, in the form that certificates use for its year. */
export function derTime(atMs: number): Uint8Array {
  const at = new Date(atMs);
  const digits = at.toISOString().replace(/\.\d+Z$/, "").replace(/\D/g, "");
  const isShort = at.getUTCFullYear() < utcTimeYearEnd;
  const text = new TextEncoder().encode(`${isShort ? digits.slice(2) : digits}Z`);
  return tagged(isShort ? tags.utcTime : tags.generalizedTime, text);
}

/** A value under a number of its context. `constructed`: it is made of other values. */
export function derContext(
  number: number,
  content: Uint8Array,
  { constructed }: { readonly constructed: boolean },
): Uint8Array {
  assert(number < 31, "a context number fits into the tag");
  return tagged(0x80 | (constructed ? 0x20 : 0) | number, content);
}

function tagged(tag: number, content: Uint8Array): Uint8Array {
  return join([Uint8Array.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Seven bits a byte, the largest first; all but the last have the high bit. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | rest % 128);
  }
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
