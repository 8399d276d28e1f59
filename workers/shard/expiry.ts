/**
 * Messages whose time to live is over: passed over wherever messages are read, and counted. A
 * message says its own time in its properties; its topic may set one for all that do not.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties, recordStoredMs } from "../../src/model/record.ts";

const ownTime = Buffer.from(propertyNames.timeToLiveMs);

/** Whether the message was to be consumed by now. `ttlMs`: what its topic says; `null`: nothing. */
export function isExpired(record: Uint8Array, ttlMs: number | null, nowMs: number): boolean {
  const own = readProperty(recordProperties(record, 0), propertyNames.timeToLiveMs);
  const livesMs = own === undefined ? ttlMs : Number(own);
  return livesMs !== null && recordStoredMs(record, 0) + livesMs <= nowMs;
}

/**
 * Whether one of the records, back to back, may have a time of its own. One search of the engine
 * over all bytes: it says yes too often, never no, and most queues have no such message.
 */
export function mayExpire(records: Uint8Array): boolean {
  const { buffer, byteOffset, byteLength } = records;
  return Buffer.from(buffer, byteOffset, byteLength).includes(ownTime);
}
