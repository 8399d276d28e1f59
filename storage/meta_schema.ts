/**
 * The tables of `meta.db`. `migrations/meta/` creates them; `meta_schema_test.ts` holds the two to
 * each other.
 *
 * Settings and queues are JSON: they are read as a whole, once, at start.
 *
 * @module
 */
import { customType, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { GroupSettings } from "../src/model/group.ts";
import type { FormerQueues, QueueRef, TopicSettings } from "../src/model/topic.ts";

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });

/** Every topic, the broker's own included. */
export const topic = sqliteTable("topic", {
  name: text("name").primaryKey(),
  version: integer("version").notNull(),
  settings: text("settings", { mode: "json" }).$type<TopicSettings>().notNull(),
  queueRefs: text("queue_refs", { mode: "json" }).$type<readonly QueueRef[]>().notNull(),
  system: integer("system", { mode: "boolean" }).notNull(),
  createdMs: integer("created_ms").notNull(),
  timerQueues: integer("timer_queues").notNull(),
  formerQueues: text("former_queues", { mode: "json" }).$type<readonly FormerQueues[]>().notNull(),
});

/** Every consumer group. `group` is a word of SQL, so the table has a longer name. */
export const group = sqliteTable("consumer_group", {
  name: text("name").primaryKey(),
  groupKey: integer("group_key").notNull(),
  version: integer("version").notNull(),
  settings: text("settings", { mode: "json" }).$type<GroupSettings>().notNull(),
  createdMs: integer("created_ms").notNull(),
});

/** Numbers that only grow: `version`, `queueKey`, `groupKey`, `bootEpoch`. */
export const counter = sqliteTable("counter", {
  name: text("name").primaryKey(),
  value: integer("value").notNull(),
});

/** What must not be shown: `receipt`, 32 random bytes. */
export const secret = sqliteTable("secret", {
  name: text("name").primaryKey(),
  value: bytes("value").notNull(),
});

/** The name server's configuration, as clients keep it. */
export const keyValue = sqliteTable("key_value", {
  namespace: text("namespace").notNull(),
  key: text("key").notNull(),
  value: text("value").notNull(),
}, (table) => [primaryKey({ columns: [table.namespace, table.key] })]);
