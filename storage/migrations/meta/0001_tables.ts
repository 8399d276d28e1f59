/** The first tables of `meta.db`. @module */
import type { Migration } from "../../migrate.ts";

/** Version 1. */
export const tables: Migration = {
  version: 1,
  statements: [
    `CREATE TABLE topic (
      name TEXT PRIMARY KEY, version INTEGER NOT NULL, settings TEXT NOT NULL,
      queue_refs TEXT NOT NULL, system INTEGER NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE consumer_group (
      name TEXT PRIMARY KEY, group_key INTEGER NOT NULL UNIQUE, version INTEGER NOT NULL,
      settings TEXT NOT NULL, created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE counter (
      name TEXT PRIMARY KEY, value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE secret (
      name TEXT PRIMARY KEY, value BLOB NOT NULL CHECK (length(value) = 32)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE key_value (
      namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (namespace, key)
    ) STRICT, WITHOUT ROWID`,
  ],
};
