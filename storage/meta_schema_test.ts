import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { counter, group, keyValue, secret, topic } from "./meta_schema.ts";
import { metaMigrations } from "./meta_store.ts";

test("meta_schema names the columns that the migrations make", () => {
  const sqlite = new DatabaseSync(":memory:");
  for (const { statements } of metaMigrations) {
    for (const statement of statements) sqlite.exec(statement);
  }
  for (const table of [topic, group, counter, secret, keyValue]) {
    const { name, columns } = getTableConfig(table);
    const made = sqlite.prepare(
      `SELECT name, lower(type) AS type FROM pragma_table_info('${name}')`,
    )
      .all().map((row) => `${row.name} ${row.type}`);
    assert.deepEqual(columns.map((column) => `${column.name} ${column.getSQLType()}`), made);
  }
  sqlite.close();
});
