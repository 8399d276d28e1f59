/**
 * The port `ShardStore` on SQLite, assembled from the stores beside it. A commit goes in three
 * steps, so that memory never runs ahead of the file:
 *
 *     plan (checks, encodes) ──▶ one transaction ──▶ remember (tails, keys, recent turns, mark)
 *                                     └ failed: rolled back, memory as it was
 *
 * @module
 */
import { statSync } from "node:fs";
import type { Durability } from "../src/model/durability.ts";
import { StorageError } from "../src/model/errors.ts";
import type {
  DelayedQuery,
  DelayedRow,
  DropResult,
  HalfRow,
  HalfState,
  PlaceEvent,
  QueueEntry,
  Recovery,
  RetentionRule,
  ShardStore,
  StoreStats,
  TrimResult,
  TurnRecord,
} from "../src/ports/shard_store.ts";
import { Checkpoints } from "./checkpoints.ts";
import { storageFault } from "./faults.ts";
import type { GroupInflight, GroupOffset } from "./group_store.ts";
import type { MarkFile } from "./mark_file.ts";
import { readPragma } from "./open.ts";
import type { MarkRow, Recovered } from "./recovery.ts";
import { RecoveryMark } from "./recovery_mark.ts";
import { Retention } from "./retention.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteStatement } from "./session.ts";
import { changedRows, SideTables } from "./side_tables.ts";
import { TurnPlan } from "./turn_plan.ts";

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
  readonly #tables: SideTables;
  readonly #plan: TurnPlan;
  readonly #retention: Retention;
  readonly #checkpoints: Checkpoints;
  readonly #mark: RecoveryMark;
  readonly #addQueue: SqliteStatement;
  #refusal: string | null;
  #durability: Durability = "power-loss";
  #logBytes: number;
  /** The last write found no room. */
  #wasFull = false;

  constructor(parts: OpenedShard) {
    const { client, path } = parts;
    this.#parts = parts;
    this.recovery = parts.recovery;
    this.notices = parts.notices;
    this.#refusal = parts.refusal;
    this.#mark = new RecoveryMark(parts);
    this.#logBytes = parts.logBytes;
    this.#tables = new SideTables(client, path);
    this.#plan = new TurnPlan(parts);
    this.#retention = new Retention(parts);
    this.#checkpoints = new Checkpoints(client, path, parts.walBytesMax);
    this.#addQueue = client.prepare(
      "INSERT INTO queue (queueKey, minOffset, minBytes, checksum) VALUES (?, 0, 0, ?)",
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
    if (record.entries.length > 0 || this.#tables.grow(record)) this.#checkpoints.assertRoom();
    this.#tables.check(record);
    const entries = this.#plan.begin(record);
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

  #writeTurn(record: TurnRecord, entries: Uint8Array): number {
    const { log, index, keys } = this.#parts;
    const count = record.entries.length;
    let checksum = log.chain;
    if (count > 0) {
      checksum = log.append(count, record.storedMs, entries, record.records);
      for (const { queueKey } of this.#plan.added) {
        this.#addQueue.run(queueKey, rowChecksum([queueKey, 0, 0, null]));
      }
      index.writeDue(record.firstPosition, count, log.replayFrom);
      if (keys.due(record.firstPosition, log.replayFrom)) keys.writeAll(record.firstPosition);
      this.#mark.writeIfDue(record.firstPosition, this.#logBytes);
    }
    this.#tables.write(record);
    return checksum;
  }

  #remember(record: TurnRecord, entries: Uint8Array, checksum: number): void {
    const { log, index, keys, markFile } = this.#parts;
    this.#tables.settle();
    const count = record.entries.length;
    this.#checkpoints.wrote(entries.length + record.records.length, changedRows(record));
    if (count === 0) return;
    index.settle();
    keys.settle();
    for (const tail of this.#plan.added) index.tails.set(tail.queueKey, tail);
    for (let at = 0; at < count; at++) {
      const { start, bytes, tagHash } = record.entries[at]!; // `at` is below the length
      const position = record.firstPosition + at;
      index.push(this.#plan.tails[at]!, position, bytes, tagHash); // a tail an entry
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
    const mark = this.#mark.row;
    try {
      this.#guard(attempted, work);
    } catch (cause) {
      this.#mark.restore(mark);
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

  queueKeyAt(position: number): number | null {
    return this.#parts.log.queueKeyAt(position);
  }

  offsetAtTime(queueKey: number, ms: number): number {
    const { log, index } = this.#parts;
    const tail = index.tails.get(queueKey);
    return tail ? index.offsetAtPosition(tail, log.positionAtTime(ms)) : 0;
  }

  positionAtTime(ms: number): number {
    return this.#parts.log.positionAtTime(ms);
  }

  firstStoredMs(): number | null {
    let ms: number | null = null;
    this.#guard("find the oldest turn", () => ms = this.#parts.log.firstStoredMs());
    return ms;
  }

  findByKey(key: string, countMax: number, beforePosition?: number, fromPosition = 0): number[] {
    const { keys, log } = this.#parts;
    return keys.find(key, countMax, beforePosition ?? log.nextPosition, fromPosition);
  }

  loadOffsets(): GroupOffset[] {
    return this.#tables.groups.offsets();
  }

  loadInflight(): GroupInflight[] {
    return this.#tables.groups.inflight();
  }

  delayedDue(untilMs: number, countMax: number): DelayedRow[] {
    return this.#tables.delays.due(untilMs, countMax);
  }

  nextDelayedDueMs(): number | null {
    return this.#tables.delays.nextDueMs();
  }

  lastDelayedId(): number {
    return this.#tables.delays.lastId();
  }

  delayedById(queueKeys: readonly number[], messageId: string): DelayedRow | null {
    return this.#tables.delays.byId(queueKeys, messageId);
  }

  delayedByKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null {
    return this.#tables.delays.byKey(queueKeys, timerKey);
  }

  delayedList(query: DelayedQuery): DelayedRow[] {
    return this.#tables.delays.list(query);
  }

  delayedCount(queueKeys: readonly number[]): number {
    return this.#tables.delays.count(queueKeys);
  }

  half(id: number): HalfRow | null {
    return this.#tables.halves.row(id);
  }

  halvesDue(untilMs: number, countMax: number): HalfRow[] {
    return this.#tables.halves.due(untilMs, countMax);
  }

  nextHalfCheckMs(): number | null {
    return this.#tables.halves.nextCheckMs();
  }

  halvesIn(state: HalfState, afterId: number, countMax: number): HalfRow[] {
    return this.#tables.halves.inState(state, afterId, countMax);
  }

  halfCount(state: HalfState, isGone?: (queueKey: number) => boolean): number {
    return this.#tables.halves.count(state, isGone);
  }

  halfByMessageId(messageId: string): HalfRow | null {
    return this.#tables.halves.byMessageId(messageId);
  }

  lastHalfId(): number {
    return this.#tables.halves.lastId();
  }

  purgeHalves(settledBeforeMs: number, countMax: number): number {
    this.#assertWritable();
    let purged = 0;
    this.#write("forget verdicts", () => {
      purged = this.#parts.client.inTransaction("immediate", () => {
        this.#tables.begin();
        return this.#tables.halves.purge(settledBeforeMs, countMax);
      });
      this.#tables.settle();
    });
    this.#checkpoints.wrote(0, purged);
    return purged;
  }

  events(groupKey: number, queueKey: number, countMax: number): PlaceEvent[] {
    return this.#tables.events.newest(groupKey, queueKey, countMax);
  }

  lastEventId(): number {
    return this.#tables.events.lastId();
  }

  queueKeys(): number[] {
    const keys = this.#tables.queueKeys();
    for (const queueKey of this.#parts.index.tails.keys()) keys.add(queueKey);
    return [...keys];
  }

  dropQueues(queueKeys: readonly number[], rowsMax: number): DropResult {
    this.#assertWritable();
    const { client, index, log, dropped } = this.#parts;
    let step: DropResult = { rows: 0, more: false };
    this.#write(`drop ${queueKeys.length} queues`, () => {
      this.#setDurability("process-crash");
      client.inTransaction("immediate", () => {
        this.#tables.begin();
        step = this.#tables.dropWaiting(queueKeys, rowsMax);
        if (step.more) return;
        for (let at = 0; at < queueKeys.length; at += queuesPerStatement) {
          const some = queueKeys.slice(at, at + queuesPerStatement);
          this.#retention.noteDropped(some, log.nextPosition);
          this.#tables.dropQueues(some);
        }
      });
      this.#tables.settle();
    });
    this.#checkpoints.dropped(step.rows);
    if (step.more) return step;
    this.#tables.delays.forget(queueKeys);
    for (const queueKey of queueKeys) {
      const tail = index.tails.get(queueKey);
      if (!tail) continue;
      index.drop(tail);
      dropped.set(queueKey, log.nextPosition);
    }
    return step;
  }

  dropGroup(groupKey: number): void {
    this.#assertWritable();
    this.#write(`drop group ${groupKey}`, () => {
      this.#parts.client.inTransaction("immediate", () => this.#tables.dropGroup(groupKey));
    });
  }

  checkpoint(): number {
    this.#assertWritable();
    const { dropShare } = this.#checkpoints;
    this.#guard("checkpoint", () => this.#checkpoints.run());
    return dropShare;
  }

  checkpointDue(): boolean {
    return this.#checkpoints.due();
  }

  checkpointOverdue(): boolean {
    return this.#checkpoints.overdue();
  }

  trim(
    rules: readonly RetentionRule[],
    floors: (queueKey: number) => number | null,
    nowMs: number,
  ): TrimResult {
    this.#assertWritable();
    const { client, log, index, keys } = this.#parts;
    const advance = this.#retention.blocked && (this.#wasFull || this.#mark.isFarBehind);
    let result: TrimResult = { deletedMessages: 0, more: false };
    this.#write("trim", () => {
      const step = client.inTransaction("immediate", () => {
        const step = this.#retention.step(
          rules,
          floors,
          nowMs,
          this.#mark.row,
          this.#logBytes,
          advance,
        );
        if (advance) {
          // After the deletions, whose pages this may need on a full disk.
          index.writeRest();
          keys.writeAll(log.nextPosition);
        }
        const { freedLogBytes } = step;
        if (advance || freedLogBytes > 0) this.#mark.write(this.#logBytes - freedLogBytes, advance);
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
      delayed: this.#tables.delays.rows,
      checkpoints: this.#checkpoints.count,
    };
  }

  reusableBytes(): number {
    let bytes = 0;
    this.#guard("count free pages", () => {
      bytes = Number(this.pragma("freelist_count")) * Number(this.pragma("page_size"));
    });
    return bytes;
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
      client.inTransaction("immediate", () => this.#mark.write(this.#logBytes, false));
      this.#checkpoints.truncate();
    });
  }
}
