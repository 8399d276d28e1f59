import assert from "node:assert/strict";
import { eq } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { migrate } from "./migrate.ts";
import { shardMigrations } from "./mod.ts";
import { drizzleOver, SqliteClient } from "./session.ts";
import * as schema from "./shard_schema.ts";

function migrated(): SqliteClient {
  const client = new SqliteClient(new DatabaseSync(":memory:"));
  migrate(client, ":memory:", shardMigrations);
  return client;
}

test("drizzleOver() reads, writes and rolls back as on bun:sqlite", () => {
  const db = drizzleOver(migrated());
  const row = { groupKey: 1, queueKey: 2, nextOffset: 3, checksum: 4 };
  db.insert(schema.groupOffset).values(row).run();
  assert.throws(() =>
    db.transaction((tx) => {
      tx.delete(schema.groupOffset).run();
      throw new Error("no");
    }, { behavior: "immediate" }), /no/);

  const found = db.select().from(schema.groupOffset).where(eq(schema.groupOffset.groupKey, 1));
  assert.deepEqual([found.all(), found.get(), found.values()], [[row], row, [[1, 2, 3, 4]]]);
});

test("shard_schema names the columns the migrations create", () => {
  const client = migrated();
  for (const table of Object.values(schema)) {
    const { name, columns } = getTableConfig(table);
    const created = client.prepare(`SELECT name FROM pragma_table_info('${name}')`).values();
    assert.deepEqual(columns.map((column) => column.name).sort(), created.flat().sort(), name);
  }
});

test("migrate() leaves a file as it was when a statement fails", () => {
  const client = migrated();
  const broken = { version: 4, statements: ["CREATE TABLE extra (a)", "CREATE TABLE log (a)"] };
  const steps = [...shardMigrations, broken];

  assert.throws(() => migrate(client, "x.db", steps), /bring x.db from version 3 to 4/);
  const names = client.prepare("SELECT name FROM sqlite_schema WHERE name = 'extra'").values();
  assert.deepEqual([names, client.prepare("PRAGMA user_version").values()], [[], [[3]]]);
});
