/**
 * Chunks of a connection ↔ frames:
 *
 *     int32  total     bytes after this field: 4 + header + body
 *     uint8  form      of the header: 0 JSON, 1 binary
 *     uint24 header    its bytes
 *     header, body
 *
 * Lengths are checked as soon as they are there, before anything is kept for them.
 *
 * @module
 */
import type { ByteWriter } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { WireError } from "../../model/errors.ts";

const prefixBytes = 8;
/** What a half-arrived frame is given at first; it doubles as bytes really come. */
const seamBytesMin = 64 * 1024;
/** Up to here, copying a body behind its header is cheaper than a second write. */
const joinedBodyBytesMax = 16 * 1024;
/** The body of most requests. As a view it would keep the chunk alive while its request waits. */
const nothing = new Uint8Array(0);

/** How a header is written: the first byte of the second word. */
export const serializers = { json: 0, binary: 1 } as const;

/** The two forms of a header. */
export type Serializer = keyof typeof serializers;

/** One frame. Header and body are views: on the chunk they came in, or on memory of their own. */
export type Frame = {
  readonly serializer: Serializer;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
};

/**
 * Cuts a connection's bytes into frames.
 *
 *     whole frames in the chunk ──▶ handed on as views
 * the rest ──▶ prefix (at most 8 bytes) ──checked──▶ seam (grows with what arrives, to one frame)
 *
 * After a `WireError` nothing that follows can be understood: every further `push` throws it again.
 */
export class FrameDecoder {
  /** Made for the first frame that comes in parts: most connections never send one. */
  #prefix: Uint8Array | undefined;
  #prefixFilled = 0;
  #seam: Uint8Array<ArrayBuffer> | undefined;
  #seamFilled = 0;
  #seamBytes = 0;
  #fault: WireError | undefined;

  /** Bytes kept for a frame that has not arrived in full. */
  get keptBytes(): number {
    return this.#prefixFilled + (this.#seam?.length ?? 0);
  }

  /**
   * Hands every frame that is now whole to `take`, in order. The chunk must not be changed
   * while a frame is in use.
   *
   * @throws {WireError} A length or form that no frame has; `take` was given the frames before it.
   */
  push(chunk: Uint8Array, take: (frame: Frame) => void): void {
    if (this.#fault !== undefined) throw this.#fault;
    let at = 0;
    if (this.#prefixFilled > 0) {
      at = this.#fill(chunk);
      const frame = this.#finished();
      if (frame === undefined) return;
      take(frame);
    }
    while (chunk.length - at >= prefixBytes) {
      const bytes = this.#frameBytes(chunk, at);
      if (bytes > chunk.length - at) break;
      const frame = frameAt(chunk, at, bytes);
      at += bytes;
      take(frame);
    }
    if (at < chunk.length) this.#fill(chunk.subarray(at));
  }

  /** Moves bytes into the prefix and then the seam. Returns how many of the chunk it used. */
  #fill(chunk: Uint8Array): number {
    const missing = Math.min(prefixBytes - this.#prefixFilled, chunk.length);
    const prefix = this.#prefix ??= new Uint8Array(prefixBytes);
    prefix.set(chunk.subarray(0, missing), this.#prefixFilled);
    this.#prefixFilled += missing;
    if (this.#prefixFilled < prefixBytes) return missing;
    if (this.#seam === undefined) {
      this.#seamBytes = this.#frameBytes(prefix, 0);
      this.#seam = new Uint8Array(Math.min(this.#seamBytes, seamBytesMin));
      this.#seam.set(prefix);
      this.#seamFilled = prefixBytes;
    }
    const count = Math.min(this.#seamBytes - this.#seamFilled, chunk.length - missing);
    this.#growSeam(this.#seam, this.#seamFilled + count);
    this.#seam.set(chunk.subarray(missing, missing + count), this.#seamFilled);
    this.#seamFilled += count;
    return missing + count;
  }

  #growSeam(seam: Uint8Array, need: number): void {
    if (need <= seam.length) return;
    const grown = new Uint8Array(Math.min(this.#seamBytes, Math.max(need, seam.length * 2)));
    grown.set(seam.subarray(0, this.#seamFilled));
    this.#seam = grown;
  }

  #finished(): Frame | undefined {
    const seam = this.#seam;
    if (seam === undefined || this.#seamFilled < this.#seamBytes) return undefined;
    this.#seam = undefined;
    this.#prefixFilled = 0;
    return frameAt(seam, 0, this.#seamBytes);
  }

  /** Size of the frame whose prefix is at `at`, length field included. */
  #frameBytes(bytes: Uint8Array, at: number): number {
    try {
      return checkedFrameBytes(bytes, at);
    } catch (fault) {
      if (fault instanceof WireError) this.#fault = fault;
      throw fault;
    }
  }
}

/**
 * One frame as pieces to write one after the other: two if the body is large, so that it is not
 * copied.
 */
export function encodeFrame(
  serializer: Serializer,
  header: Uint8Array,
  body?: Uint8Array,
): Uint8Array[] {
  const bodyBytes = body?.length ?? 0;
  const joined = bodyBytes <= joinedBodyBytesMax;
  const head = new Uint8Array(prefixBytes + header.length + (joined ? bodyBytes : 0));
  const total = 4 + header.length + bodyBytes;
  setU32(head, 0, total);
  setU32(head, 4, header.length);
  head[4] = serializers[serializer];
  head.set(header, prefixBytes);
  if (body === undefined) return [head];
  if (!joined) return [head, body];
  head.set(body, prefixBytes + header.length);
  return [head];
}

/** Begins a frame in what a connection will be sent: its header is written next. */
export function beginFrame(writer: ByteWriter): number {
  return writer.reserve(prefixBytes);
}

/**
 * Ends the head of the frame begun at `start`. The header was written in the form that `serializer`
 * names, and `bodyBytes` follow right behind.
 */
export function endFrameHead(
  writer: ByteWriter,
  start: number,
  serializer: Serializer,
  bodyBytes: number,
): void {
  const headerBytes = writer.length - start - prefixBytes;
  writer.setU32(start, 4 + headerBytes + bodyBytes);
  writer.setI32(start + 4, serializers[serializer] << 24 | headerBytes);
}

function checkedFrameBytes(bytes: Uint8Array, at: number): number {
  const total = u32At(bytes, at);
  if (total < 4 || total > limits.frameBytesMax) {
    throw new WireError(
      `Cannot read frame: a length of ${total} is not within 4 and ${limits.frameBytesMax}`,
    );
  }
  const mixed = u32At(bytes, at + 4);
  const headerBytes = mixed & 0xffffff;
  if (mixed >>> 24 > 1) {
    throw new WireError(`Cannot read frame: ${mixed >>> 24} is not a form of headers`);
  }
  if (headerBytes > total - 4 || headerBytes > limits.frameHeaderBytesMax) {
    throw new WireError(
      `Cannot read frame: a header of ${headerBytes} bytes is above the ${total - 4} that follow` +
        ` or the ${limits.frameHeaderBytesMax} allowed`,
    );
  }
  return 4 + total;
}

/** The frame of `count` bytes at `at`; its prefix was checked. */
function frameAt(bytes: Uint8Array, at: number, count: number): Frame {
  const mixed = u32At(bytes, at + 4);
  const bodyAt = at + prefixBytes + (mixed & 0xffffff);
  return {
    serializer: mixed >>> 24 === serializers.json ? "json" : "binary",
    header: bytes.subarray(at + prefixBytes, bodyAt),
    body: bodyAt === at + count ? nothing : bytes.subarray(bodyAt, at + count),
  };
}

/** The caller made sure of four bytes. */
function u32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
