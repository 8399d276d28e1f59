/** Where groups are in queues, and what they have open: two small tables. @module */
import { eq, inArray } from "drizzle-orm";
import type { InflightWrite, OffsetWrite } from "../src/ports/shard_store.ts";
import type { Drizzle, SqliteClient, SqliteStatement } from "./session.ts";
import { assertRow, rowChecksum } from "./row_checksum.ts";
import { groupOffset, inflight } from "./shard_schema.ts";

/** A group's offset in a queue. */
export type GroupOffset = { groupKey: number; queueKey: number; next: number };
/** A span of a group's open deliveries. */
export type GroupInflight = {
  groupKey: number;
  queueKey: number;
  chunk: number;
  entries: Uint8Array;
};

/** Writes happen inside the turn's transaction; they are compiled once, each turn runs them. */
export class GroupStore {
  readonly #db: Drizzle;
  readonly #putOffset: SqliteStatement;
  readonly #deleteOffset: SqliteStatement;
  readonly #putInflight: SqliteStatement;
  readonly #deleteInflight: SqliteStatement;

  constructor(client: SqliteClient, db: Drizzle) {
    this.#db = db;
    this.#putOffset = client.prepare(
      `INSERT INTO group_offset (groupKey, queueKey, nextOffset, checksum) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET nextOffset = excluded.nextOffset,
          checksum = excluded.checksum`,
    );
    this.#deleteOffset = client.prepare(
      "DELETE FROM group_offset WHERE groupKey = ? AND queueKey = ?",
    );
    this.#putInflight = client.prepare(
      `INSERT INTO inflight (groupKey, queueKey, chunk, checksum, entries) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET entries = excluded.entries, checksum = excluded.checksum`,
    );
    this.#deleteInflight = client.prepare(
      "DELETE FROM inflight WHERE groupKey = ? AND queueKey = ? AND chunk = ?",
    );
  }

  writeOffsets(offsets: readonly OffsetWrite[]): void {
    for (const { groupKey, queueKey, next } of offsets) {
      if (next === null) this.#deleteOffset.run(groupKey, queueKey);
      else {
        const checksum = rowChecksum([groupKey, queueKey, next]);
        this.#putOffset.run(groupKey, queueKey, next, checksum);
      }
    }
  }

  writeInflight(spans: readonly InflightWrite[]): void {
    for (const { groupKey, queueKey, chunk, entries } of spans) {
      if (entries === null) this.#deleteInflight.run(groupKey, queueKey, chunk);
      else {
        const checksum = rowChecksum([groupKey, queueKey, chunk], entries);
        this.#putInflight.run(groupKey, queueKey, chunk, checksum, entries);
      }
    }
  }

  /** @throws {StorageError} `damaged`. */
  offsets(): GroupOffset[] {
    return this.#db.select().from(groupOffset).all().map((row) => {
      const { groupKey, queueKey, nextOffset: next } = row;
      const what = `the offset of group ${groupKey} in queue ${queueKey}`;
      assertRow(row.checksum, [groupKey, queueKey, next], what);
      return { groupKey, queueKey, next };
    });
  }

  /** @throws {StorageError} `damaged`. */
  inflight(): GroupInflight[] {
    return this.#db.select().from(inflight).all().map((row) => {
      const { groupKey, queueKey, chunk, entries } = row;
      const what = `what group ${groupKey} has open in queue ${queueKey}`;
      assertRow(row.checksum, [groupKey, queueKey, chunk], what, entries);
      return { groupKey, queueKey, chunk, entries };
    });
  }

  /** Every queue some group has a place in. */
  queueKeys(): number[] {
    const rows = this.#db.selectDistinct({ queueKey: groupOffset.queueKey }).from(groupOffset);
    return rows.all().map(({ queueKey }) => queueKey);
  }

  dropQueues(queueKeys: readonly number[]): void {
    this.#db.delete(groupOffset).where(inArray(groupOffset.queueKey, [...queueKeys])).run();
    this.#db.delete(inflight).where(inArray(inflight.queueKey, [...queueKeys])).run();
  }

  dropGroup(groupKey: number): void {
    this.#db.delete(groupOffset).where(eq(groupOffset.groupKey, groupKey)).run();
    this.#db.delete(inflight).where(eq(inflight.groupKey, groupKey)).run();
  }
}
