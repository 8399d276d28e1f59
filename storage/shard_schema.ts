/**
 * The tables of one shard's database. `migrations/shard/` creates them; `shard_schema_test.ts`
 * holds the two to each other.
 *
 * `log` is the truth. `queue_index` and `key_index` are derived from it and may lag: what lies
 * between `mark` and the end of the log is indexed again when the store opens.
 *
 * @module
 */
import { customType, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** A blob as the driver hands it over. Drizzle's own blob column copies every value it reads. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });

/** A turn a row, append only; retention deletes turns or rewrites them without what is dead. */
export const log = sqliteTable("log", {
  firstPosition: integer("firstPosition").primaryKey(),
  /** Positions the turn took. A rewritten turn keeps its count and holds fewer entries. */
  count: integer("count").notNull(),
  storedMs: integer("storedMs").notNull(),
  /** Checksum the previous turn was appended with: the link of the chain. */
  previous: integer("previous").notNull(),
  /** Checksum this turn was appended with, once it was rewritten; else null. */
  appended: integer("appended"),
  /** Over all other columns (`turn_format.ts`). */
  checksum: integer("checksum").notNull(),
  entries: bytes("entries").notNull(),
  records: bytes("records").notNull(),
});

/** Every queue that ever had a message and was not dropped. */
export const queue = sqliteTable("queue", {
  queueKey: integer("queueKey").primaryKey(),
  minOffset: integer("minOffset").notNull(),
  /** Bytes of the queue's records before `minOffset`, trimmed ones included. */
  minBytes: integer("minBytes").notNull(),
  /** `nextPosition` when the queue was dropped: the row goes once recovery starts after it. */
  droppedAt: integer("droppedAt"),
  /** Over all other columns, as in every table (`row_checksum.ts`). */
  checksum: integer("checksum").notNull(),
});

/**
 * Chunks of a queue's entries (`queue_chunk.ts`). In order of flushing, so a flush only appends.
 */
export const queueIndex = sqliteTable("queue_index", {
  id: integer("id").primaryKey(),
  queueKey: integer("queueKey").notNull(),
  firstOffset: integer("firstOffset").notNull(),
  count: integer("count").notNull(),
  basePosition: integer("basePosition").notNull(),
  /** Bytes of all earlier records of the queue, trimmed ones included. */
  bytesBefore: integer("bytesBefore").notNull(),
  checksum: integer("checksum").notNull(),
  entries: bytes("entries").notNull(),
});

/** Key hashes by bucket and generation (`key_index.ts`). */
export const keyIndex = sqliteTable("key_index", {
  /** Bucket times 2^45, plus the generation's first position. */
  id: integer("id").primaryKey(),
  checksum: integer("checksum").notNull(),
  entries: bytes("entries").notNull(),
});

/** One row: what recovery starts from. */
export const mark = sqliteTable("mark", {
  shard: integer("shard").primaryKey(),
  /** Entries of lower positions are all in `queue_index`. */
  indexFrom: integer("indexFrom").notNull(),
  /** Keys of lower positions are all in `key_index`. */
  keysFrom: integer("keysFrom").notNull(),
  /** Bytes of the log's blobs, of turns before `logBytesTo`. */
  logBytes: integer("logBytes").notNull(),
  logBytesTo: integer("logBytesTo").notNull(),
  checksum: integer("checksum").notNull(),
});

/** Where each group is in each queue. */
export const groupOffset = sqliteTable("group_offset", {
  groupKey: integer("groupKey").notNull(),
  queueKey: integer("queueKey").notNull(),
  nextOffset: integer("nextOffset").notNull(),
  checksum: integer("checksum").notNull(),
}, (table) => [primaryKey({ columns: [table.groupKey, table.queueKey] })]);

/** Open deliveries. */
export const inflight = sqliteTable("inflight", {
  groupKey: integer("groupKey").notNull(),
  queueKey: integer("queueKey").notNull(),
  chunk: integer("chunk").notNull(),
  checksum: integer("checksum").notNull(),
  entries: bytes("entries").notNull(),
}, (table) => [primaryKey({ columns: [table.groupKey, table.queueKey, table.chunk] })]);

/** The largest id ever given to a row of `delayed`, `half` and `place_event` (`last_ids.ts`). */
export const lastId = sqliteTable("last_id", {
  tableNumber: integer("tableNumber").primaryKey(),
  id: integer("id").notNull(),
  checksum: integer("checksum").notNull(),
});

/** Messages that are not visible yet. */
export const delayed = sqliteTable("delayed", {
  id: integer("id").primaryKey(),
  /** 0 a timer, 1 a retry. */
  kind: integer("kind").notNull(),
  dueMs: integer("dueMs").notNull(),
  queueKey: integer("queueKey").notNull(),
  tagHash: integer("tagHash").notNull(),
  checksum: integer("checksum").notNull(),
  messageId: text("messageId").notNull(),
  timerKey: text("timerKey"),
  record: bytes("record").notNull(),
});

/** Messages of transactions, with their verdict once it came. */
export const half = sqliteTable("half", {
  id: integer("id").primaryKey(),
  /** Its place in the list `halfStates` of `half_store.ts`. */
  state: integer("state").notNull(),
  queueKey: integer("queueKey").notNull(),
  tagHash: integer("tagHash").notNull(),
  createdMs: integer("createdMs").notNull(),
  nextCheckMs: integer("nextCheckMs").notNull(),
  checks: integer("checks").notNull(),
  deliverAtMs: integer("deliverAtMs"),
  settledMs: integer("settledMs").notNull(),
  checksum: integer("checksum").notNull(),
  producerGroup: text("producerGroup").notNull(),
  messageId: text("messageId").notNull(),
  checkUrl: text("checkUrl"),
  timerKey: text("timerKey"),
  record: bytes("record").notNull(),
});

/** What was done to groups' places. Bounded for each place. */
export const placeEvent = sqliteTable("place_event", {
  id: integer("id").primaryKey(),
  groupKey: integer("groupKey").notNull(),
  queueKey: integer("queueKey").notNull(),
  atMs: integer("atMs").notNull(),
  /** Its place in the list `eventKinds` of `event_store.ts`. */
  kind: integer("kind").notNull(),
  fromOffset: integer("fromOffset").notNull(),
  toOffset: integer("toOffset").notNull(),
  checksum: integer("checksum").notNull(),
  doneBy: text("doneBy").notNull(),
  openBefore: bytes("openBefore").notNull(),
  /** Where the log ended when it happened; null in rows that are older than the column. */
  position: integer("position"),
});
