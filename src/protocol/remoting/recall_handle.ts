/**
 * The handle a producer takes a timed message back by: base64url, with its padding, of
 * "v1 topic broker deliverMs uniqueKey".
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readInteger } from "./field_tables.ts";

/** What a handle says. */
export type RecallHandle = {
  readonly topic: string;
  readonly brokerName: string;
  readonly deliverMs: number;
  readonly uniqueKey: string;
};

const wordsOfV1 = 5;

/** Writes a handle. */
export function recallHandleText(handle: RecallHandle): string {
  const { topic, brokerName, deliverMs, uniqueKey } = handle;
  const text = Buffer.from(`v1 ${topic} ${brokerName} ${deliverMs} ${uniqueKey}`)
    .toString("base64url");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** Reads a handle; `undefined` if the text is none. */
export function parseRecallHandle(text: string): RecallHandle | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text)) return undefined;
  const words = Buffer.from(text, "base64url").toString().split(" ");
  const [version, topic, brokerName, deliverText, uniqueKey] = words;
  if (version !== "v1" || words.length !== wordsOfV1 || !topic || !brokerName || !uniqueKey) {
    return undefined;
  }
  const deliverMs = readInteger(deliverText ?? "");
  return Number.isSafeInteger(deliverMs) ? { topic, brokerName, deliverMs, uniqueKey } : undefined;
}
