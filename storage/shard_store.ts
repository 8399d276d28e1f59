/**
 * The port `ShardStore` on SQLite, assembled from the stores beside it. A commit goes in three steps,
 * so that memory never runs ahead of the file:
 *
 *     plan (checks, encodes) ──▶ one transaction ──▶ remember (tails, keys, recent turns, mark)
 *                                     └ failed: rolled back, memory as it was
 *
 * @module
 */
import { statSync } from "node:fs";
import { assert } from "../src/base/assert.ts";
import { limits } from "../src/base/limits.ts";
import type { Durability } from "../src/model/durability.ts";
import { StorageError } from "../src/model/errors.ts";
import type {
  DelayedRow,
  QueueEntry,
  Recovery,
  RetentionRule,
  ShardStore,
  StoreStats,
  TrimResult,
  TurnRecord,
} from "../src/ports/shard_store.ts";
import { Checkpoints } from "./checkpoints.ts";
import { DelayStore } from "./delay_store.ts";
import { storageFault } from "./faults.ts";
import { type GroupInflight, type GroupOffset, GroupStore } from "./group_store.ts";
import type { MarkFile } from "./mark_file.ts";
import { readPragma } from "./open.ts";
import { QueueTail } from "./queue_tail.ts";
import type { MarkRow, Recovered } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { rowChecksum } from "./row_checksum.ts";
import { type Drizzle, drizzleOver, type SqliteStatement } from "./session.ts";
import { EntriesBuffer, turnEntryBytes } from "./turn_format.ts";

/** How far the mark may lag, so that it is not written with every turn. */
const markLagMax = 16_384;
/** Messages behind the mark for which retention flushes the indexes early. */
const advanceMessagesMin = 16_384;
/** Queues named in one statement: below SQLite's bound on parameters. */
const queuesPerStatement = 1000;

/** What `openShardStore` has prepared. */
export type OpenedShard = Recovered & {
  readonly path: string;
  readonly mark: MarkRow;
  readonly markFile: MarkFile;
  readonly recovery: Recovery;
  /** What opening noticed that is no damage; for the log. */
  readonly notices: readonly string[];
  readonly logBytes: number;
  /** Why the store takes no writes; `null` when it does. */
  readonly refusal: string | null;
  readonly walBytesMax: number;
};

/** The store of one shard on one SQLite file. */
export class SqliteShardStore implements ShardStore {
  readonly recovery: Recovery;
  /** What opening noticed that is no damage; for the log. */
  readonly notices: readonly string[];
  readonly #parts: OpenedShard;
  readonly #groups: GroupStore;
  readonly #delays: DelayStore;
  readonly #retention: Retention;
  readonly #checkpoints: Checkpoints;
  readonly #db: Drizzle;
  readonly #addQueue: SqliteStatement;
  readonly #putMark: SqliteStatement;
  #refusal: string | null;
  #durability: Durability = "power-loss";
  #mark: MarkRow;
  #logBytes: number;
  #turn = 0;
  /** The last write found no room. */
  #wasFull = false;
  #entries = new EntriesBuffer(limits.batchMessagesMax);
  /** The tail of each entry of the turn that is being committed, and those that are new. */
  #planned: QueueTail[] = [];
  #added: QueueTail[] = [];

  constructor(parts: OpenedShard) {
    const { client, path } = parts;
    this.#parts = parts;
    this.#db = drizzleOver(client);
    this.recovery = parts.recovery;
    this.notices = parts.notices;
    this.#refusal = parts.refusal;
    this.#mark = parts.mark;
    this.#logBytes = parts.logBytes;
    this.#groups = new GroupStore(client, this.#db);
    this.#delays = new DelayStore(client, this.#db, path);
    this.#retention = new Retention(parts);
    this.#checkpoints = new Checkpoints(client, path, parts.walBytesMax);
    this.#addQueue = client.prepare(
      "INSERT INTO queue (queueKey, minOffset, minBytes, checksum) VALUES (?, 0, 0, ?)",
    );
    this.#putMark = client.prepare(
      `UPDATE mark SET indexFrom = ?, keysFrom = ?, logBytes = ?, logBytesTo = ?,
        checksum = ?`,
    );
  }

  nextPosition(): number {
    return this.#parts.log.nextPosition;
  }

  lastStoredMs(): number {
    return this.#parts.log.lastStoredMs;
  }

  minOffset(queueKey: number): number {
    return this.#parts.index.tails.get(queueKey)?.minOffset ?? 0;
  }

  maxOffset(queueKey: number): number {
    return this.#parts.index.tails.get(queueKey)?.nextOffset ?? 0;
  }

  commit(record: TurnRecord): void {
    this.#assertWritable();
    if (record.entries.length > 0 || record.delayedPuts.length > 0) this.#checkpoints.assertRoom();
    const entries = this.#plan(record);
    let checksum = 0;
    this.#write(`commit a turn of ${record.entries.length} messages`, () => {
      this.#setDurability(record.durability);
      this.#parts.client.inTransaction("immediate", () => {
        checksum = this.#writeTurn(record, entries);
      });
    });
    this.#wasFull = false;
    this.#remember(record, entries, checksum);
  }

  /** Checks the turn against the tails, encodes its index, and changes nothing that lasts. */
  #plan(record: TurnRecord): Uint8Array {
    const { log, index, dropped } = this.#parts;
    const { entries } = record;
    assert(record.firstPosition === log.nextPosition, "a turn begins where the log ends");
    assert(record.storedMs >= log.lastStoredMs, "stored time does not go back");
    this.#turn++;
    this.#added = [];
    this.#planned.length = 0;
    if (entries.length > this.#entries.capacity) {
      this.#entries = new EntriesBuffer(Math.ceil(entries.length * 1.5));
    }
    const added = new Map<number, QueueTail>();
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at]!; // `at` is below the length
      const { queueKey, queueOffset, start, bytes } = entry;
      let tail = index.tails.get(queueKey) ?? added.get(queueKey);
      if (tail === undefined) {
        assert(queueKey >= 0 && queueKey <= 0xffff_ffff, "a queue key fits into 32 bits");
        assert(!dropped.has(queueKey), "the key of a dropped queue is not used again");
        tail = new QueueTail(queueKey);
        added.set(queueKey, tail);
        this.#added.push(tail);
      }
      if (tail.plannedTurn !== this.#turn) {
        tail.plannedTurn = this.#turn;
        tail.planned = 0;
      }
      assert(queueOffset === tail.nextOffset + tail.planned, "queue offsets leave no gap");
      assert(start + bytes <= record.records.length, "an entry lies within the records");
      tail.planned++;
      this.#planned.push(tail);
      this.#entries.put(at, queueOffset, queueKey, start, bytes, entry.tagHash);
    }
    return this.#entries.bytes.subarray(0, entries.length * turnEntryBytes);
  }

  #writeTurn(record: TurnRecord, entries: Uint8Array): number {
    const { log, index, keys } = this.#parts;
    const count = record.entries.length;
    let checksum = log.chain;
    if (count > 0) {
      checksum = log.append(count, record.storedMs, entries, record.records);
      for (const { queueKey } of this.#added) {
        this.#addQueue.run(queueKey, rowChecksum([queueKey, 0, 0, null]));
      }
      index.writeDue(record.firstPosition, count);
      if (keys.due(record.firstPosition)) keys.writeAll(record.firstPosition);
      this.#writeMarkIfDue(record.firstPosition);
    }
    if (record.offsets.length > 0) this.#groups.writeOffsets(record.offsets);
    if (record.inflight.length > 0) this.#groups.writeInflight(record.inflight);
    if (record.delayedPuts.length > 0 || record.delayedDeletes.length > 0) {
      this.#delays.write(record.delayedPuts, record.delayedDeletes);
    }
    return checksum;
  }

  /** What earlier turns flushed counts; this turn's flushes are not in `flushedTo` yet. */
  #writeMarkIfDue(nextPosition: number): void {
    const { index, keys } = this.#parts;
    const moved = index.flushedTo(nextPosition) - this.#mark.indexFrom;
    if (moved >= markLagMax || keys.from > this.#mark.keysFrom) this.#writeMark();
  }

  #writeMark(freedLogBytes = 0, flushed = false): void {
    const { index, keys, log: { nextPosition } } = this.#parts;
    const numbers = {
      shard: this.#mark.shard,
      indexFrom: flushed ? nextPosition : index.flushedTo(nextPosition),
      keysFrom: flushed ? nextPosition : keys.from,
      logBytes: this.#logBytes - freedLogBytes,
      logBytesTo: nextPosition,
    };
    const { shard, indexFrom, keysFrom, logBytes, logBytesTo } = numbers;
    const checksum = rowChecksum([shard, indexFrom, keysFrom, logBytes, logBytesTo]);
    this.#putMark.run(indexFrom, keysFrom, logBytes, logBytesTo, checksum);
    this.#mark = { ...numbers, checksum };
  }

  #remember(record: TurnRecord, entries: Uint8Array, checksum: number): void {
    const { log, index, keys, markFile } = this.#parts;
    this.#delays.settle();
    const count = record.entries.length;
    this.#checkpoints.wrote(entries.length + record.records.length);
    if (count === 0) return;
    index.settle();
    keys.settle();
    for (const tail of this.#added) index.tails.set(tail.queueKey, tail);
    for (let at = 0; at < count; at++) {
      const { start, bytes, tagHash } = record.entries[at]!; // `at` is below the length
      const position = record.firstPosition + at;
      index.push(this.#planned[at]!, position, bytes, tagHash); // planned has the same length
      keys.addRecord(record.records, start, bytes, position);
    }
    log.noteAppended(count, record.storedMs, entries, record.records, checksum);
    this.#logBytes += entries.length + record.records.length;
    const turn = { position: log.nextPosition - 1, chain: checksum };
    this.#guard("note a committed turn", () => {
      markFile.note(turn, record.durability === "power-loss", record.storedMs);
    });
  }

  #setDurability(durability: Durability): void {
    if (this.#durability === durability) return;
    // SQLite obeys this pragma when it compiles it: a kept statement would do nothing.
    const level = durability === "power-loss" ? "FULL" : "NORMAL";
    this.#parts.client.prepare(`PRAGMA synchronous = ${level}`).run();
    this.#durability = durability;
  }

  #assertWritable(): void {
    if (this.#refusal !== null) throw new StorageError("io", this.#refusal);
  }

  /** Runs a transaction; a failure leaves memory as it was. */
  #write(attempted: string, work: () => void): void {
    const mark = this.#mark;
    try {
      this.#guard(attempted, work);
    } catch (cause) {
      this.#mark = mark;
      this.#parts.index.abandon();
      this.#parts.keys.abandon();
      throw cause;
    }
  }

  /** After anything but a full disk the handle is not trusted again: see `storageFault`. */
  #guard(attempted: string, work: () => void): void {
    try {
      work();
    } catch (cause) {
      const error = storageFault(`${attempted} in ${this.#parts.path}`, cause);
      if (error.fault === "full") this.#wasFull = true;
      else {
        this.#refusal = `Cannot go on with ${this.#parts.path}: an earlier write failed, ` +
          `the file must be opened again. It said: ${error.message}`;
      }
      throw error;
    }
  }

  entries(queueKey: number, fromOffset: number, countMax: number): QueueEntry[] {
    const tail = this.#parts.index.tails.get(queueKey);
    return tail ? this.#parts.index.entries(tail, fromOffset, countMax) : [];
  }

  records(positions: readonly number[]): Uint8Array[] {
    const { log } = this.#parts;
    return positions.map((position) => log.record(position));
  }

  offsetAtTime(queueKey: number, ms: number): number {
    const { log, index } = this.#parts;
    const tail = index.tails.get(queueKey);
    return tail ? index.offsetAtPosition(tail, log.positionAtTime(ms)) : 0;
  }

  positionAtTime(ms: number): number {
    return this.#parts.log.positionAtTime(ms);
  }

  findByKey(key: string, countMax: number, beforePosition?: number): number[] {
    const { keys, log } = this.#parts;
    return keys.find(key, countMax, beforePosition ?? log.nextPosition);
  }

  loadOffsets(): GroupOffset[] {
    return this.#groups.offsets();
  }

  loadInflight(): GroupInflight[] {
    return this.#groups.inflight();
  }

  delayedDue(untilMs: number, countMax: number): DelayedRow[] {
    return this.#delays.due(untilMs, countMax);
  }

  nextDelayedDueMs(): number | null {
    return this.#delays.nextDueMs();
  }

  lastDelayedId(): number {
    return this.#delays.lastId();
  }

  delayedById(): DelayedRow | null {
    return null;
  }
  delayedByKey(): DelayedRow | null {
    return null;
  }
  delayedList(): DelayedRow[] {
    return [];
  }
  delayedCount(): number {
    return 0;
  }
  half(): null {
    return null;
  }
  halvesDue(): never[] {
    return [];
  }
  nextHalfCheckMs(): null {
    return null;
  }
  halvesIn(): never[] {
    return [];
  }
  halfCount(): number {
    return 0;
  }
  halfByMessageId(): null {
    return null;
  }
  lastHalfId(): number {
    return 0;
  }
  purgeHalves(): number {
    return 0;
  }
  events(): never[] {
    return [];
  }
  lastEventId(): number {
    return 0;
  }

  dropQueues(queueKeys: readonly number[]): void {
    this.#assertWritable();
    const { client, index, log, dropped } = this.#parts;
    this.#write(`drop ${queueKeys.length} queues`, () => {
      client.inTransaction("immediate", () => {
        for (let at = 0; at < queueKeys.length; at += queuesPerStatement) {
          const some = queueKeys.slice(at, at + queuesPerStatement);
          this.#retention.noteDropped(some, log.nextPosition);
          this.#groups.dropQueues(some);
          this.#delays.dropQueues(some);
        }
      });
    });
    for (const queueKey of queueKeys) {
      const tail = index.tails.get(queueKey);
      if (!tail) continue;
      index.drop(tail);
      dropped.set(queueKey, log.nextPosition);
    }
  }

  dropGroup(groupKey: number): void {
    this.#assertWritable();
    this.#write(`drop group ${groupKey}`, () => {
      this.#parts.client.inTransaction("immediate", () => this.#groups.dropGroup(groupKey));
    });
  }

  checkpoint(): void {
    this.#assertWritable();
    this.#guard("checkpoint", () => this.#checkpoints.run());
  }

  checkpointDue(): boolean {
    return this.#checkpoints.due();
  }

  trim(
    rules: readonly RetentionRule[],
    floors: (queueKey: number) => number | null,
    nowMs: number,
  ): TrimResult {
    this.#assertWritable();
    const { client, log, index, keys } = this.#parts;
    const advance = this.#retention.blocked &&
      (this.#wasFull || log.nextPosition - this.#mark.indexFrom >= advanceMessagesMin);
    let result: TrimResult = { deletedMessages: 0, more: false };
    this.#write("trim", () => {
      const step = client.inTransaction("immediate", () => {
        const step = this.#retention.step(
          rules,
          floors,
          nowMs,
          this.#mark,
          this.#logBytes,
          advance,
        );
        if (advance) {
          // After the deletions, whose pages this may need on a full disk.
          index.writeRest();
          keys.writeAll(log.nextPosition);
        }
        if (advance || step.freedLogBytes > 0) this.#writeMark(step.freedLogBytes, advance);
        return step;
      });
      this.#logBytes -= step.freedLogBytes;
      this.#retention.settle();
      index.settle();
      keys.settle();
      this.#checkpoints.wrote(step.writtenBytes);
      // Told only now that it is blocked: the next step may advance.
      const canAdvance = this.#retention.blocked && !advance && this.#wasFull;
      result = { deletedMessages: step.deletedMessages, more: step.more || canAdvance };
    });
    return result;
  }

  stats(): StoreStats {
    let messages = 0;
    for (const tail of this.#parts.index.tails.values()) {
      messages += tail.nextOffset - tail.minOffset;
    }
    return {
      messages,
      logBytes: this.#logBytes,
      walBytes: this.#checkpoints.walBytes(),
      delayed: this.#delays.rows,
      checkpoints: this.#checkpoints.count,
    };
  }

  /** What SQLite answers to a pragma on this connection, for checks. */
  pragma(name: string): number | string | undefined {
    return readPragma(this.#parts.client, name);
  }

  /** Bytes of the database file, the WAL excluded. */
  fileBytes(): number {
    return statSync(this.#parts.path).size;
  }

  close(): void {
    const { client, markFile } = this.#parts;
    try {
      if (this.#refusal === null) this.#flushRest();
    } finally {
      markFile.close();
      client.close();
    }
  }

  #flushRest(): void {
    const { client, index, keys, log } = this.#parts;
    this.#write("flush at close", () => {
      this.#setDurability("power-loss");
      client.inTransaction("immediate", () => {
        index.writeRest();
        if (keys.worthFlushing) keys.writeAll(log.nextPosition);
      });
      index.settle();
      keys.settle();
      client.inTransaction("immediate", () => this.#writeMark());
      this.#checkpoints.truncate();
    });
  }
}
