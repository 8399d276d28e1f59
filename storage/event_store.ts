/** What was done to groups' places in queues, the newest few of each place. @module */
import { limits } from "../src/base/limits.ts";
import type { PlaceEvent } from "../src/ports/shard_store.ts";
import { LastId } from "./last_ids.ts";
import { assertRow, rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

/** Kinds by their number in the table. */
const eventKinds: readonly PlaceEvent["kind"][] = [
  "reset",
  "undo",
  "clone",
  "key-skipped",
  "key-buried",
  "began",
];

/** A row of `place_event`, as SQLite hands it over. */
export type EventTableRow = {
  readonly id: number;
  readonly groupKey: number;
  readonly queueKey: number;
  readonly atMs: number;
  readonly kind: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly checksum: number;
  readonly doneBy: string;
  readonly openBefore: Uint8Array;
  /** Absent from files of version 2. */
  readonly position?: number | null;
};

/** What the checksum is over besides text and bytes; rows of version 2 have no position. */
function numbersOf(event: Omit<PlaceEvent, "kind" | "by" | "before">, kind: number): number[] {
  const { id, groupKey, queueKey, atMs, fromOffset, toOffset, position } = event;
  const numbers = [id, groupKey, queueKey, atMs, kind, fromOffset, toOffset];
  return position === null ? numbers : [...numbers, position];
}

/** @throws {StorageError} `damaged`: the row does not match its checksum. */
export function eventOf(row: EventTableRow): PlaceEvent {
  const { id, groupKey, queueKey, atMs, fromOffset, toOffset, doneBy, openBefore } = row;
  const event = {
    id,
    groupKey,
    queueKey,
    atMs,
    fromOffset,
    toOffset,
    position: row.position ?? null,
  };
  assertRow(
    row.checksum,
    numbersOf(event, row.kind),
    `event ${id} of group ${groupKey} in queue ${queueKey}`,
    openBefore,
    doneBy,
  );
  return { ...event, kind: eventKinds[row.kind] ?? "reset", by: doneBy, before: openBefore };
}

/** The table `place_event`. Writes happen inside the turn's transaction. */
export class EventStore {
  readonly #lastId: LastId;
  readonly #put: SqliteStatement;
  readonly #trim: SqliteStatement;
  readonly #newest: SqliteStatement;
  readonly #dropQueues: SqliteStatement;
  readonly #dropGroup: SqliteStatement;

  constructor(client: SqliteClient) {
    this.#lastId = new LastId(client, "placeEvent");
    this.#put = client.prepare("INSERT INTO place_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#trim = client.prepare(
      `DELETE FROM place_event WHERE groupKey = ?1 AND queueKey = ?2 AND id <= (
        SELECT id FROM place_event WHERE groupKey = ?1 AND queueKey = ?2
          ORDER BY id DESC LIMIT 1 OFFSET ${limits.eventsPerPlaceMax})`,
    );
    this.#newest = client.prepare(
      "SELECT * FROM place_event WHERE groupKey = ? AND queueKey = ? ORDER BY id DESC LIMIT ?",
    );
    this.#dropQueues = client.prepare(
      "DELETE FROM place_event WHERE queueKey IN (SELECT value FROM json_each(?))",
    );
    this.#dropGroup = client.prepare("DELETE FROM place_event WHERE groupKey = ?");
  }

  /** A transaction begins. */
  begin(): void {
    this.#lastId.begin();
  }

  write(events: readonly PlaceEvent[]): void {
    for (const event of events) {
      const { id, groupKey, queueKey, atMs, fromOffset, toOffset, by, before, position } = event;
      const kind = eventKinds.indexOf(event.kind);
      const sum = rowChecksum(numbersOf(event, kind), before, by);
      const span = [fromOffset, toOffset];
      this.#put.run(id, groupKey, queueKey, atMs, kind, ...span, sum, by, before, position);
      this.#trim.run(groupKey, queueKey);
    }
    this.#lastId.write(events);
  }

  /** The transaction was committed. */
  settle(): void {
    this.#lastId.settle();
  }

  /** @throws {StorageError} `damaged`. */
  newest(groupKey: number, queueKey: number, countMax: number): PlaceEvent[] {
    return (this.#newest.all(groupKey, queueKey, countMax) as EventTableRow[]).map(eventOf);
  }

  lastId(): number {
    return this.#lastId.id;
  }

  dropQueues(queueKeys: readonly number[]): void {
    this.#dropQueues.run(JSON.stringify(queueKeys));
  }

  dropGroup(groupKey: number): void {
    this.#dropGroup.run(groupKey);
  }
}
