/** Messages that are not visible yet, by the time they are due. @module */
import { inArray, min } from "drizzle-orm";
import { StorageError } from "../src/model/errors.ts";
import type { DelayedRow } from "../src/ports/shard_store.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { Drizzle, SqliteClient, SqliteStatement } from "./session.ts";
import { delayed } from "./shard_schema.ts";

type Row = {
  readonly id: number;
  readonly dueMs: number;
  readonly queueKey: number;
  readonly tagHash: number;
  readonly checksum: number;
  readonly record: Uint8Array;
};

/** Over all columns of a delayed row. */
export function delayedChecksum(row: DelayedRow): number {
  return rowChecksum([row.id, row.dueMs, row.queueKey, row.tagHash], row.record);
}

/** The table `delayed`. Writes happen inside the turn's transaction. */
export class DelayStore {
  readonly #path: string;
  readonly #db: Drizzle;
  readonly #put: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #due: SqliteStatement;
  readonly #count: SqliteStatement;
  readonly #lastId: SqliteStatement;
  #rows: number;
  #rowsChanged = 0;

  constructor(client: SqliteClient, db: Drizzle, path: string) {
    this.#path = path;
    this.#db = db;
    this.#put = client.prepare(
      `INSERT INTO delayed (id, dueMs, queueKey, tagHash, checksum, record)
        VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#delete = client.prepare("DELETE FROM delayed WHERE id = ?");
    this.#due = client.prepare(
      "SELECT * FROM delayed WHERE dueMs <= ? ORDER BY dueMs, id LIMIT ?",
    );
    this.#count = client.prepare("SELECT count(*) FROM delayed");
    this.#lastId = client.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'delayed'");
    this.#rows = this.#countRows();
  }

  #countRows(): number {
    return Number(Object.values(this.#count.get() ?? {})[0] ?? 0);
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#rows;
  }

  write(puts: readonly DelayedRow[], deletes: readonly number[]): void {
    this.#rowsChanged = 0;
    for (const row of puts) {
      const { id, dueMs, queueKey, tagHash, record } = row;
      this.#put.run(id, dueMs, queueKey, tagHash, delayedChecksum(row), record);
      this.#rowsChanged++;
    }
    for (const id of deletes) this.#rowsChanged -= Number(this.#delete.run(id).changes);
  }

  /** The transaction was committed. */
  settle(): void {
    this.#rows += this.#rowsChanged;
    this.#rowsChanged = 0;
  }

  /** @throws {StorageError} `damaged`: a row does not match its checksum. */
  due(untilMs: number, countMax: number): DelayedRow[] {
    return (this.#due.all(untilMs, countMax) as Row[]).map((row) => {
      const found = {
        id: row.id,
        kind: "retry" as const,
        messageId: "",
        timerKey: null,
        dueMs: row.dueMs,
        queueKey: row.queueKey,
        tagHash: row.tagHash,
        record: row.record,
      };
      if (delayedChecksum(found) === row.checksum) return found;
      const place = `the delayed message ${row.id}`;
      throw new StorageError("damaged", `Cannot read ${this.#path}: ${place} is damaged`);
    });
  }

  nextDueMs(): number | null {
    return this.#db.select({ dueMs: min(delayed.dueMs) }).from(delayed).get()?.dueMs ?? null;
  }

  lastId(): number {
    return Number(this.#lastId.get()?.["seq"] ?? 0);
  }

  dropQueues(queueKeys: readonly number[]): void {
    this.#db.delete(delayed).where(inArray(delayed.queueKey, [...queueKeys])).run();
    this.#rows = this.#countRows();
  }
}
