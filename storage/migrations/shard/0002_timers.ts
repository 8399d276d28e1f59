/**
 * Timers by message and by key, half messages, events; `shard_schema.ts` says what columns mean.
 *
 * Indexes, as measured with 400,000 rows whose due times are spread over a day (each index more
 * halves the rate of a commit if its rows land on pages all over):
 *
 *     none 70 k/s · due 30 · due and (queue, due) 14 · due and hash of id 14 · due and id 25
 *
 * Message ids of one producer ascend, their hashes do not: so the index holds the text. Nothing is
 * indexed by queue and due time: `delay_store.ts` lists a queue by the other two.
 *
 * @module
 */
import { WireError } from "../../../src/model/errors.ts";
import { propertyNames, readProperty } from "../../../src/model/properties.ts";
import { recordProperties } from "../../../src/model/record.ts";
import type { Migration } from "../../migrate.ts";
import { rowChecksum } from "../../row_checksum.ts";
import type { SqliteClient } from "../../session.ts";

type OldRow = {
  readonly id: number;
  readonly dueMs: number;
  readonly queueKey: number;
  readonly tagHash: number;
  readonly checksum: number;
  readonly record: Uint8Array;
};

const rowsPerStep = 1024;
const retryKind = 1;
const delayedNumber = 1;

/** Version 2. Texts and blobs stand last, so that reading what is before them loads no overflow. */
export const timers: Migration = {
  version: 2,
  statements: [
    `DROP INDEX delayed_due`,
    `ALTER TABLE delayed RENAME TO delayed_1`,
    // Instead of AUTOINCREMENT, whose own table is written once a row, and bears no checksum.
    `CREATE TABLE last_id (
      tableNumber INTEGER PRIMARY KEY, id INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT`,
    `CREATE TABLE delayed (
      id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, dueMs INTEGER NOT NULL,
      queueKey INTEGER NOT NULL, tagHash INTEGER NOT NULL, checksum INTEGER NOT NULL,
      messageId TEXT NOT NULL, timerKey TEXT, record BLOB NOT NULL) STRICT`,
    // With the queue and the kind in it, a walk for a listing reads no rows.
    `CREATE INDEX delayed_due ON delayed (dueMs, id, queueKey, kind)`,
    // The kind before the id, so that rows are counted by queue and kind in its order.
    `CREATE INDEX delayed_message ON delayed (queueKey, kind, messageId)`,
    `CREATE UNIQUE INDEX delayed_key ON delayed (queueKey, timerKey) WHERE timerKey IS NOT NULL`,
    `CREATE TABLE half (
      id INTEGER PRIMARY KEY, state INTEGER NOT NULL, queueKey INTEGER NOT NULL,
      tagHash INTEGER NOT NULL, createdMs INTEGER NOT NULL, nextCheckMs INTEGER NOT NULL,
      checks INTEGER NOT NULL, deliverAtMs INTEGER, settledMs INTEGER NOT NULL,
      checksum INTEGER NOT NULL, producerGroup TEXT NOT NULL, messageId TEXT NOT NULL,
      checkUrl TEXT, timerKey TEXT, record BLOB NOT NULL) STRICT`,
    `CREATE INDEX half_check ON half (nextCheckMs, id) WHERE state = 0`,
    `CREATE INDEX half_state ON half (state, id, queueKey)`,
    `CREATE INDEX half_message ON half (messageId)`,
    `CREATE INDEX half_settled ON half (settledMs, id) WHERE settledMs > 0`,
    `CREATE TABLE place_event (
      id INTEGER PRIMARY KEY, groupKey INTEGER NOT NULL, queueKey INTEGER NOT NULL,
      atMs INTEGER NOT NULL, kind INTEGER NOT NULL, fromOffset INTEGER NOT NULL,
      toOffset INTEGER NOT NULL, checksum INTEGER NOT NULL, doneBy TEXT NOT NULL,
      openBefore BLOB NOT NULL) STRICT`,
    `CREATE INDEX place_event_place ON place_event (groupKey, queueKey, id)`,
  ],
  convert,
};

/** Version 1 delayed nothing but retries. */
function convert(client: SqliteClient): void {
  const read = client.prepare("SELECT * FROM delayed_1 WHERE id > ? ORDER BY id LIMIT ?");
  const put = client.prepare("INSERT INTO delayed VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)");
  let rows: OldRow[];
  for (let after = 0; (rows = read.all(after, rowsPerStep) as OldRow[]).length > 0;) {
    for (const row of rows) {
      const { id, dueMs, queueKey, tagHash, record } = row;
      after = id;
      const whole = rowChecksum([id, dueMs, queueKey, tagHash], record) === row.checksum;
      const messageId = whole ? messageIdOf(record) : "";
      const numbers = [id, retryKind, dueMs, queueKey, tagHash, messageId.length, null];
      const checksum = rowChecksum(numbers, record, messageId);
      // A row that was damaged stays so: a new checksum must not make it good.
      const sum = whole ? checksum : checksum ^ 1;
      put.run(id, retryKind, dueMs, queueKey, tagHash, sum >>> 0, messageId, record);
    }
  }
  const last = client.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'delayed_1'").get();
  const lastId = Number(last?.["seq"] ?? 0);
  client.prepare("INSERT INTO last_id VALUES (?, ?, ?)")
    .run(delayedNumber, lastId, rowChecksum([delayedNumber, lastId]));
  client.prepare("DROP TABLE delayed_1").run();
}

function messageIdOf(record: Uint8Array): string {
  try {
    return readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
  } catch (thrown) {
    if (thrown instanceof WireError) return "";
    throw thrown;
  }
}
