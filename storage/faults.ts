/** What a failure of SQLite or of a file says of the store. @module */
import { StorageError, type StorageFault } from "../src/model/errors.ts";

/** Primary result codes (the low byte of an extended code) that have a meaning of their own. */
const faultOfCode: Readonly<Record<number, StorageFault>> = {
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  26: "damaged", // SQLITE_NOTADB
};

/** SQLite's extended result code, 0 when the error carries none. */
export function sqliteCode(cause: unknown): number {
  const code = cause instanceof Error && "errcode" in cause ? cause.errcode : 0;
  return typeof code === "number" ? code : 0;
}

/**
 * The fault behind `cause`. Whatever is neither "no room" nor "damaged" is `io`: after a failed
 * fsync Linux calls the pages clean, so the next commit would "succeed" without them. Hence one
 * rule: a handle that failed in a way we do not know is not used again.
 */
export function storageFault(attempted: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = sqliteCode(cause);
  const noSpace = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
  const fault = noSpace ? "full" : faultOfCode[code & 0xff] ?? "io";
  const found = cause instanceof Error ? cause.message : String(cause);
  const detail = code === 0 ? found : `${found} (SQLite code ${code})`;
  return new StorageError(fault, `Cannot ${attempted}: ${detail}`, { cause });
}
