/**
 * The frames of a load: a RocketMQ V2 send that is built once and patched per request, and a reader
 * that takes the two fields it needs out of an answer.
 *
 *     total 4 | kind and header length 4 | header JSON | body
 *
 * The header's opaque and the message's unique key have a fixed width, so that patching is writing
 * digits into the same places.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Opaques have ten digits, from here up to 2^31: the width never changes. */
const opaqueFirst = 1_000_000_000;
const opaqueCount = 1_000_000_000;
const opaqueDigits = 10;
const sendMessageV2 = 310;
const clientVersion = 479;
const keyCounterDigits = 8;

/** What the sends of a load have in common. */
export type SendFrameSpec = {
  readonly topic: string;
  readonly queueId: number;
  readonly body: Uint8Array;
  readonly bornMs: number;
  /** 24 hex digits in front of the counter: what tells this load's messages from others. */
  readonly keyPrefix: string;
};

/** One frame, and where its changing digits are. */
export class SendFrame {
  readonly #bytes: Buffer;
  readonly #opaqueAt: number;
  readonly #keyAt: number;

  constructor(spec: SendFrameSpec) {
    const key = spec.keyPrefix + "0".repeat(keyCounterDigits);
    const header = headerText(spec, key);
    this.#bytes = frameOf(Buffer.from(header, "utf8"), spec.body);
    this.#opaqueAt = this.#bytes.indexOf(`"opaque":`) + `"opaque":`.length;
    this.#keyAt = this.#bytes.indexOf(key) + spec.keyPrefix.length;
  }

  /** Bytes of the frame. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * Writes the frame of request `number` to `target`; `serial` completes the message's unique key.
   * Returns where it ends.
   */
  writeTo(target: Buffer, at: number, number: number, serial: number): number {
    const bytes = this.#bytes;
    writeDigits(bytes, this.#opaqueAt, opaqueDigits, opaqueOf(number), 10);
    writeDigits(bytes, this.#keyAt, keyCounterDigits, serial % 2 ** 32, 16);
    target.set(bytes, at);
    return at + bytes.length;
  }
}

/** The opaque of request `number`. */
export function opaqueOf(number: number): number {
  return opaqueFirst + number % opaqueCount;
}

/** The request a valid opaque belongs to, within the last billion. */
export function numberOf(opaque: number): number {
  return opaque - opaqueFirst;
}

function headerText(spec: SendFrameSpec, key: string): string {
  return JSON.stringify({
    code: sendMessageV2,
    language: "OTHER",
    version: clientVersion,
    opaque: opaqueFirst,
    flag: 0,
    serializeTypeCurrentRPC: "JSON",
    extFields: {
      a: "curlew-bench",
      b: spec.topic,
      c: "TBW102",
      d: "4",
      e: String(spec.queueId),
      f: "0",
      g: String(spec.bornMs),
      h: "0",
      i: `UNIQ_KEY\u0001${key}\u0002WAIT\u0001true\u0002`,
      j: "0",
      k: "false",
      m: "false",
    },
  });
}

function frameOf(header: Buffer, body: Uint8Array): Buffer {
  const frame = Buffer.alloc(8 + header.length + body.length);
  frame.writeUInt32BE(4 + header.length + body.length, 0);
  frame.writeUInt32BE(header.length, 4);
  header.copy(frame, 8);
  frame.set(body, 8 + header.length);
  return frame;
}

const digitCodes = Buffer.from("0123456789ABCDEF");

function writeDigits(target: Buffer, at: number, width: number, value: number, base: number): void {
  let rest = value;
  for (let place = at + width - 1; place >= at; place--) {
    const next = Math.floor(rest / base);
    target[place] = digitCodes[rest - next * base]!;
    rest = next;
  }
}

/** Told of every answer: its opaque, its code, and for errors its header as text. */
export type AnswerListener = (opaque: number, code: number, header: string | undefined) => void;

/**
 * Takes answers out of chunks. Only whole frames are read; what is left over waits for the next
 * chunk.
 */
export class AnswerReader {
  readonly #listener: AnswerListener;
  #rest: Buffer | undefined;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** @throws {Error} An answer has no opaque or code, or a length that no answer has. */
  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= 8) {
      const total = bytes.readUInt32BE(at);
      if (total < 4 || total > frameBytesMax) throw new Error(`An answer claims ${total} bytes`);
      if (bytes.length - at < 4 + total) break;
      const headerBytes = bytes.readUInt32BE(at + 4) & 0xffffff;
      this.#read(bytes, at + 8, at + 8 + headerBytes);
      at += 4 + total;
    }
    // A copy: the memory of a chunk is its line's.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  #read(bytes: Buffer, from: number, end: number): void {
    const opaque = numberAfter(bytes, opaqueName, from, end);
    const code = numberAfter(bytes, codeName, from, end);
    if (opaque === undefined || code === undefined) {
      throw new Error(`An answer names no opaque or code: ${bytes.toString("utf8", from, end)}`);
    }
    this.#listener(opaque, code, code === 0 ? undefined : bytes.toString("utf8", from, end));
  }
}

const frameBytesMax = 16 * 1024 * 1024;
const opaqueName = Buffer.from(`"opaque":`);
const codeName = Buffer.from(`"code":`);
const [zero, nine, space] = [0x30, 0x39, 0x20];

/** The digits behind the first `name` of a header. Searched by hand: headers are short. */
function numberAfter(bytes: Buffer, name: Buffer, from: number, end: number): number | undefined {
  const first = name[0]!;
  const second = name[1]!;
  const length = name.length;
  for (let at = from; at + length < end; at++) {
    if (bytes[at] !== first || bytes[at + 1] !== second) continue;
    let same = 2;
    while (same < length && bytes[at + same] === name[same]) same++;
    if (same === length) return digitsAt(bytes, at + length, end);
  }
  return undefined;
}

function digitsAt(bytes: Buffer, from: number, end: number): number | undefined {
  let at = from;
  while (at < end && bytes[at] === space) at++;
  let value = 0;
  let digits = 0;
  for (; at < end; at++, digits++) {
    const byte = bytes[at]!;
    if (byte < zero || byte > nine) break;
    value = value * 10 + byte - zero;
  }
  return digits === 0 ? undefined : value;
}
