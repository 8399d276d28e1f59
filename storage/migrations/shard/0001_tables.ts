/** The tables of a shard; `shard_schema.ts` says what each column means. @module */
import type { Migration } from "../../migrate.ts";

/** Version 1. Blobs stand last, so that reading what is before them loads no overflow page. */
export const tables: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE log (
      firstPosition INTEGER PRIMARY KEY, count INTEGER NOT NULL, storedMs INTEGER NOT NULL,
      previous INTEGER NOT NULL, appended INTEGER, checksum INTEGER NOT NULL,
      entries BLOB NOT NULL, records BLOB NOT NULL) STRICT`,
    `CREATE TABLE queue (
      queueKey INTEGER PRIMARY KEY, minOffset INTEGER NOT NULL, minBytes INTEGER NOT NULL,
      droppedAt INTEGER, checksum INTEGER NOT NULL) STRICT`,
    `CREATE TABLE queue_index (
      id INTEGER PRIMARY KEY, queueKey INTEGER NOT NULL, firstOffset INTEGER NOT NULL,
      count INTEGER NOT NULL, basePosition INTEGER NOT NULL, bytesBefore INTEGER NOT NULL,
      checksum INTEGER NOT NULL, entries BLOB NOT NULL) STRICT`,
    `CREATE UNIQUE INDEX queue_index_place ON queue_index (queueKey, firstOffset)`,
    `CREATE TABLE key_index (
      id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, entries BLOB NOT NULL) STRICT`,
    `CREATE TABLE mark (
      shard INTEGER PRIMARY KEY, indexFrom INTEGER NOT NULL, keysFrom INTEGER NOT NULL,
      logBytes INTEGER NOT NULL, logBytesTo INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT`,
    `CREATE TABLE group_offset (
      groupKey INTEGER NOT NULL, queueKey INTEGER NOT NULL, nextOffset INTEGER NOT NULL,
      checksum INTEGER NOT NULL,      PRIMARY KEY (groupKey, queueKey)) STRICT, WITHOUT ROWID`,
    `CREATE TABLE inflight (
      groupKey INTEGER NOT NULL, queueKey INTEGER NOT NULL, chunk INTEGER NOT NULL,
      checksum INTEGER NOT NULL, entries BLOB NOT NULL,
      PRIMARY KEY (groupKey, queueKey, chunk)) STRICT, WITHOUT ROWID`,
    // AUTOINCREMENT remembers the largest id ever given, also when its row is gone.
    `CREATE TABLE delayed (
      id INTEGER PRIMARY KEY AUTOINCREMENT, dueMs INTEGER NOT NULL, queueKey INTEGER NOT NULL,
      tagHash INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL) STRICT`,
    `CREATE INDEX delayed_due ON delayed (dueMs, queueKey)`,
  ],
};
