/**
 * What a turn is going to write, while it is being decided. Nothing here is visible to anybody
 * before the commit, and a draft that fails is thrown away.
 *
 * @module
 */
import { packPhysicalOffset } from "../../src/model/message_id.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { patchRecord, recordProperties } from "../../src/model/record.ts";
import type { Durability } from "../../src/model/durability.ts";
import type {
  DelayedRow,
  InflightWrite,
  LogEntry,
  OffsetWrite,
  ShardStore,
  TurnRecord,
} from "../../src/ports/shard_store.ts";

/** Where a message of the draft will be. */
export type Place = { readonly offset: number; readonly position: number };

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
  readonly #delayedPuts: DelayedRow[] = [];
  readonly #delayedDeletes: number[] = [];
  /** Asked of the store when the first one is needed: most turns need none. */
  #nextDelayedId: number | null = null;
  #bytes = 0;
  #durability: Durability = "process-crash";

  /** `nowMs` decides what is due; messages are stamped with a time that never goes back. */
  constructor(store: ShardStore, shard: number, nowMs: number) {
    this.nowMs = nowMs;
    this.storedMs = Math.max(nowMs, store.lastStoredMs());
    this.#store = store;
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

  /** Whether messages that were delayed become visible. */
  get releasesAny(): boolean {
    return this.#delayedDeletes.length > 0;
  }

  get delayedChanged(): boolean {
    return this.#delayedPuts.length > 0 || this.#delayedDeletes.length > 0;
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
    const id = this.#nextDelayedId ?? this.#store.lastDelayedId() + 1;
    this.#nextDelayedId = id + 1;
    const messageId = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
    const names = { kind: "retry", messageId, timerKey: null } as const;
    this.#delayedPuts.push({ id, ...names, dueMs, queueKey, tagHash, record });
    this.mustSurvive("power-loss");
  }

  /** Makes a delayed message visible now. */
  release(row: DelayedRow): void {
    this.append(row.queueKey, row.tagHash, row.record);
    this.#delayedDeletes.push(row.id);
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
      this.#delayedPuts.length + this.#delayedDeletes.length;
    if (changes === 0) return null;
    return {
      firstPosition: this.#firstPosition,
      storedMs: this.storedMs,
      entries: this.#entries,
      records: this.#join(),
      offsets: writes.offsets,
      inflight: writes.inflight,
      delayedPuts: this.#delayedPuts,
      delayedDeletes: this.#delayedDeletes,
      halfPuts: [],
      events: [],
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
