/**
 * A run of a queue's entries without a gap, as rows of `queue_index` keep it: 12 bytes an entry.
 *
 *     0          4       8
 *     u32        u32     i32
 *     position   bytes   tag hash        position: counted from the chunk's base position
 *
 * A chunk with a count but no entries is a hole: what stood there was damaged, and the operator
 * went on without it. All its positions are its base position, that of the first entry behind the
 * hole.
 *
 * @module
 */
import { StorageError } from "../src/model/errors.ts";
import type { QueueEntry } from "../src/ports/shard_store.ts";
import { rowChecksum } from "./row_checksum.ts";
import { aligned } from "./turn_format.ts";

/** Entries of a full chunk: two rows fit into a page of 8 KiB. */
export const chunkEntries = 256;
/** 32-bit words of one entry. */
export const chunkEntryWords = 3;

/** A row of `queue_index`, as SQLite hands it over. */
export type ChunkRow = {
  readonly id: number;
  readonly queueKey: number;
  readonly firstOffset: number;
  readonly count: number;
  readonly basePosition: number;
  readonly bytesBefore: number;
  readonly checksum: number;
  readonly entries: Uint8Array;
};

/** Over all columns but the row's id. */
export function chunkChecksum(row: Omit<ChunkRow, "id" | "checksum">): number {
  const { queueKey, firstOffset, count, basePosition, bytesBefore, entries } = row;
  return rowChecksum([queueKey, firstOffset, count, basePosition, bytesBefore], entries);
}

/** Entries of one queue, offsets without a gap, positions ascending. */
export class QueueChunk {
  readonly id: number;
  readonly firstOffset: number;
  readonly count: number;
  readonly bytesBefore: number;
  readonly isHole: boolean;
  readonly #basePosition: number;
  readonly #words: Uint32Array;

  /** @throws {StorageError} `damaged`: the row does not match its checksum. */
  constructor(row: ChunkRow, path: string) {
    const isWhole = row.entries.length === row.count * 4 * chunkEntryWords;
    const isHole = row.entries.length === 0;
    if (!(isWhole || isHole) || chunkChecksum(row) !== row.checksum) {
      const place = `queue ${row.queueKey} from offset ${row.firstOffset}`;
      throw new StorageError("damaged", `Cannot read the index in ${path}: ${place} is damaged`);
    }
    const entries = aligned(row.entries);
    this.id = row.id;
    this.firstOffset = row.firstOffset;
    this.count = row.count;
    this.bytesBefore = row.bytesBefore;
    this.#basePosition = row.basePosition;
    this.isHole = isHole;
    this.#words = new Uint32Array(entries.buffer, entries.byteOffset, entries.length / 4);
  }

  /** One past the last offset. */
  get endOffset(): number {
    return this.firstOffset + this.count;
  }

  position(index: number): number {
    return this.#basePosition + (this.#words[index * chunkEntryWords] ?? 0);
  }

  size(index: number): number {
    return this.#words[index * chunkEntryWords + 1] ?? 0;
  }

  entry(index: number): QueueEntry {
    return {
      queueOffset: this.firstOffset + index,
      position: this.position(index),
      bytes: this.size(index),
      tagHash: (this.#words[index * chunkEntryWords + 2] ?? 0) | 0,
    };
  }

  /** Bytes of the queue's records before the entry at `index`. */
  bytesTo(index: number): number {
    let bytes = this.bytesBefore;
    for (let at = 0; at < index; at++) bytes += this.size(at);
    return bytes;
  }

  /** Index of the first entry at or after a position; `count` when there is none. */
  indexAtPosition(position: number): number {
    return firstIndex(this.count, (index) => this.position(index) >= position);
  }
}

/** The first index below `count` that satisfies a test which, once true, stays true. */
export function firstIndex(count: number, test: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
