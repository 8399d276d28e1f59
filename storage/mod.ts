/** The implementations of the storage ports. @module */
import { join } from "node:path";
import type { Clock } from "../src/base/clock.ts";
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";
import { KeyIndex } from "./key_index.ts";
import { MarkFile, readBoot, readMark } from "./mark_file.ts";
import { tables } from "./migrations/shard/0001_tables.ts";
import { timers } from "./migrations/shard/0002_timers.ts";
import { eventPositions } from "./migrations/shard/0003_event_positions.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open.ts";
import { QueueIndex } from "./queue_index.ts";
import { compareMark, type MarkRow, recover } from "./recovery.ts";
import type { SqliteClient } from "./session.ts";
import { assertRow, rowChecksum } from "./row_checksum.ts";
import { SqliteShardStore } from "./shard_store.ts";
import { storageFault } from "./faults.ts";
import { TurnLog } from "./turn_log.ts";

export { type Inspection, inspectShard } from "./inspect.ts";
export type { SqliteShardStore } from "./shard_store.ts";

/** What `migrate` brings a shard's file through. */
export const shardMigrations = [tables, timers, eventPositions] as const;

/** How a shard's store is opened. All but the first three have defaults. */
export type ShardStoreOptions = {
  /** Where `shard-N.db` and `shard-N.mark` lie; the folder exists. */
  readonly directory: string;
  readonly shard: number;
  /** Measures how long recovery took. */
  readonly clock: Clock;
  /** How far the synced high-water file may lag behind, in stored time. Default: 1 s. */
  readonly markSyncMs?: number;
  /** Page size of a new file. Default: 8192. */
  readonly pageBytes?: number;
  /** SQLite's page cache. Default: 16 MiB. */
  readonly cacheBytes?: number;
  /** Where the database file stops growing; sends are then refused as on a full disk. */
  readonly fileBytesMax?: number;
  /** Messages recovery may have to index again. Default: `limits.replayMessagesMax`. */
  readonly replayMessagesMax?: number;
  /** Above it sends are refused, see `checkpoints.ts`. Default: `limits.walBytesMax`. */
  readonly walBytesMax?: number;
  /**
   * The operator has read what is missing or damaged and wants to go on without it. Otherwise such
   * a store can be read, but takes no writes.
   */
  readonly acceptDamage?: boolean;
};

/** The database file of a shard. */
export function shardPath(directory: string, shard: number): string {
  return join(directory, `shard-${shard}.db`);
}

/** The high-water file of a shard. */
export function shardMarkPath(directory: string, shard: number): string {
  return join(directory, `shard-${shard}.mark`);
}

/**
 * Opens or creates the store of a shard, and recovers it. What is missing or damaged is told in
 * `recovery`; such a store refuses writes unless `acceptDamage` is set.
 *
 * @throws {StorageError} The file cannot be opened, is not this shard's, or is of a newer Curlew.
 */
export function openShardStore(options: ShardStoreOptions): SqliteShardStore {
  const { directory, shard } = options;
  const path = shardPath(directory, shard);
  const client = openDatabase({
    path,
    ...(options.pageBytes === undefined ? {} : { pageBytes: options.pageBytes }),
    ...(options.fileBytesMax === undefined ? {} : { fileBytesMax: options.fileBytesMax }),
    ...(options.cacheBytes === undefined ? {} : { cacheBytes: options.cacheBytes }),
  });
  try {
    migrate(client, path, shardMigrations);
    return recovered(options, client, path);
  } catch (cause) {
    client.close();
    throw storageFault(`open ${path}`, cause);
  }
}

function recovered(
  options: ShardStoreOptions,
  client: SqliteClient,
  path: string,
): SqliteShardStore {
  const startMs = options.clock.monotonicMs();
  const mark = readMarkRow(client, options.shard, path);
  const replayMax = options.replayMessagesMax ?? limits.replayMessagesMax;
  const parts = {
    client,
    log: new TurnLog(client, path),
    index: new QueueIndex(client, path, replayMax),
    keys: new KeyIndex(client, path, mark.keysFrom, replayMax),
    dropped: new Map<number, number>(),
  };
  const findings = recover(parts, mark, path, options.acceptDamage === true);
  const markPath = shardMarkPath(options.directory, options.shard);
  const boot = readBoot();
  compareMark(readMark(markPath), parts.log, boot, findings);
  const { replayedMessages, missing, damage, notices } = findings;
  const lost = missing !== null || damage !== null;
  const accepted = !lost || options.acceptDamage === true;
  const last = { position: parts.log.nextPosition - 1, chain: parts.log.chain };
  const markFile = new MarkFile(markPath, boot, options.markSyncMs ?? 1000, last);
  // A mark that tells of a loss stays as evidence until the operator accepts the loss.
  if (accepted) {
    // Turns of the last run may not be synced: a checkpoint syncs the WAL before it moves it.
    client.prepare("PRAGMA wal_checkpoint(PASSIVE)").all();
    markFile.note(last, true, parts.log.lastStoredMs);
  }
  return new SqliteShardStore({
    ...parts,
    path,
    mark,
    markFile,
    notices,
    logBytes: findings.logBytes,
    walBytesMax: options.walBytesMax ?? limits.walBytesMax,
    refusal: accepted
      ? null
      : `Cannot write to ${path}: ${damage ?? "acknowledged turns are gone"}`,
    recovery: {
      replayedMessages,
      missing,
      damage,
      writable: accepted,
      tookMs: options.clock.monotonicMs() - startMs,
    },
  });
}

function readMarkRow(client: SqliteClient, shard: number, path: string): MarkRow {
  const found = client.prepare("SELECT * FROM mark").get() as MarkRow | undefined;
  if (found && found.shard !== shard) {
    const message = `Cannot open ${path} as shard ${shard}: it holds shard ${found.shard}`;
    throw new StorageError("damaged", message);
  }
  if (found) {
    const { indexFrom, keysFrom, logBytes, logBytesTo } = found;
    const numbers = [shard, indexFrom, keysFrom, logBytes, logBytesTo];
    assertRow(found.checksum, numbers, `the mark in ${path}`);
    return found;
  }
  const checksum = rowChecksum([shard, 1, 1, 0, 1]);
  client.prepare("INSERT INTO mark VALUES (?, 1, 1, 0, 1, ?)").run(shard, checksum);
  return { shard, indexFrom: 1, keysFrom: 1, logBytes: 0, logBytesTo: 1, checksum };
}
