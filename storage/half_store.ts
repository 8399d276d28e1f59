/**
 * Messages of transactions: undecided ones with their record, decided ones with their verdict.
 *
 * How many there are of each queue in each state is counted in memory.
 *
 * @module
 */
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";
import type { DropResult, HalfRow, HalfState } from "../src/ports/shard_store.ts";
import { DamagedRows } from "./damaged_rows.ts";
import { LastId } from "./last_ids.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

/** States by their number in the table; the indexes of `half` rely on `prepared` being 0. */
const halfStates: readonly HalfState[] = ["prepared", "parked", "committed", "rolled-back"];

/** A row of `half`, as SQLite hands it over. */
export type HalfTableRow = Omit<HalfRow, "state"> & {
  readonly state: number;
  readonly checksum: number;
};

/** Over all columns of a half message's row. */
export function halfChecksum(row: HalfRow): number {
  const texts = [row.producerGroup, row.messageId, row.checkUrl, row.timerKey];
  const numbers = [
    row.id,
    halfStates.indexOf(row.state),
    row.queueKey,
    row.tagHash,
    row.createdMs,
    row.nextCheckMs,
    row.checks,
    row.deliverAtMs,
    row.settledMs,
    ...texts.map((text) => text === null ? null : text.length),
  ];
  return rowChecksum(numbers, row.record, texts.join(""));
}

/** @throws {StorageError} `damaged`: the row does not match its checksum. */
export function halfRowOf(row: HalfTableRow, path: string): HalfRow {
  const { checksum, ...rest } = row;
  const state = halfStates[row.state];
  const found = { ...rest, state: state ?? "prepared" };
  if (state !== undefined && halfChecksum(found) === checksum) return found;
  const place = `the half message ${row.id}`;
  throw new StorageError("damaged", `Cannot read ${path}: ${place} is damaged`);
}

/** Where a walk through all rows is, and for the rows of which queues. */
type Walk = {
  readonly of: string;
  readonly found: number;
  readonly state: number;
  readonly id: number;
};
type WalkRow = Counted & { readonly id: number };
type Counted = { readonly queueKey: number; readonly state: number };
type Change = { readonly row: Counted; readonly by: number };
const walkStart: Walk = { of: "", found: 0, state: -1, id: 0 };

/** The table `half`. Writes happen inside the turn's transaction. */
export class HalfStore {
  readonly #path: string;
  readonly #lastId: LastId;
  readonly #put: SqliteStatement;
  readonly #state: SqliteStatement;
  readonly #row: SqliteStatement;
  readonly #due: SqliteStatement;
  readonly #nextCheck: SqliteStatement;
  readonly #inState: SqliteStatement;
  readonly #byMessage: SqliteStatement;
  readonly #settled: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #after: SqliteStatement;
  /** Queue → rows in each state. */
  readonly #ofQueue = new Map<number, number[]>();
  /** Rows in each state, of all queues. */
  readonly #counts = halfStates.map(() => 0);
  readonly #damaged = new DamagedRows();
  /** What the transaction changes: a row more, or one fewer. */
  #changes: Change[] = [];
  /** How far the walk for the rows of dropped queues is; `walked`: once the commit is there. */
  #walk = walkStart;
  #walked = walkStart;

  constructor(client: SqliteClient, path: string) {
    this.#path = path;
    this.#lastId = new LastId(client, "half");
    this.#put = client.prepare(
      "INSERT OR REPLACE INTO half VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#state = client.prepare("SELECT queueKey, state FROM half WHERE id = ?");
    this.#row = client.prepare("SELECT * FROM half WHERE id = ?");
    this.#due = client.prepare(
      `SELECT * FROM half INDEXED BY half_check WHERE state = 0 AND nextCheckMs <= ?
        ORDER BY nextCheckMs, id LIMIT ?`,
    );
    this.#nextCheck = client.prepare(
      `SELECT id, nextCheckMs FROM half INDEXED BY half_check WHERE state = 0
        ORDER BY nextCheckMs, id LIMIT ?`,
    );
    this.#inState = client.prepare(
      "SELECT * FROM half WHERE state = ? AND id > ? ORDER BY id LIMIT ?",
    );
    this.#byMessage = client.prepare(
      "SELECT * FROM half WHERE messageId = ? ORDER BY id DESC LIMIT 1",
    );
    this.#settled = client.prepare(
      `SELECT id FROM half INDEXED BY half_settled WHERE settledMs > 0 AND settledMs < ?
        ORDER BY settledMs, id LIMIT ?`,
    );
    this.#delete = client.prepare("DELETE FROM half WHERE id = ?");
    this.#after = client.prepare(
      `SELECT id, state, queueKey FROM half INDEXED BY half_state
        WHERE (state, id) > (?, ?) ORDER BY state, id LIMIT ?`,
    );
    const rows = client.prepare(
      `SELECT queueKey, state, count(*) AS count FROM half INDEXED BY half_state
        GROUP BY queueKey, state`,
    ).all() as (Counted & { readonly count: number })[];
    for (const row of rows) this.#countOne({ row, by: row.count });
  }

  #countOne({ row: { queueKey, state }, by }: Change): void {
    const counts = this.#ofQueue.get(queueKey) ?? halfStates.map(() => 0);
    counts[state] = (counts[state] ?? 0) + by;
    this.#counts[state] = (this.#counts[state] ?? 0) + by;
    if (counts.every((count) => count === 0)) this.#ofQueue.delete(queueKey);
    else this.#ofQueue.set(queueKey, counts);
  }

  /** Whether a turn brings messages that were not there: what a full disk refuses. */
  hasNew(puts: readonly HalfRow[]): boolean {
    return puts.some(({ id }) => id > this.#lastId.id);
  }

  /** A transaction begins. */
  begin(): void {
    this.#changes = [];
    this.#walked = this.#walk;
    this.#lastId.begin();
  }

  write(puts: readonly HalfRow[]): void {
    for (const row of puts) {
      const state = halfStates.indexOf(row.state);
      this.#noteGone(row.id);
      this.#changes.push({ row: { queueKey: row.queueKey, state }, by: 1 });
      this.#put.run(
        row.id,
        state,
        row.queueKey,
        row.tagHash,
        row.createdMs,
        row.nextCheckMs,
        row.checks,
        row.deliverAtMs,
        row.settledMs,
        halfChecksum(row),
        row.producerGroup,
        row.messageId,
        row.checkUrl,
        row.timerKey,
        row.record,
      );
    }
    this.#lastId.write(puts);
  }

  /** The row with this id goes, or is replaced. */
  #noteGone(id: number): void {
    const row = this.#state.get(id) as Counted | undefined;
    if (row !== undefined) this.#changes.push({ row, by: -1 });
  }

  /** The transaction was committed. */
  settle(): void {
    for (const change of this.#changes) this.#countOne(change);
    this.#changes = [];
    this.#walk = this.#walked;
    this.#lastId.settle();
  }

  /** @throws {StorageError} `damaged`. */
  row(id: number): HalfRow | null {
    return this.#one(this.#row.get(id));
  }

  byMessageId(messageId: string): HalfRow | null {
    return this.#one(this.#byMessage.get(messageId));
  }

  #one(row: unknown): HalfRow | null {
    return row === undefined ? null : halfRowOf(row as HalfTableRow, this.#path);
  }

  due(untilMs: number, countMax: number): HalfRow[] {
    const rows = this.#due.all(untilMs, countMax + this.#damaged.count) as HalfTableRow[];
    return this.#damaged.good(rows, countMax, (row) => halfRowOf(row, this.#path));
  }

  inState(state: HalfState, afterId: number, countMax: number): HalfRow[] {
    return this.#all(this.#inState.all(halfStates.indexOf(state), afterId, countMax));
  }

  #all(rows: readonly unknown[]): HalfRow[] {
    return (rows as HalfTableRow[]).map((row) => halfRowOf(row, this.#path));
  }

  nextCheckMs(): number | null {
    const rows = this.#nextCheck.all(this.#damaged.count + 1) as {
      readonly id: number;
      readonly nextCheckMs: number;
    }[];
    return rows.find(({ id }) => !this.#damaged.has(id))?.nextCheckMs ?? null;
  }

  count(state: HalfState, isGone?: (queueKey: number) => boolean): number {
    const index = halfStates.indexOf(state);
    let count = this.#counts[index] ?? 0;
    if (isGone === undefined) return count;
    for (const [queueKey, counts] of this.#ofQueue) {
      if (isGone(queueKey)) count -= counts[index] ?? 0;
    }
    return count;
  }

  lastId(): number {
    return this.#lastId.id;
  }

  /** Inside a transaction that began with `begin`, oldest verdicts first. */
  purge(settledBeforeMs: number, countMax: number): number {
    const rows = this.#settled.all(settledBeforeMs, countMax);
    this.#deleteAll(rows);
    return rows.length;
  }

  /** Every queue a half message is meant for. */
  queueKeys(): number[] {
    return [...this.#ofQueue.keys()];
  }

  /**
   * Inside a transaction that began with `begin`; `settle` follows the commit. No index names the
   * rows of a queue, so that a half message costs one less: the rows of all are walked through in
   * bounded steps, and from the beginning again while there are rows of these queues.
   */
  dropSome(queueKeys: readonly number[], rowsMax: number): DropResult {
    const counts = queueKeys.flatMap((queueKey) => this.#ofQueue.get(queueKey) ?? []);
    const left = counts.reduce((sum, count) => sum + count, 0);
    if (left === 0) return { rows: 0, more: false };
    const of = queueKeys.join();
    const from = this.#walk.of === of ? this.#walk : walkStart;
    const rows = this.#after.all(from.state, from.id, limits.halvesPerDropStepMax) as WalkRow[];
    const dropped = new Set(queueKeys);
    const found = rows.filter(({ queueKey }) => dropped.has(queueKey));
    const some = found.slice(0, rowsMax);
    this.#deleteAll(some);
    const isAll = found.length === some.length;
    const last = isAll ? rows.at(-1) : some.at(-1);
    const isEnd = isAll && rows.length < limits.halvesPerDropStepMax;
    const foundSoFar = from.found + some.length;
    this.#walked = isEnd || last === undefined
      ? walkStart
      : { of, found: foundSoFar, state: last.state, id: last.id };
    // A whole walk that met none of them: a damaged index counted what is not there.
    const isHopeless = isEnd && foundSoFar === 0;
    return { rows: some.length, more: some.length < left && !isHopeless };
  }

  #deleteAll(rows: readonly Record<string, unknown>[]): void {
    for (const row of rows) {
      const id = Number(row["id"]);
      this.#noteGone(id);
      this.#delete.run(id);
    }
  }
}
