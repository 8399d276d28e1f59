/**
 * What a turn changes beside the log: groups' places, delayed messages, halves, events. Memory
 * follows the file as in the rest of the store:
 *
 *     check ──▶ begin, write (inside the transaction) ──▶ settle (after the commit)
 *
 * @module
 */
import type { DropResult, TurnRecord } from "../src/ports/shard_store.ts";
import { DelayStore } from "./delay_store.ts";
import { EventStore } from "./event_store.ts";
import { GroupStore } from "./group_store.ts";
import { HalfStore } from "./half_store.ts";
import { drizzleOver, type SqliteClient } from "./session.ts";

/** The small tables of one shard. */
export class SideTables {
  readonly groups: GroupStore;
  readonly delays: DelayStore;
  readonly halves: HalfStore;
  readonly events: EventStore;

  constructor(client: SqliteClient, path: string) {
    this.groups = new GroupStore(client, drizzleOver(client));
    this.delays = new DelayStore(client, path);
    this.halves = new HalfStore(client, path);
    this.events = new EventStore(client);
  }

  /** Whether the turn brings messages here: what a full disk refuses. */
  grow(record: TurnRecord): boolean {
    return record.delayedPuts.length > 0 || this.halves.hasNew(record.halfPuts);
  }

  /** Refuses what no shard may ask for. */
  check(record: TurnRecord): void {
    this.delays.check(record.delayedPuts, record.delayedDeletes);
  }

  begin(): void {
    this.delays.begin();
    this.halves.begin();
    this.events.begin();
  }

  write(record: TurnRecord): void {
    this.begin();
    const { offsets, inflight, delayedPuts, delayedDeletes, halfPuts, events } = record;
    if (offsets.length > 0) this.groups.writeOffsets(offsets);
    if (inflight.length > 0) this.groups.writeInflight(inflight);
    if (delayedPuts.length + delayedDeletes.length > 0) {
      this.delays.write(delayedPuts, delayedDeletes);
    }
    if (halfPuts.length > 0) this.halves.write(halfPuts);
    if (events.length > 0) this.events.write(events);
  }

  settle(): void {
    this.delays.settle();
    this.halves.settle();
    this.events.settle();
  }

  /** Every queue that something of these tables belongs to. */
  queueKeys(): Set<number> {
    const keys = [this.groups.queueKeys(), this.delays.queueKeys(), this.halves.queueKeys()];
    return new Set(keys.flat());
  }

  /** Deletes messages that wait, at most `rowsMax` at a time. */
  dropWaiting(queueKeys: readonly number[], rowsMax: number): DropResult {
    const rows = this.delays.dropSome(queueKeys, rowsMax);
    if (rows === rowsMax) return { rows, more: true };
    const halves = this.halves.dropSome(queueKeys, rowsMax - rows);
    return { rows: rows + halves.rows, more: halves.more };
  }

  /** What is left of queues once nothing waits in them. */
  dropQueues(queueKeys: readonly number[]): void {
    this.groups.dropQueues(queueKeys);
    this.events.dropQueues(queueKeys);
  }

  dropGroup(groupKey: number): void {
    this.groups.dropGroup(groupKey);
    this.events.dropGroup(groupKey);
  }
}

/** Rows of delayed messages and halves that a turn touches. */
export function changedRows(record: TurnRecord): number {
  return record.delayedPuts.length + record.delayedDeletes.length + record.halfPuts.length;
}
