/**
 * What a simulated shard's disk says: the port's tables as plain maps, changed by operations that
 * can be replayed. Slow and simple on purpose, since the real store is held to the same contract.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { WireError } from "../../src/model/errors.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties, recordSize } from "../../src/model/record.ts";
import type { QueueEntry, RetentionRule, TurnRecord } from "../../src/ports/shard_store.ts";
import { SimTables } from "./sim_tables.ts";

/** One change of the disk, as a whole or not at all. */
export type DiskOperation =
  | { readonly kind: "turn"; readonly record: TurnRecord }
  | { readonly kind: "drop-queues"; readonly queueKeys: readonly number[] }
  | {
    readonly kind: "drop-rows";
    readonly delayed: readonly number[];
    readonly halves: readonly number[];
  }
  | { readonly kind: "drop-group"; readonly groupKey: number }
  | { readonly kind: "purge-halves"; readonly ids: readonly number[] }
  | { readonly kind: "trim"; readonly minimums: ReadonlyMap<number, number> };

/** A message of the log, with its record cut out of the turn. */
export type StoredMessage = QueueEntry & {
  readonly queueKey: number;
  readonly storedMs: number;
  readonly record: Uint8Array;
};

type Queue = { minOffset: number; readonly messages: StoredMessage[] };
type GroupRow = { readonly groupKey: number; readonly queueKey: number };

/** Names a row of the tables of groups. */
function rowKey(groupKey: number, queueKey: number, chunk?: number): string {
  return chunk === undefined ? `${groupKey}:${queueKey}` : `${groupKey}:${queueKey}:${chunk}`;
}

/** The tables of one disk at one moment. */
export class SimImage {
  nextPosition = 1;
  lastStoredMs = 0;
  /** Position − 1 → the message; `null` once it was trimmed. */
  readonly log: (StoredMessage | null)[] = [];
  readonly queues = new Map<number, Queue>();
  readonly offsets = new Map<string, GroupRow & { readonly next: number }>();
  readonly inflight = new Map<
    string,
    GroupRow & { readonly chunk: number; readonly entries: Uint8Array }
  >();
  readonly tables = new SimTables();
  readonly #dropped = new Set<number>();

  apply(operation: DiskOperation): void {
    switch (operation.kind) {
      case "turn":
        this.#append(operation.record);
        this.#writeTables(operation.record);
        return;
      case "drop-queues":
        for (const queueKey of operation.queueKeys) this.#dropQueue(queueKey);
        return;
      case "drop-rows":
        for (const id of operation.delayed) this.tables.delayed.delete(id);
        for (const id of operation.halves) this.tables.halves.delete(id);
        return;
      case "drop-group":
        forget(this.offsets, (row) => row.groupKey === operation.groupKey);
        forget(this.inflight, (row) => row.groupKey === operation.groupKey);
        this.tables.dropGroup(operation.groupKey);
        return;
      case "purge-halves":
        for (const id of operation.ids) this.tables.halves.delete(id);
        return;
      case "trim":
        for (const [queueKey, minOffset] of operation.minimums) this.#trim(queueKey, minOffset);
    }
  }

  /** Refuses what no shard may ask for: such a turn is a bug of the shard. */
  check(record: TurnRecord): void {
    assert(record.firstPosition === this.nextPosition, "a turn begins where the log ends");
    assert(record.storedMs >= this.lastStoredMs, "stored time does not go back");
    this.tables.check(record);
    const ends = new Map<number, number>();
    for (const { queueKey, queueOffset, start, bytes } of record.entries) {
      assert(!this.#dropped.has(queueKey), "the key of a dropped queue is not used again");
      const end = ends.get(queueKey) ?? this.maxOffset(queueKey);
      assert(queueOffset === end, "queue offsets leave no gap");
      assert(start + bytes <= record.records.length, "an entry lies within the records");
      ends.set(queueKey, end + 1);
    }
  }

  /** Every queue something is stored of. */
  queueKeys(): number[] {
    const rows = [
      ...this.offsets.values(),
      ...this.tables.delayed.values(),
      ...this.tables.halves.values(),
    ];
    return [...new Set([...this.queues.keys(), ...rows.map(({ queueKey }) => queueKey)])];
  }

  minOffset(queueKey: number): number {
    return this.queues.get(queueKey)?.minOffset ?? 0;
  }

  maxOffset(queueKey: number): number {
    return this.queues.get(queueKey)?.messages.length ?? 0;
  }

  /** Messages whose unique key is `key`, or that name it among their keys; newest first. */
  findByKey(key: string, countMax: number, beforePosition: number, fromPosition: number): number[] {
    const found: number[] = [];
    const lowest = Math.max(1, fromPosition);
    for (let at = beforePosition - 1; at >= lowest && found.length < countMax; at--) {
      const message = this.log[at - 1];
      if (message && keysOf(message.record).includes(key)) found.push(at);
    }
    return found;
  }

  /** How far each queue may be trimmed, in one step of at most `countMax` messages a queue. */
  trimmable(
    rules: readonly RetentionRule[],
    floors: (queueKey: number) => number | null,
    nowMs: number,
    countMax: number,
  ): Map<number, number> {
    const minimums = new Map<number, number>();
    for (const rule of rules) {
      let excess = this.#bytesOf(rule.queueKeys) - (rule.retentionBytes ?? Infinity);
      for (const queueKey of rule.queueKeys) {
        const queue = this.queues.get(queueKey);
        if (queue === undefined) continue;
        const floor = rule.deleteUnread ? null : floors(queueKey);
        const highest = Math.min(queue.messages.length - 1, floor ?? Infinity);
        let min = queue.minOffset;
        for (; min < highest && min - queue.minOffset < countMax; min++) {
          const { storedMs, bytes } = queue.messages[min]!; // below the length
          if (storedMs >= nowMs - rule.retentionMs && excess <= 0) break;
          excess -= bytes;
        }
        if (min > queue.minOffset) minimums.set(queueKey, min);
      }
    }
    return minimums;
  }

  #append(record: TurnRecord): void {
    record.entries.forEach(({ queueKey, queueOffset, start, bytes, tagHash }, index) => {
      const message: StoredMessage = {
        queueKey,
        queueOffset,
        position: record.firstPosition + index,
        bytes,
        tagHash,
        storedMs: record.storedMs,
        record: record.records.subarray(start, start + bytes),
      };
      this.log.push(message);
      const queue = this.queues.get(queueKey);
      if (queue === undefined) this.queues.set(queueKey, { minOffset: 0, messages: [message] });
      else queue.messages.push(message);
    });
    this.nextPosition += record.entries.length;
    if (record.entries.length > 0) this.lastStoredMs = record.storedMs;
  }

  #writeTables(record: TurnRecord): void {
    for (const { groupKey, queueKey, next } of record.offsets) {
      const key = rowKey(groupKey, queueKey);
      if (next === null) this.offsets.delete(key);
      else this.offsets.set(key, { groupKey, queueKey, next });
    }
    for (const { groupKey, queueKey, chunk, entries } of record.inflight) {
      const key = rowKey(groupKey, queueKey, chunk);
      if (entries === null) this.inflight.delete(key);
      else this.inflight.set(key, { groupKey, queueKey, chunk, entries });
    }
    this.tables.write(record);
  }

  #dropQueue(queueKey: number): void {
    this.#trim(queueKey, this.maxOffset(queueKey));
    this.queues.delete(queueKey);
    this.#dropped.add(queueKey);
    forget(this.offsets, (row) => row.queueKey === queueKey);
    forget(this.inflight, (row) => row.queueKey === queueKey);
    this.tables.dropQueue(queueKey);
  }

  #trim(queueKey: number, minOffset: number): void {
    const queue = this.queues.get(queueKey);
    if (queue === undefined) return;
    for (let offset = queue.minOffset; offset < minOffset; offset++) {
      this.log[queue.messages[offset]!.position - 1] = null; // below the queue's end
    }
    queue.minOffset = Math.max(queue.minOffset, minOffset);
  }

  #bytesOf(queueKeys: readonly number[]): number {
    let bytes = 0;
    for (const queueKey of queueKeys) {
      const queue = this.queues.get(queueKey);
      for (const message of queue?.messages.slice(queue.minOffset) ?? []) bytes += message.bytes;
    }
    return bytes;
  }
}

function forget<K, V>(rows: Map<K, V>, isGone: (row: V) => boolean): void {
  for (const [key, row] of rows) if (isGone(row)) rows.delete(key);
}

function keysOf(record: Uint8Array): string[] {
  try {
    recordSize(record, 0);
  } catch (thrown) {
    // The contract's texts are no records, and have no keys.
    if (thrown instanceof WireError) return [];
    throw thrown;
  }
  const properties = recordProperties(record, 0);
  const unique = readProperty(properties, propertyNames.uniqueKey);
  const keys = readProperty(properties, propertyNames.keys)?.split(" ") ?? [];
  return unique === undefined ? keys : [unique, ...keys];
}
