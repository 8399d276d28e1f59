/**
 * Messages of transactions: undecided ones with their record, decided ones with their verdict.
 *
 * How many there are in each state is counted in memory.
 *
 * @module
 */
import { StorageError } from "../src/model/errors.ts";
import type { HalfRow, HalfState } from "../src/ports/shard_store.ts";
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
  readonly #ofQueues: SqliteStatement;
  readonly #queues: SqliteStatement;
  /** Rows in each state. */
  readonly #counts = halfStates.map(() => 0);
  readonly #damaged = new DamagedRows();
  #changes = halfStates.map(() => 0);

  constructor(client: SqliteClient, path: string) {
    this.#path = path;
    this.#lastId = new LastId(client, "half");
    this.#put = client.prepare(
      "INSERT OR REPLACE INTO half VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#state = client.prepare("SELECT state FROM half WHERE id = ?");
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
    this.#ofQueues = client.prepare(
      `SELECT id FROM half INDEXED BY half_state
        WHERE queueKey IN (SELECT value FROM json_each(?)) LIMIT ?`,
    );
    this.#queues = client.prepare("SELECT DISTINCT queueKey FROM half INDEXED BY half_state");
    const counts = client.prepare(
      "SELECT state, count(*) AS count FROM half INDEXED BY half_state GROUP BY state",
    );
    for (const row of counts.all()) this.#counts[Number(row["state"])] = Number(row["count"]);
  }

  /** Whether a turn brings messages that were not there: what a full disk refuses. */
  hasNew(puts: readonly HalfRow[]): boolean {
    return puts.some(({ id }) => id > this.#lastId.id);
  }

  /** A transaction begins. */
  begin(): void {
    this.#changes.fill(0);
    this.#lastId.begin();
  }

  write(puts: readonly HalfRow[]): void {
    for (const row of puts) {
      const state = halfStates.indexOf(row.state);
      this.#note(row.id, -1);
      this.#changes[state]! += 1; // one change a state
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
  #note(id: number, by: number): void {
    const found = this.#state.get(id);
    if (found === undefined) return;
    const state = Number(found["state"]);
    this.#changes[state] = (this.#changes[state] ?? 0) + by;
  }

  /** The transaction was committed. */
  settle(): void {
    for (const [state, change] of this.#changes.entries()) {
      this.#counts[state] = (this.#counts[state] ?? 0) + change;
    }
    this.#changes.fill(0);
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

  count(state: HalfState): number {
    return this.#counts[halfStates.indexOf(state)] ?? 0;
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
    return this.#queues.all().map((row) => Number(row["queueKey"]));
  }

  /** Inside a transaction that began with `begin`; `settle` follows the commit. */
  dropSome(queueKeys: readonly number[], rowsMax: number): number {
    const rows = this.#ofQueues.all(JSON.stringify(queueKeys), rowsMax);
    this.#deleteAll(rows);
    return rows.length;
  }

  #deleteAll(rows: readonly Record<string, unknown>[]): void {
    for (const row of rows) {
      const id = Number(row["id"]);
      this.#note(id, -1);
      this.#delete.run(id);
    }
  }
}
