/**
 * The largest id ever given to a row of each table whose rows go away: an id names one row for
 * ever. Written in the transaction of the rows, one row of `last_id` a table and turn.
 *
 * @module
 */
import { assertRow, rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

/** The tables that have an entry, and their numbers in it. */
export const idTables = { delayed: 1, half: 2, placeEvent: 3 } as const;

/** The entry of one table. Write inside the transaction, settle after it. */
export class LastId {
  readonly #table: number;
  readonly #put: SqliteStatement;
  #id = 0;
  #written = 0;

  /** @throws {StorageError} `damaged`. */
  constructor(client: SqliteClient, table: keyof typeof idTables) {
    this.#table = idTables[table];
    this.#put = client.prepare(
      `INSERT INTO last_id VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET id = excluded.id, checksum = excluded.checksum`,
    );
    const row = client.prepare("SELECT * FROM last_id WHERE tableNumber = ?").get(this.#table);
    if (row === undefined) return;
    const id = Number(row["id"]);
    assertRow(Number(row["checksum"]), [this.#table, id], `the last id of ${table} rows`);
    this.#id = id;
  }

  /** The largest id of committed turns. */
  get id(): number {
    return this.#id;
  }

  /** A transaction begins: what an earlier one left undone is forgotten. */
  begin(): void {
    this.#written = this.#id;
  }

  /** Notes the ids of rows that were just written. */
  write(rows: readonly { readonly id: number }[]): void {
    for (const { id } of rows) this.#written = Math.max(this.#written, id);
    if (this.#written === this.#id) return;
    this.#put.run(this.#table, this.#written, rowChecksum([this.#table, this.#written]));
  }

  /** The transaction was committed. */
  settle(): void {
    this.#id = this.#written;
  }
}
