/**
 * Bounds-checked reading and growing writing of big-endian bytes.
 *
 * @module
 */
import { assert } from "./assert.ts";

// A byte order mark is part of the text: dropped, a property would not come back as it went in.
const utf8Decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();
const high = 0x1_0000_0000;
const noBytes = new Uint8Array(0);
/** Up to here the runtimes' own encoder takes longer than a loop. */
const shortTextMax = 32;

/** Text → UTF-8 bytes. */
export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text);
}

/** UTF-8 bytes → text. Invalid sequences become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

/** Reads a `Uint8Array` front to back. Reading past the end is the peer's fault, not a bug. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.within(start, end);
  }

  /** Goes on with another part of the same bytes. */
  within(start: number, end: number): void {
    assert(
      start >= 0 && start <= end && end <= this.bytes.length,
      "a reader stays inside its bytes",
    );
    this.#at = start;
    this.#end = end;
  }

  /** Index of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#end - this.#at;
  }

  /** @throws {RangeError} Fewer than `count` bytes are left, or `count` is negative. */
  #take(count: number): number {
    if (count < 0 || count > this.#end - this.#at) {
      throw new RangeError(`Cannot read ${count} bytes at ${this.#at}: ${this.left} are left`);
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** A signed 64-bit integer as a number. Beyond 2^53 it loses its last bits. */
  i64(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at) * high + this.#view.getUint32(at + 4);
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  /** The next `count` bytes, a view on the source: copy what outlives it. None: of nothing. */
  slice(count: number): Uint8Array {
    // A view without bytes would keep the source alive all the same.
    if (count === 0) return noBytes;
    const at = this.#take(count);
    return this.bytes.subarray(at, at + count);
  }

  skip(count: number): void {
    this.#take(count);
  }

  text(byteCount: number): string {
    return textOf(this.slice(byteCount));
  }

  /** Text behind a 32-bit length. */
  text32(): string {
    return this.text(this.u32());
  }

  /** Bytes behind a 32-bit length, a view on the source. */
  bytes32(): Uint8Array {
    return this.slice(this.u32());
  }
}

/** Writes into a buffer that doubles when it is full. `bytesMax` bounds it. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** Bytes the buffer holds before it has to grow. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** Makes room for `count` bytes and moves past them. Returns where they begin. */
  reserve(count: number): number {
    const at = this.#at;
    const need = at + count;
    if (need > this.#bytes.length) this.#grow(need);
    this.#at = need;
    return at;
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(need, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  u8(value: number): void {
    const at = this.reserve(1);
    this.#view.setUint8(at, value);
  }

  i16(value: number): void {
    const at = this.reserve(2);
    this.#view.setInt16(at, value);
  }

  i32(value: number): void {
    const at = this.reserve(4);
    this.#view.setInt32(at, value);
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value);
  }

  /** A whole number within 2^53 as a signed 64-bit integer. */
  i64(value: number): void {
    const at = this.reserve(8);
    this.#view.setInt32(at, Math.floor(value / high));
    this.#view.setUint32(at + 4, value >>> 0);
  }

  f64(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value);
  }

  put(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Text as UTF-8, without a length. Returns how many bytes it took. */
  text(text: string): number {
    const start = this.reserve(text.length * 3);
    if (text.length <= shortTextMax && this.#putAscii(start, text)) {
      this.#at = start + text.length;
      return text.length;
    }
    const { written } = utf8Encoder.encodeInto(text, this.#bytes.subarray(start));
    this.#at = start + written;
    return written;
  }

  /** A short text, unit by unit: no call out of the language, and no view. False: not ASCII. */
  #putAscii(start: number, text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      this.#bytes[start + index] = unit;
    }
    return true;
  }

  /** Text behind a 32-bit length. */
  text32(text: string): void {
    const lengthAt = this.reserve(4);
    const written = this.text(text);
    this.#view.setUint32(lengthAt, written);
  }

  /** Bytes behind a 32-bit length. */
  bytes32(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.put(bytes);
  }

  setU8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  setI16(at: number, value: number): void {
    this.#view.setInt16(at, value);
  }

  setI32(at: number, value: number): void {
    this.#view.setInt32(at, value);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** What was written, a view: it changes with the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** What was written, as a buffer of its own. The writer starts anew, with little memory. */
  detach(): ArrayBuffer {
    const exact = this.#at === this.#bytes.length
      ? this.#bytes.buffer
      : this.#bytes.buffer.slice(0, this.#at);
    this.#begin(1024);
    return exact;
  }

  /**
   * A copy of what was written, to be transferred, and no memory but that: the writer keeps its
   * own for what comes next, unless that is more than `keepBytesMax`.
   */
  copyOut(keepBytesMax: number): ArrayBuffer {
    const copy = this.#bytes.buffer.slice(0, this.#at);
    if (this.#bytes.length > keepBytesMax) this.#begin(keepBytesMax);
    this.#at = 0;
    return copy;
  }

  #begin(capacity: number): void {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = 0;
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#at = 0;
  }
}
