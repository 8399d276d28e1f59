/**
 * What the parts of a message may be, as predicates. The zod schema (what users read in the OpenAPI
 * document) and the reader on the hot road both stand on them.
 *
 * @module
 */
// deno-lint-ignore-file no-control-regex -- control characters are what is refused
import { Buffer } from "node:buffer";
import { limits } from "../../base/limits.ts";

/** Longest tag: it is part of expressions, which are bounded themselves. */
export const tagLengthMax = 127;
/** Longest message id a client may choose. */
export const messageIdLengthMax = 255;

/** Text that survives the way to UTF-8 and back: no lone surrogates. */
export function isText(text: string): boolean {
  return text.isWellFormed();
}

/** A tag: printable, without `|` (which joins tags in expressions) and without blanks. */
export function isTag(text: string): boolean {
  return text.length <= tagLengthMax && /^[^\s|\u0000-\u001f\u007f]+$/.test(text) && isText(text);
}

/** A key: printable, without blanks (which part keys in the stored form). */
export function isKey(text: string): boolean {
  return text.length <= limits.keyLengthMax && /^[^\s\u0000-\u001f\u007f]+$/.test(text) &&
    isText(text);
}

/** An id a client chooses: printable, without blanks. */
export function isMessageId(text: string): boolean {
  return text.length <= messageIdLengthMax && isKey(text);
}

/** What the stored form of properties can carry: not empty, without its two separators. */
export function isPropertyText(text: string): boolean {
  return text !== "" && !/[\u0001\u0002]/.test(text) && isText(text);
}

/** A time to live. */
export function isTtlMs(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= limits.retentionMsMax;
}

/** A queue's number. Whether the topic has it is for the broker to say. */
export function isQueueId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limits.queuesPerTopicMax;
}

/**
 * Base64 → bytes; `undefined` if it is not canonical: standard alphabet, padded, nothing between.
 * The decoder skips what it does not know, so a wrong character shows as missing bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || text.includes("-") || text.includes("_")) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === text.length / 4 * 3 - padding ? bytes : undefined;
}
