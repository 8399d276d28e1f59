/**
 * What a turn is going to write, while it is being decided. Nothing here is visible to anybody
 * before the commit, and a draft that fails is thrown away.
 *
 * @module
 */
import { packPhysicalOffset } from "../../src/model/message_id.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import {
  patchRecord,
  recordProperties,
  recordQueueId,
  recordTopic,
} from "../../src/model/record.ts";
import type { Durability } from "../../src/model/durability.ts";
import { DraftRows } from "./draft_rows.ts";
import type {
  DelayedRow,
  InflightWrite,
  LogEntry,
  OffsetWrite,
  PlaceEvent,
  ShardStore,
  TurnRecord,
} from "../../src/ports/shard_store.ts";

/** Where a message of the draft will be. */
export type Place = { readonly offset: number; readonly position: number };

/** Where a message was stored first, for its producer who sends it again. */
export type FirstPlace = Place & { readonly queueId: number; readonly storedMs: number };

/** An id that this turn makes known. `windowMs`: for how long; `null`: nobody has said. */
export type NewId = {
  readonly id: string;
  readonly position: number;
  readonly windowMs: number | null;
};

/**
 * Gathers one turn: offsets and positions are given out as if the commit had happened, so that what
 * is planned later in the turn builds on what was planned before.
 */
export class TurnDraft {
  readonly nowMs: number;
  readonly storedMs: number;
  readonly #store: ShardStore;
  readonly #shard: number;
  readonly #firstPosition: number;
  readonly #entries: LogEntry[] = [];
  readonly #sources: Uint8Array[] = [];
  /** Queue → the offset its next message gets. */
  readonly #ends = new Map<number, number>();
  /** Messages that do not become visible with this turn. */
  readonly rows: DraftRows;
  /** Topic and id → where this turn stores the message: it may be sent twice within one turn. */
  readonly firstPlaces = new Map<string, FirstPlace>();
  readonly #newIds: NewId[] = [];
  readonly #shown = new Set<string>();
  readonly #events: PlaceEvent[] = [];
  #nextEventId: number | null = null;
  #bytes = 0;
  #durability: Durability = "process-crash";

  /** `nowMs` decides what is due; messages are stamped with a time that never goes back. */
  constructor(store: ShardStore, shard: number, nowMs: number) {
    this.nowMs = nowMs;
    this.storedMs = Math.max(nowMs, store.lastStoredMs());
    this.#store = store;
    this.rows = new DraftRows(store);
    this.#shard = shard;
    this.#firstPosition = store.nextPosition();
  }

  /** How many messages become visible. */
  get messageCount(): number {
    return this.#entries.length;
  }

  /** The queues that grow. */
  get grownQueues(): Iterable<number> {
    return this.#ends.keys();
  }

  /** The shard this turn belongs to. */
  get shard(): number {
    return this.#shard;
  }

  /** Record bytes that become visible. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a record; its offsets and stored time are filled in when the turn is finished. */
  append(queueKey: number, tagHash: number, record: Uint8Array): Place {
    const offset = this.#ends.get(queueKey) ?? this.#store.maxOffset(queueKey);
    const position = this.#firstPosition + this.#entries.length;
    this.#ends.set(queueKey, offset + 1);
    const bytes = record.length;
    this.#entries.push({ queueKey, queueOffset: offset, start: this.#bytes, bytes, tagHash });
    this.#sources.push(record);
    this.#bytes += bytes;
    return { offset, position };
  }

  /** Stores a retry that becomes visible at `dueMs`. */
  delay(queueKey: number, tagHash: number, record: Uint8Array, dueMs: number): void {
    const messageId = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
    const names = { kind: "retry", messageId, timerKey: null } as const;
    this.rows.putDelayed({ ...names, dueMs, queueKey, tagHash, record });
    this.mustSurvive("power-loss");
  }

  /** Makes a delayed message visible now. */
  release(row: DelayedRow): void {
    const place = this.append(row.queueKey, row.tagHash, row.record);
    // A retry's topic is the group's own: nobody sends it there a second time.
    if (row.kind === "timer") this.noteId(row.messageId, row.record, place, null);
    this.rows.deleteDelayed(row);
    this.mustSurvive("power-loss");
  }

  /** Ids that become known with the commit, in the order of their positions. */
  get newIds(): readonly NewId[] {
    return this.#newIds;
  }

  /** Notes the id of a message just appended, so that it is recognised when it is sent again. */
  noteId(id: string, record: Uint8Array, place: Place, windowMs: number | null): void {
    if (id === "") return;
    const name = `${recordTopic(record, 0)}\n${id}`;
    const first = { queueId: recordQueueId(record, 0), ...place, storedMs: this.storedMs };
    if (!this.firstPlaces.has(name)) this.firstPlaces.set(name, first);
    this.#newIds.push({ id, position: place.position, windowMs });
  }

  /** Notes that this turn makes a message visible that is asked for by its id. */
  noteShown(messageId: string): void {
    this.#shown.add(messageId);
  }

  /** Whether this turn made the message visible, as far as it was noted. */
  shows(messageId: string): boolean {
    return this.#shown.has(messageId);
  }

  /** Notes what was done to a group's place, for those who ask, and for undoing it. */
  note(event: Omit<PlaceEvent, "id" | "atMs" | "position">): void {
    const id = this.#nextEventId ?? this.#store.lastEventId() + 1;
    this.#nextEventId = id + 1;
    const position = this.#firstPosition + this.#entries.length;
    this.#events.push({ ...event, id, atMs: this.nowMs, position });
    this.mustSurvive("power-loss");
  }

  /** Raises what the commit must survive. */
  mustSurvive(durability: Durability): void {
    if (durability === "power-loss") this.#durability = durability;
  }

  /** The finished record, or `null` when the turn changes nothing. */
  finish(
    writes: { offsets: readonly OffsetWrite[]; inflight: readonly InflightWrite[] },
  ): TurnRecord | null {
    const changes = this.#entries.length + writes.offsets.length + writes.inflight.length +
      this.rows.count;
    if (changes === 0) return null;
    return {
      firstPosition: this.#firstPosition,
      storedMs: this.storedMs,
      entries: this.#entries,
      records: this.#join(),
      offsets: writes.offsets,
      inflight: writes.inflight,
      ...this.rows.writes,
      events: this.#events,
      durability: this.#durability,
    };
  }

  #join(): Uint8Array {
    const records = new Uint8Array(this.#bytes);
    const place = { queueOffset: 0, physicalOffset: 0, storedMs: this.storedMs };
    for (let index = 0; index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      records.set(this.#sources[index]!, entry.start);
      place.queueOffset = entry.queueOffset;
      place.physicalOffset = packPhysicalOffset(this.#shard, this.#firstPosition + index);
      patchRecord(records, entry.start, place);
    }
    return records;
  }
}
