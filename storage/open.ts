/** Opens a database file with every pragma said aloud, and checks that each one took. @module */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StorageError } from "../src/model/errors.ts";
import { storageFault } from "./faults.ts";
import { SqliteClient } from "./session.ts";

/** The first SQLite without the WAL-reset bug (two connections, one instant: a corrupt file). */
const sqliteVersionMin = [3, 51, 3] as const;

/** "Crlw": tells our files from others. */
export const applicationId = 0x43726c77;

/** `pageBytes` counts for new files only. */
export type OpenOptions = {
  readonly path: string;
  readonly pageBytes?: number;
  readonly cacheBytes?: number;
  readonly fileBytesMax?: number;
};

/** Pragmas in the order they must be given: the page size before the file has pages. */
function pragmas(options: OpenOptions): readonly (readonly [string, number | string, string])[] {
  const cacheKib = Math.ceil((options.cacheBytes ?? 16 * 1024 * 1024) / 1024);
  return [
    // Fewer overflow pages for a turn's blob than 4096, less rewritten per small row than 16384.
    ["page_size", options.pageBytes ?? 8192, ""],
    // Deleted pages are used again by the log; a file that shrinks would only grow back.
    ["auto_vacuum", 0, ""],
    ["journal_mode", "wal", ""],
    // The store lowers it turn by turn for topics that asked for less.
    ["synchronous", 2, "FULL"],
    // A checkpoint inside a COMMIT is a stall in somebody's send: the owner says when.
    ["wal_autocheckpoint", 0, ""],
    // What a restarted WAL keeps of its length.
    ["journal_size_limit", 64 * 1024 * 1024, ""],
    ["cache_size", -cacheKib, ""],
    // An I/O error on a mapped page is a signal, not an error code.
    ["mmap_size", 0, ""],
    ["temp_store", 2, "MEMORY"],
    // Read-only connections (log queries, checks) stay possible.
    ["locking_mode", "normal", ""],
    // One thread owns the file; waiting would hide that somebody else writes.
    ["busy_timeout", 0, ""],
    ["foreign_keys", 0, ""],
    ["trusted_schema", 0, ""],
    ["cell_size_check", 1, ""],
  ];
}

/** @throws {StorageError} `io`: this SQLite can damage files. */
export function assertSqliteVersion(found: string): void {
  const parts = found.split(".").map(Number);
  for (const [at, least] of sqliteVersionMin.entries()) {
    const part = parts[at] ?? 0;
    if (part > least) return;
    if (part < least || Number.isNaN(part)) {
      const need = sqliteVersionMin.join(".");
      throw new StorageError("io", `Cannot use SQLite ${found}: ${need} or newer is needed`);
    }
  }
}

/**
 * Opens or creates a database file.
 *
 * @throws {StorageError} The file is not ours, cannot be opened, or a pragma did not take.
 */
export function openDatabase(options: OpenOptions): SqliteClient {
  const isNew = !existsSync(options.path);
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(options.path);
    const client = new SqliteClient(sqlite);
    assertSqliteVersion(String(client.prepare("SELECT sqlite_version()").values()[0]?.[0]));
    setPragmas(client, options, isNew);
    return client;
  } catch (cause) {
    sqlite?.close();
    throw storageFault(`open ${options.path}`, cause);
  }
}

function setPragmas(client: SqliteClient, options: OpenOptions, isNew: boolean): void {
  const found = readPragma(client, "application_id");
  if (found !== applicationId && !(found === 0 && readPragma(client, "schema_version") === 0)) {
    throw new StorageError("damaged", `Cannot open ${options.path}: it is not a file of Curlew's`);
  }
  for (const [name, value, note] of pragmas(options)) {
    client.prepare(`PRAGMA ${name} = ${value}`).all();
    if (name === "page_size" && !isNew) continue;
    const now = readPragma(client, name);
    if (now === value) continue;
    const wanted = note ? `${value} (${note})` : value;
    throw new StorageError("io", `Cannot set PRAGMA ${name} to ${wanted}: it stayed ${now}`);
  }
  if (options.fileBytesMax !== undefined) {
    const pages = Math.ceil(options.fileBytesMax / Number(readPragma(client, "page_size")));
    client.prepare(`PRAGMA max_page_count = ${pages}`).all();
  }
  if (found === 0) client.prepare(`PRAGMA application_id = ${applicationId}`).all();
}

/** The value of a pragma that answers with one. */
export function readPragma(client: SqliteClient, name: string): number | string | undefined {
  const value = client.prepare(`PRAGMA ${name}`).values()[0]?.[0];
  return typeof value === "bigint" ? Number(value) : value as number | string | undefined;
}
