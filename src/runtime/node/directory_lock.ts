/**
 * The lock of a data directory.
 *
 *     curlew.lock        an empty database, held by SQLite's exclusive lock on the file
 *     curlew.lock.json   who holds it, for the sentence the next one reads
 *
 * The kernel lets go of a file lock when its process ends, however it ends. A number in a file
 * would not: process ids are used again, and in a container everyone is process 1. Neither runtime
 * offers file locks itself, so SQLite, which both have, is asked for one.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import type { DirectoryLock, Files, LockHolder, LockRefused } from "../../ports/files.ts";

const lockName = "curlew.lock";
const holderName = "curlew.lock.json";

/**
 * The locks of this process. A database nobody refers to is closed by the garbage collector, and
 * its lock with it: whoever forgets what `lockDirectory` gave them must not lose the directory.
 */
const held = new Set<DatabaseSync>();

/** See `Files.lockDirectory`. */
export async function lockDirectory(
  files: Pick<Files, "readSmall" | "writeSmall">,
  path: string,
  startedMs: number,
): Promise<DirectoryLock | LockRefused> {
  const holderPath = join(path, holderName);
  const database = takeLock(join(path, lockName));
  if (database === null) {
    return { kind: "held", holder: parseHolder(await files.readSmall(holderPath)) };
  }
  held.add(database);
  const announce = (address: string): Promise<void> => {
    const holder: LockHolder = { pid: process.pid, address, startedMs };
    return files.writeSmall(holderPath, JSON.stringify(holder));
  };
  await announce("");
  return {
    kind: "locked",
    announce,
    release: async () => {
      // The note goes first: after the release it could be the next holder's.
      await rm(holderPath, { force: true });
      held.delete(database);
      database.close();
    },
  };
}

/** The open lock, or `null` if someone else has it. */
function takeLock(path: string): DatabaseSync | null {
  const database = new DatabaseSync(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (thrown) {
    database.close();
    if (thrown instanceof Error && thrown.message.includes("locked")) return null;
    throw new Error(`Cannot lock the data directory at ${path}`, { cause: thrown });
  }
}

/**
 * The holder as written, or `null` if that cannot be told: the lock itself does not depend on it.
 */
function parseHolder(text: string | null): LockHolder | null {
  const match = /^\{"pid":(\d+),"address":"([^"\\]*)","startedMs":(\d+)\}$/.exec(text ?? "");
  if (match === null) return null;
  const [, pid, address, startedMs] = match;
  return { pid: Number(pid), address: address ?? "", startedMs: Number(startedMs) };
}
