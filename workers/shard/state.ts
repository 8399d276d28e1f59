/**
 * What a shard remembers of its groups: a copy of the store's tables, and nothing the tables do not
 * hold. A failed commit throws the copy away and reads it again.
 *
 * @module
 */
import { MinHeap } from "../../src/base/heap.ts";
import { limits } from "../../src/base/limits.ts";
import { Lru } from "../../src/base/lru.ts";
import { RecentIds } from "../../src/core/recent_ids.ts";
import { OrderWindow } from "../../src/core/order_window.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties } from "../../src/model/record.ts";
import { Deliveries } from "../../src/core/deliveries.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { DamageTally } from "./damage.ts";
import { ShardNotes } from "./notes.ts";
import type { InflightWrite, OffsetWrite, ShardStore } from "../../src/ports/shard_store.ts";
import type { NewId } from "./draft.ts";

type Due = {
  readonly dueMs: number;
  readonly queueKey: number;
  readonly deliveries: Deliveries;
};

function newSchedule(): MinHeap<Due> {
  return new MinHeap<Due>((due) => due.dueMs);
}

/** Stored times never go back, so what is stored from now on is later than what is there. */
function newRecentIds(store: ShardStore): RecentIds {
  return new RecentIds(limits.recentIdsMax, store.lastStoredMs() + 1);
}

/**
 * Reads dead letters in the operators' name: what it has finished was redriven or purged. Groups
 * count from 1, and this is none: it keeps no message from retention.
 */
export const operatorsKey = 0;

/** Messages a group passed over in a queue. */
type PassedCounts = { unmatched: number; expired: number };

/** What was dropped of a shard. */
type Dropped = { readonly queueKeys: Set<number>; readonly groupKeys: Set<number> };

const noneDropped = (): Dropped => ({ queueKeys: new Set(), groupKeys: new Set() });

/** The sharding key of a stored message; "" without one: all those are one key. */
export function shardingKeyOf(record: Uint8Array): string {
  return readProperty(recordProperties(record, 0), propertyNames.shardingKey) ?? "";
}

/**
 * The groups of one shard, by queue: their deliveries, when something of them is due, and what a
 * turn changed. `takeWrites` gives a commit what it has to store.
 */
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
  /** Bounded by the groups and queues that are consumed in order. */
  readonly #windows = new Map<string, OrderWindow>();
  readonly #holders = new Lru<number, string>({ countMax: limits.leaseHoldersMax });
  readonly #unblocked = new Set<number>();
  /** For explanations only. */
  readonly notes = new ShardNotes();
  readonly #passed = new Map<string, PassedCounts>();
  /** Of all groups and queues since the shard started. */
  readonly passedTotals: PassedCounts = { unmatched: 0, expired: 0 };
  /** Records that could not be read since the shard started. */
  readonly damage = new DamageTally();
  /**
   * Who was dropped: a poll that waited, or was under way, must not bring them back. Not in the
   * tables, because whoever could ask for them ends with this process.
   */
  readonly #droppedGroups = new Lru<number, true>({ countMax: limits.groupsMax });
  readonly #droppedQueues = new Lru<number, true>({ countMax: limits.queuesMax });
  /** Of these, what was dropped since `takeDropped`. */
  #newlyDropped = noneDropped();

  #recentIds: RecentIds;
  /** For how long ids count, as the last send that asked for it said. */
  #windowMs: number = limits.recentIdsWindowMs;
  #firstPosition: number;

  constructor(store: ShardStore) {
    this.#recentIds = newRecentIds(store);
    this.#firstPosition = store.nextPosition();
    this.reload(store);
  }

  /** Forgets what the tables hold and reads them again: after a failed write, or a new opening. */
  reload(store: ShardStore): void {
    this.#recentIds = newRecentIds(store);
    this.#firstPosition = store.nextPosition();
    this.#groups = new Map();
    this.#readers = new Map();
    this.#changed = new Map();
    this.#schedule = newSchedule();
    this.#scheduled = new Map();
    this.#windows.clear();
    for (const { groupKey, queueKey, next } of store.loadOffsets()) {
      // Its rows are dropped in steps, and some may be left.
      if (this.#droppedQueues.has(queueKey)) continue;
      this.#add(groupKey, queueKey, new Deliveries(next));
    }
    const rows = [...store.loadInflight()].sort((one, other) => one.chunk - other.chunk);
    for (const { groupKey, queueKey, chunk, entries } of rows) {
      this.deliveries(groupKey, queueKey)?.restore(chunk, entries);
    }
    for (const queues of this.#groups.values()) {
      for (const [queueKey, deliveries] of queues) {
        this.#plan(queueKey, deliveries);
        // The clock may have been set back since: a number in use must not be given again.
        for (const { lease } of deliveries.all()) {
          this.#lastLease = Math.max(this.#lastLease, lease);
        }
      }
    }
  }

  /** Ids that producers chose, of the messages at `firstPosition` and above. */
  get recentIds(): RecentIds {
    return this.#recentIds;
  }

  /** A turn is committed: what it stored under an id is known from now on. */
  noteIds(newIds: readonly NewId[], storedMs: number): void {
    for (const { id, position, windowMs } of newIds) {
      if (windowMs !== null) this.#windowMs = windowMs;
      this.#recentIds.add(id, position, storedMs, this.#windowMs);
    }
  }

  /** What lies below was stored before the tables were read last. */
  get firstPosition(): number {
    return this.#firstPosition;
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

  /** @throws {BrokerError} `topic_not_found`: the topic was deleted while this was on its way. */
  needQueue(queueKey: number): void {
    if (!this.#droppedQueues.has(queueKey)) return;
    throw new BrokerError("topic_not_found", "The topic was deleted while the request was coming");
  }

  /** What was dropped since the last call: whoever waits for it is to be told. */
  takeDropped(): Dropped {
    const dropped = this.#newlyDropped;
    if (dropped.queueKeys.size + dropped.groupKeys.size > 0) this.#newlyDropped = noneDropped();
    return dropped;
  }

  /** All groups that have a place in some queue. */
  groupKeys(): Iterable<number> {
    return this.#groups.keys();
  }

  /** Whether the queue's topic was deleted. */
  isDropped(queueKey: number): boolean {
    return this.#droppedQueues.has(queueKey);
  }

  /** The queues a group has a place in. */
  queuesOf(groupKey: number): Iterable<number> {
    return this.#groups.get(groupKey)?.keys() ?? [];
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

  /**
   * The rows that hold this turn's changes: each group and queue once, however often it changed.
   */
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
    if (readers === undefined) return null;
    let floor = Infinity;
    for (const [groupKey, deliveries] of readers) {
      if (groupKey !== operatorsKey) floor = Math.min(floor, deliveries.committed);
    }
    return floor === Infinity ? null : floor;
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
    for (const [groupKey, queues] of this.#groups) {
      if (groupKey === operatorsKey) continue;
      for (const deliveries of queues.values()) count += deliveries.openCount;
    }
    return count;
  }

  /** A number no delivery of this shard had before, also across restarts. */
  newLease(nowMs: number, clientId: string): number {
    this.#lastLease = Math.max(this.#lastLease + 1, nowMs * 1024);
    this.#holders.set(this.#lastLease, clientId);
    return this.#lastLease;
  }

  /** Who was given a lease; `undefined` when that was before the last start, or long ago. */
  holderOf(lease: number): string | undefined {
    return this.#holders.get(lease);
  }

  /**
   * The window of an ordered group over a queue, built from what is open when it is first needed.
   */
  window(
    groupKey: number,
    queueKey: number,
    store: Pick<ShardStore, "entries" | "records">,
  ): OrderWindow {
    const name = `${groupKey}/${queueKey}`;
    const known = this.#windows.get(name);
    if (known !== undefined) return known;
    const window = new OrderWindow();
    for (const { offset } of this.deliveries(groupKey, queueKey)?.all() ?? []) {
      const entry = store.entries(queueKey, offset, 1)[0];
      if (entry?.queueOffset !== offset) continue;
      const record = store.records([entry.position])[0];
      window.add(record === undefined ? "" : shardingKeyOf(record), offset);
    }
    this.#windows.set(name, window);
    return window;
  }

  /**
   * A group that is no longer ordered, or was set back: the next receive builds its window anew.
   */
  forgetWindow(groupKey: number, queueKey: number): void {
    if (this.#windows.size > 0) this.#windows.delete(`${groupKey}/${queueKey}`);
  }

  /** A message is finished: the next one of its key may move. */
  finished(groupKey: number, queueKey: number, offset: number): void {
    const window = this.#windows.get(`${groupKey}/${queueKey}`);
    if (window?.remove(offset)) this.unblock(queueKey);
  }

  /** Something of the queue may be handed out that could not before: whoever waits is to try. */
  unblock(queueKey: number): void {
    this.#unblocked.add(queueKey);
  }

  /** The queues of `unblock` since the last call. */
  takeUnblocked(): Iterable<number> {
    if (this.#unblocked.size === 0) return [];
    const queueKeys = [...this.#unblocked];
    this.#unblocked.clear();
    return queueKeys;
  }

  /** Counts a message that was finished without being handed out. */
  countPassed(groupKey: number, queueKey: number, why: keyof PassedCounts): void {
    const name = `${groupKey}/${queueKey}`;
    const counts = this.#passed.get(name) ?? { unmatched: 0, expired: 0 };
    counts[why]++;
    this.passedTotals[why]++;
    this.#passed.set(name, counts);
  }

  /** What was passed over since the shard started. */
  passed(groupKey: number, queueKey: number): Readonly<PassedCounts> {
    return this.#passed.get(`${groupKey}/${queueKey}`) ?? { unmatched: 0, expired: 0 };
  }

  dropQueues(queueKeys: readonly number[]): void {
    for (const queueKey of queueKeys) {
      this.#droppedQueues.set(queueKey, true);
      this.#newlyDropped.queueKeys.add(queueKey);
      this.#readers.delete(queueKey);
      for (const queues of this.#groups.values()) queues.delete(queueKey);
    }
  }

  dropGroup(groupKey: number): void {
    this.#droppedGroups.set(groupKey, true);
    this.#newlyDropped.groupKeys.add(groupKey);
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
