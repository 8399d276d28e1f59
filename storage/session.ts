/**
 * `bun:sqlite`'s `Database` surface over `node:sqlite`, which both runtimes have, so that drizzle's
 * session for Bun runs on it. When drizzle ships a `node:sqlite` session, this file goes.
 *
 * Every statement is prepared: on Deno only prepared statements carry SQLite's error code.
 *
 * @module
 */
import { SQLiteBunSession } from "drizzle-orm/bun-sqlite/session";
import { BaseSQLiteDatabase, SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

/** How a transaction begins; see SQLite's BEGIN. */
export type Behavior = "deferred" | "immediate" | "exclusive";

/** Both runtimes have the method; Deno's types do not list it yet. */
type ArrayStatement = StatementSync & { setReturnArrays(on: boolean): void };

/** A compiled statement, as drizzle's Bun session calls it. */
export class SqliteStatement {
  readonly #statement: ArrayStatement;

  constructor(statement: StatementSync) {
    this.#statement = statement as ArrayStatement;
  }

  /** Runs it, ignoring rows. */
  run(...values: SQLInputValue[]) {
    return this.#statement.run(...values);
  }

  /** The first row as an object, or nothing. */
  get(...values: SQLInputValue[]) {
    return this.#statement.get(...values);
  }

  /** All rows as objects. */
  all(...values: SQLInputValue[]) {
    return this.#statement.all(...values);
  }

  /** All rows as arrays, in the order of the columns. */
  values(...values: SQLInputValue[]) {
    this.#statement.setReturnArrays(true);
    try {
      return this.#statement.all(...values);
    } finally {
      this.#statement.setReturnArrays(false);
    }
  }
}

/** One connection. One thread owns it. */
export class SqliteClient {
  readonly sqlite: DatabaseSync;
  readonly #begin: Readonly<Record<Behavior, StatementSync>>;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;

  constructor(sqlite: DatabaseSync) {
    this.sqlite = sqlite;
    this.#begin = {
      deferred: sqlite.prepare("BEGIN DEFERRED"),
      immediate: sqlite.prepare("BEGIN IMMEDIATE"),
      exclusive: sqlite.prepare("BEGIN EXCLUSIVE"),
    };
    this.#commit = sqlite.prepare("COMMIT");
    this.#rollback = sqlite.prepare("ROLLBACK");
  }

  prepare(sql: string): SqliteStatement {
    return new SqliteStatement(this.sqlite.prepare(sql));
  }

  exec(sql: string): void {
    this.sqlite.exec(sql);
  }

  /** Runs `work` in one transaction: all of it is kept, or none when it throws. */
  inTransaction<T>(behavior: Behavior, work: () => T): T {
    this.#begin[behavior].run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (cause) {
      this.#rollBack();
      throw cause;
    }
  }

  /** `bun:sqlite`'s form: a function for each behaviour. */
  transaction<T>(work: () => T): Readonly<Record<Behavior, () => T>> {
    return {
      deferred: () => this.inTransaction("deferred", work),
      immediate: () => this.inTransaction("immediate", work),
      exclusive: () => this.inTransaction("exclusive", work),
    };
  }

  close(): void {
    this.sqlite.close();
  }

  /**
   * SQLite itself rolls back on some faults (full, I/O); a second ROLLBACK then has nothing to do.
   */
  #rollBack(): void {
    try {
      this.#rollback.run();
    } catch {
      // The fault that brought us here is the one worth telling; the caller throws it.
    }
  }
}

/** Drizzle's query builder over one connection. */
export type Drizzle = BaseSQLiteDatabase<"sync", void>;

/** Drizzle over a connection: for schemas and cold queries; hot statements are prepared by hand. */
export function drizzleOver(client: SqliteClient): Drizzle {
  const dialect = new SQLiteSyncDialect();
  // The session asks for no more of `Database` than `SqliteClient` has; session_test.ts uses all.
  const session = new SQLiteBunSession<Record<string, never>, Record<string, never>>(
    client,
    dialect,
    undefined,
  );
  return new BaseSQLiteDatabase("sync", dialect, session, undefined);
}
