/**
 * The log: appends turns, finds them again by position and by time, and trusts none unchecked.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import { limits } from "../src/base/limits.ts";
import { Lru } from "../src/base/lru.ts";
import { StorageError } from "../src/model/errors.ts";
import { firstIndex } from "./queue_chunk.ts";
import { RecentTurns } from "./recent_turns.ts";
import { ReplayBound } from "./replay_bound.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";
import { appendedChecksum, type Turn, turnChecksum, turnOf, type TurnRow } from "./turn_format.ts";

/** A turn's row without its blobs. */
export type TurnHead = Omit<TurnRow, "entries" | "records">;

const headColumns = "firstPosition, count, storedMs, previous, appended, checksum";
const empty = new Uint8Array(0);

/** The turns of a shard. `path` is for messages. */
export class TurnLog {
  readonly #path: string;
  readonly #insert: SqliteStatement;
  readonly #bury: SqliteStatement;
  readonly #rowAt: SqliteStatement;
  readonly #headAt: SqliteStatement;
  readonly #replay = new ReplayBound(limits.replayBytesMax);
  readonly #bytesFrom: SqliteStatement;
  readonly #rowAfter: SqliteStatement;
  readonly #firstMs: SqliteStatement;
  readonly #recent = new RecentTurns(limits.recentTurnsBytesMax);
  readonly #read = new Lru<number, Turn>({
    countMax: limits.readTurnsMax,
    bytesMax: limits.readTurnsBytesMax,
    bytesOf: (turn) => turn.bytes,
    onEvict: (firstPosition) => this.#forgetRead(firstPosition),
  });
  /** Where the turns in `#read` begin, ascending: a thousand queues in the backlog share turns. */
  readonly #readFirsts: number[] = [];
  #last: Turn | null = null;
  /** The position after the last turn. */
  nextPosition = 1;
  lastStoredMs = 0;
  /** Checksum the last turn was appended with; 0 before the first. */
  chain = 0;

  constructor(client: SqliteClient, path: string) {
    this.#path = path;
    this.#insert = client.prepare(
      `INSERT INTO log (firstPosition, count, storedMs, previous, appended, checksum, entries,
        records) VALUES (?, ?, ?, ?, NULL, ?, ?, ?)`,
    );
    this.#bury = client.prepare(
      `INSERT OR REPLACE INTO log (firstPosition, count, storedMs, previous, appended, checksum,
        entries, records) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#rowAt = client.prepare(
      "SELECT * FROM log WHERE firstPosition <= ? ORDER BY firstPosition DESC LIMIT 1",
    );
    this.#headAt = client.prepare(
      `SELECT ${headColumns} FROM log WHERE firstPosition <= ?
        ORDER BY firstPosition DESC LIMIT 1`,
    );
    this.#bytesFrom = client.prepare(
      "SELECT sum(length(entries) + length(records)) FROM log WHERE firstPosition >= ?",
    );
    this.#rowAfter = client.prepare(
      "SELECT * FROM log WHERE firstPosition >= ? ORDER BY firstPosition LIMIT 1",
    );
    this.#firstMs = client.prepare("SELECT storedMs FROM log ORDER BY firstPosition LIMIT 1");
  }

  /** Writes a turn's row inside a transaction; memory moves with `noteAppended`. */
  append(count: number, storedMs: number, entries: Uint8Array, records: Uint8Array): number {
    const row = {
      firstPosition: this.nextPosition,
      count,
      storedMs,
      previous: this.chain,
      appended: null,
      entries,
      records,
    };
    const checksum = turnChecksum(row);
    this.#insert.run(
      row.firstPosition,
      count,
      storedMs,
      row.previous,
      checksum,
      entries,
      records,
    );
    return checksum;
  }

  /** The turn was committed: it can be read from memory from now on. */
  noteAppended(
    count: number,
    storedMs: number,
    entries: Uint8Array,
    records: Uint8Array,
    checksum: number,
  ): void {
    this.#last = null;
    this.#recent.add({ firstPosition: this.nextPosition, count, storedMs }, entries, records);
    this.moveTo(this.nextPosition + count, storedMs, checksum);
    this.#replay.appended(this.nextPosition, entries.length + records.length);
  }

  /** What lies before is to be indexed, or the next recovery would read too much. */
  get replayFrom(): number {
    return this.#replay.from;
  }

  /** Continues after a turn that is in the database. */
  moveTo(nextPosition: number, storedMs: number, chain: number): void {
    assert(nextPosition >= this.nextPosition, "the log does not go back");
    this.nextPosition = nextPosition;
    this.lastStoredMs = Math.max(this.lastStoredMs, storedMs);
    this.chain = chain;
  }

  /**
   * The turn that holds a position, or held it.
   *
   * @throws {StorageError} `damaged`: the row does not match its checksum.
   */
  turnAt(position: number): Turn | null {
    if (position < 1 || position >= this.nextPosition) return null;
    const last = this.#last;
    if (last && position >= last.firstPosition && position < last.endPosition) return last;
    const turn = this.#recent.find(position) ?? this.#readTurn(position);
    if (turn) this.#last = turn;
    return turn;
  }

  #readTurn(position: number): Turn | null {
    const firsts = this.#readFirsts;
    const at = firstIndex(firsts.length, (index) => (firsts[index] ?? 0) > position);
    const cached = at > 0 ? this.#read.get(firsts[at - 1] ?? 0) : undefined;
    if (cached && position < cached.endPosition) return cached;
    const row = this.#rowAt.get(position) as TurnRow | undefined;
    if (!row || position >= row.firstPosition + row.count) return null;
    const turn = turnOf(this.verified(row));
    // Evictions shift the list, so the turn's place is looked for after them.
    if (this.#read.set(turn.firstPosition, turn)) {
      const place = firstIndex(firsts.length, (index) => (firsts[index] ?? 0) > position);
      firsts.splice(place, 0, turn.firstPosition);
    }
    return turn;
  }

  #forgetRead(firstPosition: number): void {
    const at = this.#readFirsts.indexOf(firstPosition);
    if (at >= 0) this.#readFirsts.splice(at, 1);
  }

  /** The record at a position; empty when it was trimmed or never written. */
  record(position: number): Uint8Array {
    const turn = this.turnAt(position);
    const index = turn?.indexOf(position) ?? -1;
    return turn && index >= 0 ? turn.record(index) : empty;
  }

  /** The queue of the message at a position; `null` when it was trimmed or never written. */
  queueKeyAt(position: number): number | null {
    const turn = this.turnAt(position);
    const index = turn?.indexOf(position) ?? -1;
    return turn && index >= 0 ? turn.queueKey(index) : null;
  }

  /**
   * Puts an empty turn in place of one that is damaged or gone, so that the chain is whole again.
   * `appended`: what the turn after it has as `previous`.
   */
  bury(place: { first: number; count: number; storedMs: number; appended: number }): void {
    const row = {
      firstPosition: place.first,
      count: place.count,
      storedMs: place.storedMs,
      previous: this.chain,
      appended: place.appended,
      entries: new Uint8Array(8),
      records: empty,
    };
    const checksum = turnChecksum(row);
    const { first, count, storedMs, appended } = place;
    this.#bury.run(first, count, storedMs, row.previous, appended, checksum, row.entries, empty);
    this.moveTo(first + count, storedMs, appended);
  }

  /** The row, if it is what was written. @throws {StorageError} `damaged`. */
  verified(row: TurnRow): TurnRow {
    if (turnChecksum(row) === row.checksum) return row;
    throw new StorageError("damaged", this.damageOf(row));
  }

  /** The sentence for a row that does not match its checksum. */
  damageOf(row: TurnRow): string {
    const to = row.firstPosition + row.count - 1;
    return `Cannot read ${this.#path}: the turn of positions ${row.firstPosition} to ${to} ` +
      "does not match its checksum";
  }

  /** Bytes of the turns that begin at a position or later: looks at each, but reads none. */
  bytesFrom(position: number): number {
    return Number(this.#bytesFrom.values(position)[0]?.[0] ?? 0);
  }

  /** The head of the last turn that begins at or before a position. */
  headAt(position: number): TurnHead | null {
    return this.#headAt.get(position) as TurnHead | undefined ?? null;
  }

  /** When the oldest turn was stored; `null`: there is none. */
  firstStoredMs(): number | null {
    const value = this.#firstMs.values()[0]?.[0];
    return value === undefined ? null : Number(value);
  }

  /** The first row that begins at or after a position, unverified. */
  rowFrom(position: number): TurnRow | null {
    return this.#rowAfter.get(position) as TurnRow | undefined ?? null;
  }

  /** The checksum chain at a position that must be the last of its turn; `null` when it is not. */
  chainAt(position: number): number | null {
    const head = this.headAt(position);
    if (!head || head.firstPosition + head.count !== position + 1) return null;
    return appendedChecksum(head);
  }

  /** First position stored at or after `ms`. */
  positionAtTime(ms: number): number {
    if (ms > this.lastStoredMs) return this.nextPosition;
    const found = firstIndex(this.nextPosition, (position) => {
      const head = this.headAt(position);
      return head !== null && head.storedMs >= ms;
    });
    return Math.max(1, found);
  }

  /** Retention changed or deleted this turn's row. */
  forget(firstPosition: number): void {
    this.#last = null;
    this.#read.delete(firstPosition);
    this.#forgetRead(firstPosition);
  }
}
