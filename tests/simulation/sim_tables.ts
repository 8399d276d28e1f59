/**
 * What is not in the log, as plain maps: delayed rows, half messages, and events of places. Slow
 * and simple on purpose, as `sim_image.ts` is.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import { limits } from "../../src/base/limits.ts";
import type {
  DelayedQuery,
  DelayedRow,
  HalfRow,
  HalfState,
  PlaceEvent,
  TurnRecord,
} from "../../src/ports/shard_store.ts";

/** Tables of one simulated shard beside its log. */
export class SimTables {
  readonly delayed = new Map<number, DelayedRow>();
  readonly halves = new Map<number, HalfRow>();
  lastDelayedId = 0;
  lastHalfId = 0;
  lastEventId = 0;
  #events: PlaceEvent[] = [];

  /** Refuses what no shard may ask for. */
  check({ delayedPuts, delayedDeletes }: TurnRecord): void {
    const ids = new Set(delayedPuts.map((row) => row.id));
    assert(ids.size === delayedPuts.length, "a turn puts a delayed row once");
    const after = new Map(this.delayed);
    for (const id of delayedDeletes) after.delete(id);
    for (const row of delayedPuts) after.set(row.id, row);
    const names = [...after.values()].filter(({ timerKey }) => timerKey !== null)
      .map(({ queueKey, timerKey }) => `${queueKey} ${timerKey}`);
    assert(names.length === new Set(names).size, "one pending timer of a queue carries a key");
  }

  /** Deletes before puts, so that a turn can replace a timer by its key. */
  write({ delayedPuts, delayedDeletes, halfPuts, events }: TurnRecord): void {
    for (const id of delayedDeletes) this.delayed.delete(id);
    for (const row of delayedPuts) {
      this.delayed.set(row.id, row);
      this.lastDelayedId = Math.max(this.lastDelayedId, row.id);
    }
    for (const row of halfPuts) {
      this.halves.set(row.id, row);
      this.lastHalfId = Math.max(this.lastHalfId, row.id);
    }
    for (const event of events) {
      const { groupKey, queueKey } = event;
      const others = (one: PlaceEvent) => one.groupKey !== groupKey || one.queueKey !== queueKey;
      const kept = [event, ...this.events(groupKey, queueKey, limits.eventsPerPlaceMax - 1)];
      this.#events = [...this.#events.filter(others), ...kept.reverse()];
      this.lastEventId = Math.max(this.lastEventId, event.id);
    }
  }

  /** Pending rows in order of due time and id. */
  delayedInOrder(): DelayedRow[] {
    return [...this.delayed.values()]
      .sort((one, other) => one.dueMs - other.dueMs || one.id - other.id);
  }

  delayedById(queueKeys: readonly number[], messageId: string): DelayedRow | null {
    return this.delayedInOrder().find((row) =>
      row.messageId === messageId && queueKeys.includes(row.queueKey)
    ) ?? null;
  }

  delayedByKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null {
    return this.delayedInOrder().find((row) =>
      row.timerKey === timerKey && queueKeys.includes(row.queueKey)
    ) ?? null;
  }

  delayedList({ queueKeys, fromMs, toMs, afterId, countMax }: DelayedQuery): DelayedRow[] {
    return this.delayedInOrder().filter(({ queueKey, dueMs, id, kind }) =>
      kind === "timer" && queueKeys.includes(queueKey) && dueMs >= fromMs && dueMs <= toMs &&
      (afterId === null || dueMs > fromMs || id > afterId)
    ).slice(0, countMax);
  }

  delayedCount(queueKeys: readonly number[]): number {
    let count = 0;
    for (const { queueKey, kind } of this.delayed.values()) {
      if (kind === "timer" && queueKeys.includes(queueKey)) count++;
    }
    return count;
  }

  halvesDue(untilMs: number, countMax: number): HalfRow[] {
    return this.#prepared().filter((row) => row.nextCheckMs <= untilMs).slice(0, countMax);
  }

  nextHalfCheckMs(): number | null {
    return this.#prepared()[0]?.nextCheckMs ?? null;
  }

  halvesIn(state: HalfState, afterId: number, countMax: number): HalfRow[] {
    return [...this.halves.values()].filter((row) => row.state === state && row.id > afterId)
      .sort((one, other) => one.id - other.id).slice(0, countMax);
  }

  halfByMessageId(messageId: string): HalfRow | null {
    const found = [...this.halves.values()].filter((row) => row.messageId === messageId);
    return found.sort((one, other) => other.id - one.id)[0] ?? null;
  }

  /** Verdicts before `settledBeforeMs`, oldest first. */
  purgeable(settledBeforeMs: number, countMax: number): number[] {
    return [...this.halves.values()]
      .filter((row) => row.settledMs > 0 && row.settledMs < settledBeforeMs)
      .sort((one, other) => one.settledMs - other.settledMs || one.id - other.id)
      .slice(0, countMax).map((row) => row.id);
  }

  events(groupKey: number, queueKey: number, countMax: number): PlaceEvent[] {
    return this.#events
      .filter((event) => event.groupKey === groupKey && event.queueKey === queueKey)
      .sort((one, other) => other.id - one.id).slice(0, countMax);
  }

  /** Rows of these queues, at most so many. */
  waitingIn(queueKeys: readonly number[], rowsMax: number) {
    const idsOf = (rows: Iterable<DelayedRow | HalfRow>) =>
      [...rows].filter(({ queueKey }) => queueKeys.includes(queueKey)).map(({ id }) => id);
    const delayed = idsOf(this.delayed.values()).slice(0, rowsMax);
    return { delayed, halves: idsOf(this.halves.values()).slice(0, rowsMax - delayed.length) };
  }

  dropQueue(queueKey: number): void {
    for (const [id, row] of this.delayed) if (row.queueKey === queueKey) this.delayed.delete(id);
    for (const [id, row] of this.halves) if (row.queueKey === queueKey) this.halves.delete(id);
    this.#events = this.#events.filter((event) => event.queueKey !== queueKey);
  }

  dropGroup(groupKey: number): void {
    this.#events = this.#events.filter((event) => event.groupKey !== groupKey);
  }

  #prepared(): HalfRow[] {
    return [...this.halves.values()].filter((row) => row.state === "prepared")
      .sort((one, other) => one.nextCheckMs - other.nextCheckMs || one.id - other.id);
  }
}
