/** The tables of a shard; `shard_schema.ts` says what each column means. @module */
import type { Migration } from "../../migrate.ts";

/** Version 1. Blobs stand last, so that reading what is before them loads no overflow page. */
export const tables: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE log (
      first_position INTEGER PRIMARY KEY, count INTEGER NOT NULL, stored_ms INTEGER NOT NULL,
      previous INTEGER NOT NULL, appended INTEGER, checksum INTEGER NOT NULL,
      entries BLOB NOT NULL, records BLOB NOT NULL) STRICT`,
    `CREATE TABLE queue (
      queue_key INTEGER PRIMARY KEY, min_offset INTEGER NOT NULL, min_bytes INTEGER NOT NULL,
      dropped_at INTEGER, checksum INTEGER NOT NULL) STRICT`,
    `CREATE TABLE queue_index (
      id INTEGER PRIMARY KEY, queue_key INTEGER NOT NULL, first_offset INTEGER NOT NULL,
      count INTEGER NOT NULL, base_position INTEGER NOT NULL, bytes_before INTEGER NOT NULL,
      checksum INTEGER NOT NULL, entries BLOB NOT NULL) STRICT`,
    `CREATE UNIQUE INDEX queue_index_place ON queue_index (queue_key, first_offset)`,
    `CREATE TABLE key_index (
      id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, entries BLOB NOT NULL) STRICT`,
    `CREATE TABLE mark (
      shard INTEGER PRIMARY KEY, index_from INTEGER NOT NULL, keys_from INTEGER NOT NULL,
      log_bytes INTEGER NOT NULL, log_bytes_to INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT`,
    `CREATE TABLE group_offset (
      group_key INTEGER NOT NULL, queue_key INTEGER NOT NULL, next_offset INTEGER NOT NULL,
      checksum INTEGER NOT NULL,      PRIMARY KEY (group_key, queue_key)) STRICT, WITHOUT ROWID`,
    `CREATE TABLE inflight (
      group_key INTEGER NOT NULL, queue_key INTEGER NOT NULL, chunk INTEGER NOT NULL,
      checksum INTEGER NOT NULL, entries BLOB NOT NULL,
      PRIMARY KEY (group_key, queue_key, chunk)) STRICT, WITHOUT ROWID`,
    // AUTOINCREMENT remembers the largest id ever given, also when its row is gone.
    `CREATE TABLE delayed (
      id INTEGER PRIMARY KEY AUTOINCREMENT, due_ms INTEGER NOT NULL, queue_key INTEGER NOT NULL,
      tag_hash INTEGER NOT NULL, checksum INTEGER NOT NULL, record BLOB NOT NULL) STRICT`,
    `CREATE INDEX delayed_due ON delayed (due_ms, queue_key)`,
  ],
};
