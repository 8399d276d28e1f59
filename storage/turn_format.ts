/**
 * A turn as a row of `log`. Numbers in blobs are little-endian; `entries` holds 24 bytes a message:
 *
 *     offset  0        8           12      16      20
 *             f64      u32         u32     u32     i32
 *             offset   queue key   start   bytes   tag hash      start, bytes: within `records`
 *
 * A turn that retention rewrote holds only what is alive. Its `entries` begin with a u32 count and
 * as many u32 slots (position less first position), padded to 8 bytes, before the 24-byte entries.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { assert } from "../src/base/assert.ts";

/** Bytes of one entry. */
export const turnEntryBytes = 24;

assert(
  new Uint8Array(new Uint32Array([1]).buffer)[0] === 1,
  "blobs are written as memory has them",
);

/** A row of `log`, as SQLite hands it over. */
export type TurnRow = {
  readonly firstPosition: number;
  readonly count: number;
  readonly storedMs: number;
  readonly previous: number;
  readonly appended: number | null;
  readonly checksum: number;
  readonly entries: Uint8Array;
  readonly records: Uint8Array;
};

const headerBytes = new Uint8Array(40);
const headerView = new DataView(headerBytes.buffer);

/** The checksum of a turn: over its numbers, the previous turn's checksum, and both blobs. */
export function turnChecksum(turn: Omit<TurnRow, "checksum">): number {
  headerView.setFloat64(0, turn.firstPosition, true);
  headerView.setUint32(8, turn.count, true);
  headerView.setFloat64(12, turn.storedMs, true);
  headerView.setUint32(20, turn.previous, true);
  headerView.setUint32(24, turn.appended ?? 0, true);
  headerView.setUint32(28, turn.appended === null ? 0 : 1, true);
  headerView.setUint32(32, turn.entries.length, true);
  headerView.setUint32(36, turn.records.length, true);
  return crc32(turn.records, crc32(turn.entries, crc32(headerBytes)));
}

/** The checksum a turn was appended with: what its successor's `previous` repeats. */
export function appendedChecksum(row: Pick<TurnRow, "appended" | "checksum">): number {
  return row.appended ?? row.checksum;
}

/** The bytes of a blob at an address typed arrays accept. */
export function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
}

/** A turn's entries, read in place. An index counts the entries that are there. */
export class Turn {
  readonly firstPosition: number;
  readonly count: number;
  readonly storedMs: number;
  readonly records: Uint8Array;
  /** How many entries are there: `count`, unless the turn was rewritten. */
  readonly live: number;
  readonly #offsets: Float64Array;
  readonly #words: Uint32Array;
  readonly #slots: Uint32Array | null;

  constructor(
    place: { firstPosition: number; count: number; storedMs: number; rewritten: boolean },
    entries: Uint8Array,
    records: Uint8Array,
  ) {
    this.firstPosition = place.firstPosition;
    this.count = place.count;
    this.storedMs = place.storedMs;
    this.records = records;
    const bytes = aligned(entries);
    let start = bytes.byteOffset;
    if (place.rewritten) {
      this.live = new Uint32Array(bytes.buffer, start, 1)[0] ?? 0;
      this.#slots = new Uint32Array(bytes.buffer, start + 4, this.live);
      start += slotBytes(this.live);
    } else {
      this.live = place.count;
      this.#slots = null;
    }
    this.#offsets = new Float64Array(bytes.buffer, start, this.live * 3);
    this.#words = new Uint32Array(bytes.buffer, start, this.live * 6);
  }

  /** One past the last position. */
  get endPosition(): number {
    return this.firstPosition + this.count;
  }

  /** What the blobs weigh. */
  get bytes(): number {
    return this.#words.byteLength + this.records.length;
  }

  positionOf(index: number): number {
    return this.firstPosition + (this.#slots === null ? index : this.#slots[index] ?? 0);
  }

  queueOffset(index: number): number {
    return this.#offsets[index * 3] ?? 0;
  }

  queueKey(index: number): number {
    return this.#words[index * 6 + 2] ?? 0;
  }

  start(index: number): number {
    return this.#words[index * 6 + 3] ?? 0;
  }

  size(index: number): number {
    return this.#words[index * 6 + 4] ?? 0;
  }

  tagHash(index: number): number {
    return (this.#words[index * 6 + 5] ?? 0) | 0;
  }

  /** The record of an entry, a view. */
  record(index: number): Uint8Array {
    const start = this.start(index);
    return this.records.subarray(start, start + this.size(index));
  }

  /** The entry at a position; -1 when retention took it. */
  indexOf(position: number): number {
    const slot = position - this.firstPosition;
    const slots = this.#slots;
    if (slots === null) return slot < this.count ? slot : -1;
    let low = 0;
    let high = slots.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((slots[middle] ?? 0) < slot) low = middle + 1;
      else high = middle;
    }
    return slots[low] === slot ? low : -1;
  }
}

/** The turn in a row whose checksum was verified. */
export function turnOf(row: TurnRow): Turn {
  const place = {
    firstPosition: row.firstPosition,
    count: row.count,
    storedMs: row.storedMs,
    rewritten: row.appended !== null,
  };
  return new Turn(place, row.entries, row.records);
}

function slotBytes(live: number): number {
  return (4 + 4 * live + 7) & ~7;
}

/** The blobs of `turn` with only the entries that `isLive` accepts. */
export function rewrittenBlobs(
  turn: Turn,
  isLive: (index: number) => boolean,
): { entries: Uint8Array; records: Uint8Array } {
  const kept: number[] = [];
  let recordBytes = 0;
  for (let index = 0; index < turn.live; index++) {
    if (!isLive(index)) continue;
    kept.push(index);
    recordBytes += turn.size(index);
  }
  const entries = new EntriesBuffer(kept.length, slotBytes(kept.length));
  const slots = new Uint32Array(entries.bytes.buffer, 0, 1 + kept.length);
  slots[0] = kept.length;
  const records = new Uint8Array(recordBytes);
  let start = 0;
  for (const [at, index] of kept.entries()) {
    slots[1 + at] = turn.positionOf(index) - turn.firstPosition;
    const record = turn.record(index);
    records.set(record, start);
    const { length } = record;
    entries.put(
      at,
      turn.queueOffset(index),
      turn.queueKey(index),
      start,
      length,
      turn.tagHash(index),
    );
    start += length;
  }
  return { entries: entries.bytes, records };
}

/** Where a turn's entries are written. The commit keeps one and grows it. */
export class EntriesBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #offsets: Float64Array;
  readonly #words: Uint32Array;

  constructor(countMax: number, before = 0) {
    this.bytes = new Uint8Array(before + countMax * turnEntryBytes);
    this.#offsets = new Float64Array(this.bytes.buffer, before, countMax * 3);
    this.#words = new Uint32Array(this.bytes.buffer, before, countMax * 6);
  }

  /** How many entries fit. */
  get capacity(): number {
    return this.#offsets.length / 3;
  }

  put(index: number, offset: number, key: number, start: number, size: number, tag: number): void {
    const word = index * 6;
    this.#offsets[index * 3] = offset;
    this.#words[word + 2] = key;
    this.#words[word + 3] = start;
    this.#words[word + 4] = size;
    this.#words[word + 5] = tag;
  }
}
