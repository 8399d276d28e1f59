/**
 * The end of one queue: its numbers, and the entries that `queue_index` does not have yet.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import type { QueueEntry } from "../src/ports/shard_store.ts";
import { chunkChecksum, chunkEntryWords, type ChunkRow, firstIndex } from "./queue_chunk.ts";

/** Room a queue begins with: most of many queues stay nearly empty. */
const entriesMin = 4;

/** Invariants: `firstOffset + count = nextOffset`; `minOffset <= nextOffset`. */
export class QueueTail {
  readonly queueKey: number;
  /** The offset the next message gets. */
  nextOffset = 0;
  minOffset = 0;
  /** Bytes of the queue's records before `minOffset`, and before `nextOffset`: ever written. */
  minBytes = 0;
  endBytes = 0;
  /** Offset of the first entry here. */
  firstOffset = 0;
  /** How many entries are here. */
  count = 0;
  /** Neighbours in the order of their first positions (`queue_index.ts`). */
  older: QueueTail | null = null;
  newer: QueueTail | null = null;
  /** The turn that planned for this queue last, and how many entries it planned. */
  plannedTurn = -1;
  planned = 0;
  #basePosition = 0;
  #words = new Uint32Array(0);

  constructor(queueKey: number) {
    this.queueKey = queueKey;
  }

  /** Position of the first entry here. */
  get firstPosition(): number {
    return this.position(0);
  }

  push(position: number, bytes: number, tagHash: number): void {
    let word = this.count * chunkEntryWords;
    if (this.count === 0) {
      this.firstOffset = this.nextOffset;
      this.#basePosition = position;
      word = 0;
    }
    if (word === this.#words.length) this.#grow();
    const words = this.#words;
    words[word] = position - this.#basePosition;
    words[word + 1] = bytes;
    words[word + 2] = tagHash;
    this.count++;
    this.nextOffset++;
    this.endBytes += bytes;
  }

  #grow(): void {
    const words = new Uint32Array(Math.max(entriesMin * chunkEntryWords, this.#words.length * 2));
    words.set(this.#words);
    this.#words = words;
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
    let bytes = this.endBytes;
    for (let at = index; at < this.count; at++) bytes -= this.size(at);
    return bytes;
  }

  /** Index of the first entry here at or after a position; `count` when there is none. */
  indexAtPosition(position: number): number {
    return firstIndex(this.count, (index) => this.position(index) >= position);
  }

  /** `count` entries from `index` on as a row; the blob is a view, valid until the next push. */
  row(index: number, count: number): Omit<ChunkRow, "id"> {
    const first = index * chunkEntryWords;
    const words = this.#words.subarray(first, first + count * chunkEntryWords);
    const row = {
      queueKey: this.queueKey,
      firstOffset: this.firstOffset + index,
      count,
      basePosition: this.#basePosition,
      bytesBefore: this.bytesTo(index),
      entries: new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    };
    return { ...row, checksum: chunkChecksum(row) };
  }

  /**
   * The first `count` entries are in the database now. An emptied queue that idles gives back room.
   */
  forget(count: number, idle: boolean): void {
    assert(count <= this.count, "only what is here can be flushed");
    const moved = this.position(count) - this.#basePosition;
    const words = this.#words;
    words.copyWithin(0, count * chunkEntryWords, this.count * chunkEntryWords);
    this.count -= count;
    this.firstOffset += count;
    this.#basePosition += moved;
    for (let at = 0; at < this.count; at++) {
      words[at * chunkEntryWords] = (words[at * chunkEntryWords] ?? 0) - moved;
    }
    if (idle && this.count === 0) this.#words = new Uint32Array(0);
  }
}
