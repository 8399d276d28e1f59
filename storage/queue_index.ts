/**
 * Which positions the entries of each queue have. Old entries are chunks in `queue_index`, new ones
 * wait in memory until they fill a chunk:
 *
 *     push ──▶ tail in memory ──256 entries, or too old──▶ a row of `queue_index` ──▶ trimmed
 *
 * Tails with entries form a list in the order of their first positions. Its head says from where
 * the log must be indexed again after a crash; tails that hold it back too long are flushed half
 * full.
 *
 * `writeDue` runs inside a turn's transaction and leaves memory alone; `settle` follows the commit.
 *
 * @module
 */
import { Lru } from "../src/base/lru.ts";
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";
import type { QueueEntry } from "../src/ports/shard_store.ts";
import { chunkChecksum, chunkEntries, type ChunkRow, QueueChunk } from "./queue_chunk.ts";
import { QueueTail } from "./queue_tail.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

/** Tails flushed before they are full, a turn, while there is no hurry. */
const staleFlushesPerTurn = 16;

type Flush = { readonly tail: QueueTail; readonly count: number; readonly stale: boolean };

/** The index of every queue of a shard. */
export class QueueIndex {
  /** Bounded by `limits.queuesMax`: the coordinator creates no more. */
  readonly tails = new Map<number, QueueTail>();
  readonly #path: string;
  readonly #replayMessagesMax: number;
  readonly #chunks = new Lru<number, QueueChunk>({ countMax: limits.queueChunksCachedMax });
  readonly #insert: SqliteStatement;
  readonly #at: SqliteStatement;
  readonly #after: SqliteStatement;
  #oldest: QueueTail | null = null;
  #newest: QueueTail | null = null;
  /** Tails that hold a full chunk or more. */
  #full: QueueTail[] = [];
  #flushing: Flush[] = [];

  constructor(client: SqliteClient, path: string, replayMessagesMax: number) {
    this.#path = path;
    this.#replayMessagesMax = replayMessagesMax;
    this.#insert = client.prepare(
      `INSERT INTO queue_index (queueKey, firstOffset, count, basePosition, bytesBefore,
        checksum, entries) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#at = client.prepare(
      `SELECT * FROM queue_index WHERE queueKey = ? AND firstOffset <= ?
        ORDER BY firstOffset DESC LIMIT 1`,
    );
    this.#after = client.prepare(
      `SELECT * FROM queue_index WHERE queueKey = ? AND firstOffset > ?
        ORDER BY firstOffset LIMIT 1`,
    );
  }

  /** Positions below are all in `queue_index`; `nextPosition` when nothing waits in memory. */
  flushedTo(nextPosition: number): number {
    return this.#oldest?.firstPosition ?? nextPosition;
  }

  push(tail: QueueTail, position: number, bytes: number, tagHash: number): void {
    tail.push(position, bytes, tagHash);
    if (tail.count === 1) this.#link(tail);
    if (tail.count === chunkEntries) this.#full.push(tail);
  }

  /** A damaged turn was left out: a hole, then the queue goes on. In a transaction, at recovery. */
  skipTo(tail: QueueTail, offset: number, position: number): void {
    if (tail.count > 0) this.#writeAll(tail, true);
    this.settle();
    const row = {
      queueKey: tail.queueKey,
      firstOffset: tail.nextOffset,
      count: offset - tail.nextOffset,
      basePosition: position,
      bytesBefore: tail.endBytes,
      entries: new Uint8Array(0),
    };
    this.#insertRow({ ...row, checksum: chunkChecksum(row) });
    tail.nextOffset = offset;
    tail.firstOffset = offset;
  }

  /**
   * Writes full chunks, and those that would make the next recovery too long: for the number of
   * its messages, or because they begin before `replayFrom`.
   */
  writeDue(nextPosition: number, turnMessages: number, replayFrom: number): void {
    for (const tail of this.#full) {
      const count = tail.count - tail.count % chunkEntries;
      for (let at = 0; at < count; at += chunkEntries) this.#write(tail, at, chunkEntries);
      this.#flushing.push({ tail, count, stale: false });
    }
    const hurryBelow = nextPosition - this.#replayMessagesMax;
    const soonBelow = hurryBelow + Math.ceil(this.#replayMessagesMax / 10);
    const staleBelow = Math.max(soonBelow, replayFrom);
    let left = Math.max(staleFlushesPerTurn, turnMessages);
    for (let tail = this.#oldest; tail !== null; tail = tail.newer) {
      const first = tail.firstPosition;
      if (first >= staleBelow || (left <= 0 && first >= hurryBelow)) break;
      if (tail.count >= chunkEntries) continue;
      this.#writeAll(tail, true);
      left--;
    }
  }

  /** Writes everything, at close. */
  writeRest(): void {
    for (let tail = this.#oldest; tail !== null; tail = tail.newer) this.#writeAll(tail, true);
  }

  #writeAll(tail: QueueTail, stale: boolean): void {
    for (let at = 0; at < tail.count; at += chunkEntries) {
      this.#write(tail, at, Math.min(chunkEntries, tail.count - at));
    }
    this.#flushing.push({ tail, count: tail.count, stale });
  }

  #write(tail: QueueTail, index: number, count: number): void {
    this.#insertRow(tail.row(index, count));
  }

  #insertRow(row: Omit<ChunkRow, "id">): void {
    this.#insert.run(
      row.queueKey,
      row.firstOffset,
      row.count,
      row.basePosition,
      row.bytesBefore,
      row.checksum,
      row.entries,
    );
  }

  /** The transaction was committed: what was written leaves memory. */
  settle(): void {
    if (this.#flushing.length === 0) return;
    for (const { tail, count, stale } of this.#flushing) {
      this.#unlink(tail);
      tail.forget(count, stale);
      if (tail.count > 0) this.#link(tail);
    }
    this.#flushing = [];
    this.#full = [];
  }

  /** The transaction was rolled back. */
  abandon(): void {
    this.#flushing = [];
  }

  /** Forgets a queue's tail. Its rows are deleted by retention. */
  drop(tail: QueueTail): void {
    if (tail.count > 0) this.#unlink(tail);
    this.#full = this.#full.filter((full) => full !== tail);
    this.tails.delete(tail.queueKey);
    this.#chunks.delete(tail.queueKey);
  }

  /** Rows of the queue were deleted. */
  forgetChunk(queueKey: number): void {
    this.#chunks.delete(queueKey);
  }

  // What a flush leaves behind is of the last turns, so its place is found near the end.
  #link(tail: QueueTail): void {
    const first = tail.firstPosition;
    let older = this.#newest;
    while (older !== null && older.firstPosition > first) older = older.older;
    const newer = older === null ? this.#oldest : older.newer;
    tail.older = older;
    tail.newer = newer;
    if (older === null) this.#oldest = tail;
    else older.newer = tail;
    if (newer === null) this.#newest = tail;
    else newer.older = tail;
  }

  #unlink(tail: QueueTail): void {
    const { older, newer } = tail;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    tail.older = null;
    tail.newer = null;
  }

  /**
   * Up to `countMax` entries from `fromOffset` on.
   *
   * @throws {StorageError} `damaged`: a chunk is not what was written, or is not there.
   */
  entries(tail: QueueTail, fromOffset: number, countMax: number): QueueEntry[] {
    const found: QueueEntry[] = [];
    let offset = Math.max(fromOffset, tail.minOffset);
    while (found.length < countMax && offset < tail.nextOffset) {
      if (tail.count > 0 && offset >= tail.firstOffset) {
        const end = Math.min(tail.count, offset - tail.firstOffset + countMax - found.length);
        for (let at = offset - tail.firstOffset; at < end; at++) found.push(tail.entry(at));
        break;
      }
      const chunk = this.chunkFrom(tail.queueKey, offset);
      if (chunk === null || chunk.firstOffset > offset) {
        const place = `queue ${tail.queueKey} at offset ${offset}`;
        const message = `Cannot read the index in ${this.#path}: ${place} is not there`;
        throw new StorageError("damaged", message);
      }
      if (chunk.isHole) {
        offset = chunk.endOffset;
        continue;
      }
      const start = offset - chunk.firstOffset;
      const end = Math.min(chunk.count, start + countMax - found.length);
      for (let at = start; at < end; at++) found.push(chunk.entry(at));
      offset = chunk.firstOffset + end;
    }
    return found;
  }

  /** The flushed chunk that holds an offset, or the next one after it. */
  chunkFrom(queueKey: number, offset: number): QueueChunk | null {
    const cached = this.#chunks.get(queueKey);
    if (cached && offset >= cached.firstOffset && offset < cached.endOffset) return cached;
    const at = this.#at.get(queueKey, offset) as ChunkRow | undefined;
    const row = at && offset < at.firstOffset + at.count
      ? at
      : this.#after.get(queueKey, offset) as ChunkRow | undefined;
    if (!row) return null;
    const chunk = new QueueChunk(row, this.#path);
    this.#chunks.set(queueKey, chunk);
    return chunk;
  }

  /** The newest flushed chunk of a queue. */
  lastChunk(queueKey: number): QueueChunk | null {
    const row = this.#at.get(queueKey, Number.MAX_SAFE_INTEGER) as ChunkRow | undefined;
    return row ? new QueueChunk(row, this.#path) : null;
  }

  /** The smallest readable offset of an entry at or after `position`; `nextOffset` without one. */
  offsetAtPosition(tail: QueueTail, position: number): number {
    let low = tail.minOffset;
    let high = tail.nextOffset;
    if (tail.count > 0) {
      const index = tail.indexAtPosition(position);
      if (index > 0) return Math.max(low, tail.firstOffset + index);
      high = tail.firstOffset;
    }
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const chunk = this.chunkFrom(tail.queueKey, middle);
      if (chunk === null || chunk.firstOffset >= high) {
        high = middle;
        continue;
      }
      const index = chunk.indexAtPosition(position);
      if (index === chunk.count) low = chunk.endOffset;
      else if (index > 0) return Math.max(low, chunk.firstOffset + index);
      else high = Math.min(middle, chunk.firstOffset);
    }
    return low;
  }

  /** Bytes of the queue's records before an offset, trimmed ones included. */
  bytesTo(tail: QueueTail, offset: number): number {
    if (offset >= tail.nextOffset) return tail.endBytes;
    if (tail.count > 0 && offset >= tail.firstOffset) {
      return tail.bytesTo(offset - tail.firstOffset);
    }
    const chunk = this.chunkFrom(tail.queueKey, offset);
    if (chunk === null) return tail.count > 0 ? tail.bytesTo(0) : tail.endBytes;
    return chunk.bytesTo(Math.max(0, offset - chunk.firstOffset));
  }
}
