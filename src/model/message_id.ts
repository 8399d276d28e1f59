/**
 * The three forms a message's identity takes:
 *
 * - the unique key, 32 hex digits: address (4 bytes), process (2), loader (4), ms of the month (4),
 *   counter (2). Clients make it; the broker does when none came along.
 * - the offset message id, 32 hex digits (56 with IPv6): store address, port (4), physical offset
 *   (8). Admin tools take the address out of it and connect there.
 * - the physical offset, which clients echo: `position * 256 + shard`, below 2^53 because one
 *   client keeps it in a JavaScript number. A half message has one too, though it is in no log:
 *   its number stands where no position will ever be, from `halfBase` on.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Text } from "./ip_address.ts";

const shardRange = 256;
const high = 0x1_0000_0000;
const counterRange = 0x1_0000;
const hexOfByte = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).toUpperCase().padStart(2, "0"),
);

/** What an offset message id says. */
export type OffsetMessageId = {
  readonly ip: string;
  readonly port: number;
  readonly physicalOffset: number;
};

/**
 * The id of the message at `physicalOffset`, as `ip:port` hands it out.
 *
 * @throws {BrokerError} `invalid_argument`: `ip` is no address.
 */
export function offsetMessageId(ip: string, port: number, physicalOffset: number): string {
  return offsetMessageIdAt(offsetMessageIdPrefix(ip, port), physicalOffset);
}

/** The part that all ids of one address share: make it once, complete it with each offset. */
export function offsetMessageIdPrefix(ip: string, port: number): string {
  const v4 = ipv4Number(ip);
  const host = v4 === -1
    ? Array.from(ipv6Bytes(ip), (byte) => hexOfByte[byte]).join("")
    : hex32(v4);
  return host + hex32(port);
}

/** Completes a prefix. */
export function offsetMessageIdAt(prefix: string, physicalOffset: number): string {
  return prefix + hex32(Math.floor(physicalOffset / high)) + hex32(physicalOffset);
}

/** Takes an offset message id apart; `undefined` if the text is none, or beyond 2^53. */
export function parseOffsetMessageId(text: string): OffsetMessageId | undefined {
  if ((text.length !== 32 && text.length !== 56) || !/^[0-9a-fA-F]+$/.test(text)) return undefined;
  const hostDigits = text.length - 24;
  const port = parseInt(text.slice(hostDigits, hostDigits + 8), 16);
  const physicalOffset = parseInt(text.slice(-16), 16);
  if (port > 65_535 || !Number.isSafeInteger(physicalOffset)) return undefined;
  const host = Uint8Array.from(
    { length: hostDigits / 2 },
    (_, at) => parseInt(text.slice(at * 2, at * 2 + 2), 16),
  );
  const ip = hostDigits === 8 ? ipv4Text(parseInt(text.slice(0, 8), 16)) : ipv6Text(host);
  return { ip, port, physicalOffset };
}

/** Makes unique keys in the clients' shape. */
export class UniqueKeys {
  readonly #clock: Clock;
  readonly #prefix: string;
  #counter = 0;
  #madeThisMs = 0;
  #lastMs = 0;
  #monthStartMs = 0;
  #monthEndMs = 0;

  /**
   * `seed`: ten random bytes that tell this maker from every other, in place of host and process.
   */
  constructor(clock: Clock, seed: Uint8Array) {
    assert(seed.length === 10, "a seed of ten bytes stands for address, process and loader");
    this.#clock = clock;
    this.#prefix = Array.from(seed, (byte) => hexOfByte[byte]).join("");
  }

  /** The next key. No two are equal while the month lasts, even if the clock is set back. */
  next(): string {
    const nowMs = this.#clock.wallMs();
    if (nowMs > this.#lastMs) this.#tick(nowMs);
    else if (this.#madeThisMs === counterRange) this.#tick(this.#lastMs + 1);
    const counter = this.#counter;
    this.#counter = (counter + 1) % counterRange;
    this.#madeThisMs++;
    return this.#prefix + hex32(this.#lastMs - this.#monthStartMs) + hex16(counter);
  }

  /** Begins a millisecond: of the clock, or borrowed from the next when the counter came round. */
  #tick(ms: number): void {
    this.#lastMs = ms;
    this.#madeThisMs = 0;
    if (ms < this.#monthEndMs) return;
    const date = new Date(ms);
    this.#monthStartMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    this.#monthEndMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  }
}

/** Shard and position in one number. */
export function packPhysicalOffset(shard: number, position: number): number {
  const packed = position * shardRange + shard;
  assert(shard >= 0 && shard < limits.shardsMax && Number.isInteger(shard), "a shard has a number");
  assert(position >= 0 && Number.isSafeInteger(packed), "a physical offset stays below 2^53");
  return packed;
}

/**
 * Half messages are numbered from here and positions stay below: it is the middle of the range, and
 * a shard that takes 10,000 messages a second day and night reaches it after 55 years.
 */
const halfBase = 2 ** 44;

/** What stands for a half message where clients want a physical offset, also below 2^53. */
export function packHalfOffset(shard: number, halfId: number): number {
  return packPhysicalOffset(shard, halfBase + halfId);
}

/** The reverse of `packHalfOffset`; `null` when the number is a stored message's place. */
export function unpackHalfOffset(physicalOffset: number): { shard: number; id: number } | null {
  const { shard, position } = unpackPhysicalOffset(physicalOffset);
  return position > halfBase ? { shard, id: position - halfBase } : null;
}

/** The reverse of `packPhysicalOffset`, of a number a client sent: whole and within 2^53. */
export function unpackPhysicalOffset(physicalOffset: number): { shard: number; position: number } {
  const shard = physicalOffset % shardRange;
  return { shard, position: (physicalOffset - shard) / shardRange };
}

function hex32(value: number): string {
  return hexOfByte[value >>> 24]! + hexOfByte[value >>> 16 & 255]! + hex16(value & 0xffff);
}

function hex16(value: number): string {
  return hexOfByte[value >>> 8]! + hexOfByte[value & 255]!;
}
