/**
 * A stored message as bytes: RocketMQ's own record, so that a pull copies what the log holds.
 *
 *      at  bytes  field                          at  bytes  field
 *       0  4      total size, itself included    48  8/20   born host: address, 4 bytes of port
 *       4  4      magic: version 1 or 2           +  8      stored, ms since 1970
 *       8  4      CRC-32 of the body, 31 bits     +  8/20   store host
 *      12  4      queue id                        +  4      reconsume times
 *      16  4      producer's flag                 +  8      prepared transaction offset
 *      20  8      offset in the queue             +  4 + n  body
 *      28  8      physical offset                 +  1 + n  topic (version 2: 2 + n)
 *      36  4      sysFlag                         +  2 + n  properties
 *      40  8      born, ms since 1970
 *
 * Big-endian. A host takes 20 bytes if its address is IPv6, which sysFlag says; old clients cannot
 * read that form, so whoever serves them writes an IPv4 placeholder. Version 2 is for topics that
 * one signed length byte cannot measure; it is written for no other, since some clients read
 * every record as version 1.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";
import { type ByteWriter, textOf } from "../base/bytes.ts";
import { WireError } from "./errors.ts";
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Text } from "./ip_address.ts";
import type { Host } from "./message.ts";

const magicV1 = 0xdaa320a7 | 0;
const magicV2 = 0xdaa320ab | 0;
const topicBytesMaxV1 = 127;
const sysFlagAt = 36;
const bornHostAt = 48;
/** Size with IPv4 hosts and version 1, without body, topic and properties. */
const bytesMin = 91;
const ipv6ExtraBytes = 12;
const high = 0x1_0000_0000;
/** What ends an entry of the properties. */
const propertyEnd = 0x02;
/** Their length is a signed 16-bit number. */
const propertiesBytesMax = 32_767;

/** Bits of `sysFlag` this file knows; the others belong to clients and to transactions. */
export const recordFlags = { bornHostV6: 0x10, storeHostV6: 0x20 } as const;

/** The two bits of `sysFlag` that say what a message is to a transaction. */
export const transactionFlags = { mask: 0xc, none: 0, prepared: 0x4, committed: 0x8 } as const;

/** A record taken apart. `body` is a view on whatever the record was read from. */
export type RecordFields = {
  readonly queueId: number;
  readonly flag: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  /** Its two host bits follow the hosts, whatever the caller says. */
  readonly sysFlag: number;
  readonly bornMs: number;
  readonly bornHost: Host;
  readonly storedMs: number;
  readonly storeHost: Host;
  readonly reconsumeTimes: number;
  /** 0 unless a committed transaction's message. */
  readonly preparedTransactionOffset: number;
  readonly body: Uint8Array;
  readonly topic: string;
  /** The text form of `properties.ts`. */
  readonly properties: string;
};

/** What is known only once the record has its place in the log. */
export type RecordPlace = {
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storedMs: number;
};

/** How many bytes `writeRecord` will write. */
export function recordBytes(fields: RecordFields): number {
  const topicBytes = Buffer.byteLength(fields.topic);
  return bytesMin + hostExtraBytes(fields.bornHost.ip) + hostExtraBytes(fields.storeHost.ip) +
    fields.body.length + topicBytes + (topicBytes > topicBytesMaxV1 ? 1 : 0) +
    Buffer.byteLength(fields.properties);
}

/** Appends one record. Names and properties were checked before: too long ones are a bug here. */
export function writeRecord(writer: ByteWriter, fields: RecordFields): void {
  const { bornHost, storeHost, body } = fields;
  const bornV4 = ipv4Number(bornHost.ip);
  const storeV4 = ipv4Number(storeHost.ip);
  // Three bytes a unit at most: a short topic needs no counting.
  const isV1 = fields.topic.length * 3 <= topicBytesMaxV1 ||
    Buffer.byteLength(fields.topic) <= topicBytesMaxV1;
  const start = writer.reserve(4);
  writer.i32(isV1 ? magicV1 : magicV2);
  writer.i32(crc32(body) & 0x7fffffff);
  writer.i32(fields.queueId);
  writer.i32(fields.flag);
  writer.i64(fields.queueOffset);
  writer.i64(fields.physicalOffset);
  writer.i32(sysFlagFor(fields.sysFlag, bornV4, storeV4));
  writer.i64(fields.bornMs);
  writeHost(writer, bornHost, bornV4);
  writer.i64(fields.storedMs);
  writeHost(writer, storeHost, storeV4);
  writer.i32(fields.reconsumeTimes);
  writer.i64(fields.preparedTransactionOffset);
  writer.bytes32(body);
  const topicAt = writer.reserve(isV1 ? 1 : 2);
  const topicBytes = writer.text(fields.topic);
  if (isV1) writer.setU8(topicAt, topicBytes);
  else writer.setI16(topicAt, topicBytes);
  const propertiesAt = writer.reserve(2);
  const propertiesBytes = writer.text(fields.properties);
  assert(
    topicBytes <= 32_767 && propertiesBytes <= propertiesBytesMax,
    "a record's texts fit their lengths",
  );
  writer.setI16(propertiesAt, propertiesBytes);
  writer.setI32(start, writer.length - start);
}

/**
 * Writes into a record what its place in the log decides. The body's checksum does not cover it.
 *
 * @throws {WireError} The bytes end within the fields.
 */
export function patchRecord(bytes: Uint8Array, at: number, place: RecordPlace): void {
  const storedAt = at + storedMsAt(bytes, at);
  if (storedAt + 8 > bytes.length) throw cutShort(bytes.length, storedAt, 8);
  setI64(bytes, at + 20, place.queueOffset);
  setI64(bytes, at + 28, place.physicalOffset);
  setI64(bytes, storedAt, place.storedMs);
}

/**
 * Writes into a record what it is to a transaction, and the half message's number.
 *
 * @throws {WireError} The bytes end within the fields.
 */
export function patchTransaction(
  bytes: Uint8Array,
  at: number,
  kind: "prepared" | "committed",
  preparedTransactionOffset: number,
): void {
  const bodyAt = bodyStart(bytes, at);
  if (bodyAt > bytes.length) throw cutShort(bytes.length, at, bodyAt - at);
  const flagAt = at + sysFlagAt;
  const sysFlag = i32At(bytes, flagAt) & ~transactionFlags.mask | transactionFlags[kind];
  bytes[flagAt] = sysFlag >>> 24;
  bytes[flagAt + 1] = sysFlag >>> 16;
  bytes[flagAt + 2] = sysFlag >>> 8;
  bytes[flagAt + 3] = sysFlag;
  setI64(bytes, bodyAt - 12, preparedTransactionOffset);
}

/**
 * Appends a copy of a record as one delivery shows it: tried `reconsumeTimes` times before, with
 * `added` properties, in the text form of `properties.ts`. False: they do not fit, and are left
 * out.
 *
 * @throws {WireError} `record` is no whole record.
 */
export function writeDelivery(
  writer: ByteWriter,
  record: Uint8Array,
  reconsumeTimes: number,
  added: string,
): boolean {
  const timesAt = bodyStart(record, 0) - 16;
  const lengthAt = propertiesStart(record, 0);
  const length = u16At(record, lengthAt);
  const isEnded = length === 0 || record[lengthAt + 1 + length] === propertyEnd;
  const text = isEnded ? added : String.fromCharCode(propertyEnd) + added;
  const isFitting = length + Buffer.byteLength(text) <= propertiesBytesMax;
  const start = writer.length;
  writer.put(record);
  if (isFitting) writer.text(text);
  const moreBytes = writer.length - start - record.length;
  writer.setI32(start, i32At(record, 0) + moreBytes);
  writer.setI32(start + timesAt, reconsumeTimes);
  const bytes = writer.view();
  bytes[start + lengthAt] = length + moreBytes >>> 8;
  bytes[start + lengthAt + 1] = length + moreBytes;
  return isFitting;
}

/**
 * Reads the record at `at` and checks it: sizes, magic, and the body against its checksum.
 *
 * @throws {WireError} It is not a whole, unharmed record.
 */
export function readRecord(
  bytes: Uint8Array,
  at = 0,
): RecordFields & { readonly totalSize: number; readonly bodyCrc: number } {
  const totalSize = recordSize(bytes, at);
  const afterStored = at + storedMsAt(bytes, at) + 8;
  const sysFlag = i32At(bytes, at + sysFlagAt);
  const bodyAt = bodyStart(bytes, at);
  const body = recordBody(bytes, at);
  const bodyCrc = i32At(bytes, at + 8);
  if ((crc32(body) & 0x7fffffff) !== bodyCrc) {
    throw new WireError(`Cannot read record at ${at}: its body does not match checksum ${bodyCrc}`);
  }
  return {
    totalSize,
    bodyCrc,
    queueId: i32At(bytes, at + 12),
    flag: i32At(bytes, at + 16),
    queueOffset: i64At(bytes, at + 20),
    physicalOffset: i64At(bytes, at + 28),
    sysFlag,
    bornMs: i64At(bytes, at + 40),
    bornHost: hostAt(bytes, at + bornHostAt, (sysFlag & recordFlags.bornHostV6) !== 0),
    storedMs: i64At(bytes, afterStored - 8),
    storeHost: hostAt(bytes, afterStored, (sysFlag & recordFlags.storeHostV6) !== 0),
    reconsumeTimes: i32At(bytes, bodyAt - 16),
    preparedTransactionOffset: i64At(bytes, bodyAt - 12),
    body,
    topic: recordTopic(bytes, at),
    properties: recordProperties(bytes, at),
  };
}

/**
 * The size of the record at `at`, after checking that its parts add up to it and are all there.
 * Every accessor below relies on this having been asked once, when the bytes came in.
 *
 * @throws {WireError} They do not.
 */
export function recordSize(bytes: Uint8Array, at: number): number {
  const size = i32At(bytes, at);
  if (size < bytesMin || size > bytes.length - at) {
    throw new WireError(
      `Cannot read record at ${at}: it claims ${size} bytes of the ${bytes.length - at} there are`,
    );
  }
  const magic = i32At(bytes, at + 4);
  if (magic !== magicV1 && magic !== magicV2) {
    const found = (magic >>> 0).toString(16);
    throw new WireError(`Cannot read record at ${at}: 0x${found} is not the magic of a record`);
  }
  const propertiesAt = propertiesStart(bytes, at);
  const end = propertiesAt + 2 + u16At(bytes, propertiesAt);
  if (end !== at + size) {
    throw new WireError(
      `Cannot read record at ${at}: its parts take ${end - at} bytes, its size says ${size}`,
    );
  }
  return size;
}

/** Its properties, in the text form of `properties.ts`. */
export function recordProperties(bytes: Uint8Array, at: number): string {
  const lengthAt = propertiesStart(bytes, at);
  return textAt(bytes, lengthAt + 2, u16At(bytes, lengthAt));
}

/** Its body, as it was sent: a view, not a copy. */
export function recordBody(bytes: Uint8Array, at: number): Uint8Array {
  const start = bodyStart(bytes, at);
  return bytes.subarray(start, start + i32At(bytes, start - 4));
}

/** Its topic. */
export function recordTopic(bytes: Uint8Array, at: number): string {
  const lengthAt = topicStart(bytes, at);
  return i32At(bytes, at + 4) === magicV2
    ? textAt(bytes, lengthAt + 2, u16At(bytes, lengthAt))
    : textAt(bytes, lengthAt + 1, u8At(bytes, lengthAt));
}

/** How often it was tried before, as its properties' writer counted. */
export function recordReconsumeTimes(bytes: Uint8Array, at: number): number {
  return i32At(bytes, bodyStart(bytes, at) - 16);
}

/** When the broker stored it. */
export function recordStoredMs(bytes: Uint8Array, at: number): number {
  return i64At(bytes, at + storedMsAt(bytes, at));
}

/** When the producer made it, by the producer's clock. */
export function recordBornMs(bytes: Uint8Array, at: number): number {
  return i64At(bytes, at + 40);
}

/** Its queue's number within the topic. */
export function recordQueueId(bytes: Uint8Array, at: number): number {
  return i32At(bytes, at + 12);
}

/** Its place in its queue. */
export function recordQueueOffset(bytes: Uint8Array, at: number): number {
  return i64At(bytes, at + 20);
}

/** Its shard and position in one number; see `message_id.ts`. */
export function recordPhysicalOffset(bytes: Uint8Array, at: number): number {
  return i64At(bytes, at + 28);
}

/**
 * Records back to back → one view each.
 *
 * @throws {WireError} A record is damaged, or the last one is cut short.
 */
export function splitRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = recordSize(bytes, at);
    records.push(bytes.subarray(at, at + size));
    at += size;
  }
  return records;
}

function hostExtraBytes(ip: string): number {
  return ipv4Number(ip) === -1 ? ipv6ExtraBytes : 0;
}

function sysFlagFor(sysFlag: number, bornV4: number, storeV4: number): number {
  const { bornHostV6, storeHostV6 } = recordFlags;
  const others = sysFlag & ~(bornHostV6 | storeHostV6);
  return others | (bornV4 === -1 ? bornHostV6 : 0) | (storeV4 === -1 ? storeHostV6 : 0);
}

function writeHost(writer: ByteWriter, host: Host, v4: number): void {
  if (v4 === -1) writer.put(ipv6Bytes(host.ip));
  else writer.u32(v4);
  writer.i32(host.port);
}

function hostAt(bytes: Uint8Array, at: number, isV6: boolean): Host {
  const ip = isV6 ? ipv6Text(bytes.subarray(at, at + 16)) : ipv4Text(i32At(bytes, at));
  return { ip, port: i32At(bytes, at + (isV6 ? 16 : 4)) };
}

/** Counted from the record's start, as it moves with the born host only. */
function storedMsAt(bytes: Uint8Array, at: number): number {
  const isV6 = (i32At(bytes, at + sysFlagAt) & recordFlags.bornHostV6) !== 0;
  return isV6 ? 68 : 56;
}

function bodyStart(bytes: Uint8Array, at: number): number {
  const sysFlag = i32At(bytes, at + sysFlagAt);
  return at + 88 + ((sysFlag & recordFlags.bornHostV6) === 0 ? 0 : ipv6ExtraBytes) +
    ((sysFlag & recordFlags.storeHostV6) === 0 ? 0 : ipv6ExtraBytes);
}

function topicStart(bytes: Uint8Array, at: number): number {
  const start = bodyStart(bytes, at);
  const length = i32At(bytes, start - 4);
  if (length < 0 || length > bytes.length - start) throw cutShort(bytes.length, start, length);
  return start + length;
}

function propertiesStart(bytes: Uint8Array, at: number): number {
  const start = topicStart(bytes, at);
  return i32At(bytes, at + 4) === magicV2
    ? start + 2 + u16At(bytes, start)
    : start + 1 + u8At(bytes, start);
}

function textAt(bytes: Uint8Array, at: number, count: number): string {
  if (count > bytes.length - at) throw cutShort(bytes.length, at, count);
  return textOf(bytes.subarray(at, at + count));
}

// Plain shifts instead of a DataView: making one for each record costs more than reading the few
// fields that are wanted of it.

function u8At(bytes: Uint8Array, at: number): number {
  const value = bytes[at];
  if (value === undefined) throw cutShort(bytes.length, at, 1);
  return value;
}

function u16At(bytes: Uint8Array, at: number): number {
  return u8At(bytes, at) << 8 | u8At(bytes, at + 1);
}

function i32At(bytes: Uint8Array, at: number): number {
  if (at < 0 || at + 4 > bytes.length) throw cutShort(bytes.length, at, 4);
  return bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
}

function i64At(bytes: Uint8Array, at: number): number {
  const value = i32At(bytes, at) * high + (i32At(bytes, at + 4) >>> 0);
  if (Number.isSafeInteger(value)) return value;
  throw new WireError(`Cannot read record: the number at byte ${at} is beyond 2^53`);
}

function setI64(bytes: Uint8Array, at: number, value: number): void {
  const upper = Math.floor(value / high);
  bytes[at] = upper >>> 24;
  bytes[at + 1] = upper >>> 16;
  bytes[at + 2] = upper >>> 8;
  bytes[at + 3] = upper;
  bytes[at + 4] = value >>> 24;
  bytes[at + 5] = value >>> 16;
  bytes[at + 6] = value >>> 8;
  bytes[at + 7] = value;
}

function cutShort(length: number, at: number, count: number): WireError {
  return new WireError(`Cannot read record: ${count} bytes at ${at} are past its end, ${length}`);
}
