/**
 * What a shard remembers of its groups: a copy of the store's tables, and nothing the tables do not
 * hold. A failed commit throws the copy away and reads it again.
 *
 * @module
 */
import { MinHeap } from "../../src/base/heap.ts";
import { limits } from "../../src/base/limits.ts";
import { Lru } from "../../src/base/lru.ts";
import { Deliveries } from "../../src/core/deliveries.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { InflightWrite, OffsetWrite, ShardStore } from "../../src/ports/shard_store.ts";

type Due = {
  readonly dueMs: number;
  readonly queueKey: number;
  readonly deliveries: Deliveries;
};

function newSchedule(): MinHeap<Due> {
  return new MinHeap<Due>((due) => due.dueMs);
}

export class ShardState {
  /** Group → queue → deliveries. Bounded by the groups and queues of the registry. */
  #groups = new Map<number, Map<number, Deliveries>>();
  /** Queue → its readers: who holds retention back, who may be waiting. */
  #readers = new Map<number, Map<number, Deliveries>>();
  #changed = new Map<Deliveries, { readonly groupKey: number; readonly queueKey: number }>();
  /** One valid entry for each deliveries object with something open; older ones are stale. */
  #schedule = newSchedule();
  #scheduled = new Map<Deliveries, number>();
  #lastLease = 0;
  /**
   * Who was dropped: a poll that waited, or was under way, must not bring them back. Not in the
   * tables, because whoever could ask for them ends with this process.
   */
  readonly #droppedGroups = new Lru<number, true>({ countMax: limits.groupsMax });
  readonly #droppedQueues = new Lru<number, true>({ countMax: limits.queuesMax });

  constructor(store: ShardStore) {
    this.reload(store);
  }

  /** Forgets what the tables hold and reads them again: after a failed write, or a new opening. */
  reload(store: ShardStore): void {
    this.#groups = new Map();
    this.#readers = new Map();
    this.#changed = new Map();
    this.#schedule = newSchedule();
    this.#scheduled = new Map();
    for (const { groupKey, queueKey, next } of store.loadOffsets()) {
      this.#add(groupKey, queueKey, new Deliveries(next));
    }
    const rows = [...store.loadInflight()].sort((one, other) => one.chunk - other.chunk);
    for (const { groupKey, queueKey, chunk, entries } of rows) {
      this.deliveries(groupKey, queueKey)?.restore(chunk, entries);
    }
    for (const queues of this.#groups.values()) {
      for (const [queueKey, deliveries] of queues) this.#plan(queueKey, deliveries);
    }
  }

  /** A group's deliveries of a queue; `undefined` when it has no place there yet. */
  deliveries(groupKey: number, queueKey: number): Deliveries | undefined {
    return this.#groups.get(groupKey)?.get(queueKey);
  }

  /** @throws {BrokerError} `group_not_found`: the group was deleted while it was asked for. */
  needGroup(groupKey: number): void {
    if (!this.#droppedGroups.has(groupKey)) return;
    throw new BrokerError("group_not_found", "The group was deleted while it was waiting");
  }

  /** Whether the queue's topic was deleted. */
  isDropped(queueKey: number): boolean {
    return this.#droppedQueues.has(queueKey);
  }

  /** Gives a group its first place in a queue. */
  begin(groupKey: number, queueKey: number, next: number): Deliveries {
    const deliveries = new Deliveries(next);
    this.#add(groupKey, queueKey, deliveries);
    deliveries.reset(next);
    this.touch(groupKey, queueKey, deliveries);
    return deliveries;
  }

  /** Notes that deliveries changed in this turn, so that the turn stores them. */
  touch(groupKey: number, queueKey: number, deliveries: Deliveries): void {
    this.#changed.set(deliveries, { groupKey, queueKey });
  }

  /** The rows that hold this turn's changes: each group and queue once, however often it changed. */
  takeWrites(): { offsets: OffsetWrite[]; inflight: InflightWrite[] } {
    const offsets: OffsetWrite[] = [];
    const inflight: InflightWrite[] = [];
    for (const [deliveries, { groupKey, queueKey }] of this.#changed) {
      if (deliveries.takeNextMoved()) offsets.push({ groupKey, queueKey, next: deliveries.next });
      for (const { chunk, entries } of deliveries.takeDirtyChunks()) {
        inflight.push({ groupKey, queueKey, chunk, entries });
      }
      this.#plan(queueKey, deliveries);
    }
    this.#changed.clear();
    return { offsets, inflight };
  }

  /** The smallest offset of a queue that some group has not finished; `null` without readers. */
  floor(queueKey: number): number | null {
    const readers = this.#readers.get(queueKey);
    if (readers === undefined || readers.size === 0) return null;
    let floor = Infinity;
    for (const deliveries of readers.values()) floor = Math.min(floor, deliveries.committed);
    return floor;
  }

  /** When some open delivery may be handed out again; `null` when none is open. */
  nextDueMs(): number | null {
    return this.#schedule.peek()?.dueMs ?? null;
  }

  /** The queues in which a delivery's time is over since the last call. */
  takeDueQueues(nowMs: number): Set<number> {
    const queueKeys = new Set<number>();
    for (let top = this.#schedule.peek(); top && top.dueMs <= nowMs; top = this.#schedule.peek()) {
      this.#schedule.pop();
      if (this.#scheduled.get(top.deliveries) !== top.dueMs) continue;
      this.#scheduled.delete(top.deliveries);
      const dueMs = top.deliveries.nextDueMs();
      if (dueMs === null) continue;
      if (dueMs <= nowMs) queueKeys.add(top.queueKey);
      else this.#plan(top.queueKey, top.deliveries);
    }
    return queueKeys;
  }

  openCount(): number {
    let count = 0;
    for (const queues of this.#groups.values()) {
      for (const deliveries of queues.values()) count += deliveries.openCount;
    }
    return count;
  }

  /** A number no delivery of this shard had before, also across restarts. */
  newLease(nowMs: number): number {
    this.#lastLease = Math.max(this.#lastLease + 1, nowMs * 1024);
    return this.#lastLease;
  }

  dropQueues(queueKeys: readonly number[]): void {
    for (const queueKey of queueKeys) {
      this.#droppedQueues.set(queueKey, true);
      this.#readers.delete(queueKey);
      for (const queues of this.#groups.values()) queues.delete(queueKey);
    }
  }

  dropGroup(groupKey: number): void {
    this.#droppedGroups.set(groupKey, true);
    this.#groups.delete(groupKey);
    for (const readers of this.#readers.values()) readers.delete(groupKey);
  }

  #plan(queueKey: number, deliveries: Deliveries): void {
    const dueMs = deliveries.nextDueMs();
    if (dueMs === null) return;
    const planned = this.#scheduled.get(deliveries);
    if (planned !== undefined && planned <= dueMs) return;
    this.#scheduled.set(deliveries, dueMs);
    this.#schedule.push({ dueMs, queueKey, deliveries });
  }

  #add(groupKey: number, queueKey: number, deliveries: Deliveries): void {
    const queues = this.#groups.get(groupKey);
    if (queues === undefined) this.#groups.set(groupKey, new Map([[queueKey, deliveries]]));
    else queues.set(queueKey, deliveries);
    const readers = this.#readers.get(queueKey);
    if (readers === undefined) this.#readers.set(queueKey, new Map([[groupKey, deliveries]]));
    else readers.set(groupKey, deliveries);
  }
}
