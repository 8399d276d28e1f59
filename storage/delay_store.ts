/**
 * Messages that are not visible yet, by the time they are due, by message id and by timer key.
 *
 * How many wait in each queue is counted in memory: opening reads it off an index, once, and a
 * look-up goes to queues that have any. No row is held in memory.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import { StorageError } from "../src/model/errors.ts";
import type { DelayedQuery, DelayedRow, DelayKind } from "../src/ports/shard_store.ts";
import { DamagedRows } from "./damaged_rows.ts";
import { LastId } from "./last_ids.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

/** Kinds by their number in the table. */
const delayKinds: readonly DelayKind[] = ["timer", "retry"];
/** Rows of few queues are gathered and sorted; among more, the walk by due time finds them soon. */
const gatheredRowsMax = 4096;

/** A row of `delayed`, as SQLite hands it over. */
export type DelayedTableRow = {
  readonly id: number;
  readonly kind: number;
  readonly dueMs: number;
  readonly queueKey: number;
  readonly tagHash: number;
  readonly checksum: number;
  readonly messageId: string;
  readonly timerKey: string | null;
  readonly record: Uint8Array;
};

type Slim = { readonly id: number; readonly queueKey: number; readonly dueMs: number };
type Counted = { readonly queueKey: number; readonly kind: number };
type Counts = { timers: number; retries: number };

/** Over all columns of a delayed row. */
export function delayedChecksum(row: DelayedRow): number {
  const { id, dueMs, queueKey, tagHash, messageId, timerKey, record } = row;
  const kind = delayKinds.indexOf(row.kind);
  const lengths = [messageId.length, timerKey === null ? null : timerKey.length];
  const numbers = [id, kind, dueMs, queueKey, tagHash, ...lengths];
  return rowChecksum(numbers, record, messageId + (timerKey ?? ""));
}

/** @throws {StorageError} `damaged`: the row does not match its checksum. */
export function delayedRowOf(row: DelayedTableRow, path: string): DelayedRow {
  const { checksum, kind, ...rest } = row;
  const found = { ...rest, kind: delayKinds[kind] ?? "timer" };
  if (delayKinds[kind] !== undefined && delayedChecksum(found) === checksum) return found;
  const place = `the delayed message ${row.id}`;
  throw new StorageError("damaged", `Cannot read ${path}: ${place} is damaged`);
}

/** The table `delayed`. Writes happen inside the turn's transaction. */
export class DelayStore {
  readonly #path: string;
  readonly #lastId: LastId;
  readonly #put: SqliteStatement;
  readonly #counted: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #due: SqliteStatement;
  readonly #nextDue: SqliteStatement;
  readonly #row: SqliteStatement;
  readonly #byMessage: SqliteStatement;
  readonly #byKey: SqliteStatement;
  readonly #walk: SqliteStatement;
  readonly #ofQueue: SqliteStatement;
  readonly #drop: SqliteStatement;
  /** How many rows of each queue and kind there are. */
  readonly #counts = new Map<number, Counts>();
  readonly #damaged = new DamagedRows();
  #rows = 0;
  /** What the transaction changes: so many rows more, or fewer. */
  #changes: { readonly row: Counted; readonly by: number }[] = [];

  constructor(client: SqliteClient, path: string) {
    this.#path = path;
    this.#lastId = new LastId(client, "delayed");
    this.#put = client.prepare("INSERT INTO delayed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#counted = client.prepare("SELECT queueKey, kind FROM delayed WHERE id = ?");
    this.#delete = client.prepare("DELETE FROM delayed WHERE id = ?");
    this.#due = client.prepare(
      "SELECT * FROM delayed WHERE dueMs <= ? ORDER BY dueMs, id LIMIT ?",
    );
    this.#nextDue = client.prepare("SELECT id, dueMs FROM delayed ORDER BY dueMs, id LIMIT ?");
    this.#row = client.prepare("SELECT * FROM delayed WHERE id = ?");
    this.#byMessage = client.prepare(
      `SELECT * FROM delayed INDEXED BY delayed_message
        WHERE queueKey = ? AND kind IN (0, 1) AND messageId = ? ORDER BY dueMs, id LIMIT 1`,
    );
    this.#byKey = client.prepare("SELECT * FROM delayed WHERE queueKey = ? AND timerKey = ?");
    this.#walk = client.prepare(
      `SELECT id, queueKey, dueMs FROM delayed INDEXED BY delayed_due
        WHERE (dueMs, id) > (?, ?) AND dueMs <= ? AND kind = 0
          AND queueKey IN (SELECT value FROM json_each(?))
        ORDER BY dueMs, id LIMIT ?`,
    );
    this.#ofQueue = client.prepare(
      `SELECT id, queueKey, dueMs FROM delayed INDEXED BY delayed_message
        WHERE queueKey = ? AND kind = 0 AND (dueMs, id) > (?, ?) AND dueMs <= ?`,
    );
    this.#drop = client.prepare(
      `DELETE FROM delayed WHERE id IN (SELECT id FROM delayed INDEXED BY delayed_message
        WHERE queueKey = ? AND kind = ? LIMIT ?)`,
    );
    this.#loadCounts(client);
  }

  /** In the order of the index, so that a million rows are counted in a fraction of a second. */
  #loadCounts(client: SqliteClient): void {
    const rows = client.prepare(
      `SELECT queueKey, kind, count(*) AS count FROM delayed INDEXED BY delayed_message
        GROUP BY queueKey, kind`,
    ).all() as (Counted & { readonly count: number })[];
    for (const row of rows) this.#count(row, row.count);
  }

  #count({ queueKey, kind }: Counted, by: number): void {
    const counts = this.#counts.get(queueKey) ?? { timers: 0, retries: 0 };
    if (kind === 0) counts.timers += by;
    else counts.retries += by;
    this.#rows += by;
    if (counts.timers + counts.retries === 0) this.#counts.delete(queueKey);
    else this.#counts.set(queueKey, counts);
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#rows;
  }

  /** Refuses a turn that would give one id to two rows, or one timer key to two of a queue. */
  check(puts: readonly DelayedRow[], deletes: readonly number[]): void {
    if (puts.length === 0) return;
    const ids = new Set(puts.map((row) => row.id));
    assert(ids.size === puts.length, "a turn puts a delayed row once");
    const keyed = puts.filter((row) => row.timerKey !== null);
    const names = new Set(keyed.map((row) => `${row.queueKey} ${row.timerKey}`));
    assert(names.size === keyed.length, "one pending timer of a queue carries a key");
    const gone = new Set(keyed.length > 0 ? deletes : []);
    for (const { queueKey, timerKey } of keyed) {
      const holder = this.#byKey.get(queueKey, timerKey)?.["id"];
      const isFree = holder === undefined || ids.has(Number(holder)) || gone.has(Number(holder));
      assert(isFree, "one pending timer of a queue carries a key");
    }
  }

  /** A transaction begins. */
  begin(): void {
    this.#changes = [];
    this.#lastId.begin();
  }

  /** Deletes before puts, so that a turn can replace a timer by its key. */
  write(puts: readonly DelayedRow[], deletes: readonly number[]): void {
    for (const id of deletes) this.#remove(id);
    // Rows that are replaced go first: the keys they free may be given to others.
    for (const { id } of puts) if (id <= this.#lastId.id) this.#remove(id);
    for (const row of puts) {
      const { id, dueMs, queueKey, tagHash, messageId, timerKey, record } = row;
      const kind = delayKinds.indexOf(row.kind);
      const checksum = delayedChecksum(row);
      this.#put.run(id, kind, dueMs, queueKey, tagHash, checksum, messageId, timerKey, record);
      this.#changes.push({ row: { queueKey, kind }, by: 1 });
    }
    this.#lastId.write(puts);
  }

  #remove(id: number): void {
    const row = this.#counted.get(id) as Counted | undefined;
    if (row === undefined) return;
    this.#delete.run(id);
    this.#changes.push({ row, by: -1 });
  }

  /** The transaction was committed. */
  settle(): void {
    this.#lastId.settle();
    for (const { row, by } of this.#changes) this.#count(row, by);
    this.#changes = [];
  }

  /** @throws {StorageError} `damaged`: a row does not match its checksum; it is told only once. */
  due(untilMs: number, countMax: number): DelayedRow[] {
    const rows = this.#due.all(untilMs, countMax + this.#damaged.count) as DelayedTableRow[];
    return this.#damaged.good(rows, countMax, (row) => {
      const found = delayedRowOf(row, this.#path);
      if (found.dueMs <= untilMs) return found;
      // The index says otherwise than the row. Nothing is early, whoever is right.
      const place = `the index has the delayed message ${row.id} at another time than its row`;
      throw new StorageError("damaged", `Cannot read ${this.#path}: ${place}`);
    });
  }

  nextDueMs(): number | null {
    const rows = this.#nextDue.all(this.#damaged.count + 1) as Slim[];
    return rows.find(({ id }) => !this.#damaged.has(id))?.dueMs ?? null;
  }

  lastId(): number {
    return this.#lastId.id;
  }

  byId(queueKeys: readonly number[], messageId: string): DelayedRow | null {
    return this.#first(queueKeys, this.#byMessage, messageId);
  }

  byKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null {
    return this.#first(queueKeys, this.#byKey, timerKey);
  }

  /** Of several the one due first: a message may wait in two queues, as a retry of two groups. */
  #first(queueKeys: readonly number[], find: SqliteStatement, text: string): DelayedRow | null {
    let first: DelayedTableRow | null = null;
    for (const queueKey of queueKeys) {
      if (!this.#counts.has(queueKey)) continue;
      const row = find.get(queueKey, text) as DelayedTableRow | undefined;
      if (row && (first === null || isBefore(row, first))) first = row;
    }
    return first && delayedRowOf(first, this.#path);
  }

  /** Timers pending in these queues. */
  count(queueKeys: readonly number[]): number {
    let count = 0;
    for (const queueKey of queueKeys) count += this.#counts.get(queueKey)?.timers ?? 0;
    return count;
  }

  list({ queueKeys, fromMs, toMs, afterId, countMax }: DelayedQuery): DelayedRow[] {
    const wanted = queueKeys.filter((queueKey) => this.#counts.has(queueKey));
    const count = wanted.reduce((sum, key) => sum + this.#waitingIn(key), 0);
    if (count === 0) return [];
    const after = afterId ?? 0;
    const found = count > gatheredRowsMax
      ? this.#walk.all(fromMs, after, toMs, JSON.stringify(wanted), countMax)
      : wanted.flatMap((queueKey) => this.#ofQueue.all(queueKey, fromMs, after, toMs));
    const rows = (found as Slim[]).sort((one, other) => isBefore(one, other) ? -1 : 1);
    return rows.slice(0, countMax).map(({ id }) =>
      delayedRowOf(this.#row.get(id) as DelayedTableRow, this.#path)
    );
  }

  #waitingIn(queueKey: number): number {
    const counts = this.#counts.get(queueKey);
    return counts === undefined ? 0 : counts.timers + counts.retries;
  }

  /** Every queue in which something waits. */
  queueKeys(): number[] {
    return [...this.#counts.keys()];
  }

  /**
   * Inside a transaction that began with `begin`; `settle` follows the commit. Answers how many
   * rows it deleted: below `rowsMax`, nothing is left.
   */
  dropSome(queueKeys: readonly number[], rowsMax: number): number {
    let deleted = 0;
    for (const queueKey of queueKeys) {
      if (!this.#counts.has(queueKey)) continue;
      for (let kind = 0; kind < delayKinds.length && deleted < rowsMax; kind++) {
        const rows = Number(this.#drop.run(queueKey, kind, rowsMax - deleted).changes);
        if (rows > 0) this.#changes.push({ row: { queueKey, kind }, by: -rows });
        deleted += rows;
      }
    }
    return deleted;
  }

  /** The queues were dropped: nothing waits there, whatever a damaged index counted. */
  forget(queueKeys: readonly number[]): void {
    for (const queueKey of queueKeys) {
      this.#rows -= this.#waitingIn(queueKey);
      this.#counts.delete(queueKey);
    }
  }
}

function isBefore(one: Omit<Slim, "queueKey">, other: Omit<Slim, "queueKey">): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.id < other.id);
}
