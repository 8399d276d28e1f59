/**
 * Look-ups of what is not visible: pending timers and half messages, without their bodies.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { PendingTimer, TimersAnswer, TimersAsk } from "../../src/link/timer_messages.ts";
import type { HalfView, HalvesAnswer, HalvesAsk } from "../../src/link/transaction_messages.ts";
import type { DelayedRow, HalfRow, ShardStore } from "../../src/ports/shard_store.ts";

/** Rows read at one time: each comes with its record, and a page keeps none of them. */
const stepRows = 32;

/** Answers one question about pending timers. @throws {StorageError} A row is damaged. */
export function listTimers(store: ShardStore, ask: TimersAsk): TimersAnswer {
  const { queueKeys } = ask;
  if (ask.by === "count") return { timers: [], count: store.delayedCount(queueKeys) };
  if (ask.by !== "range") {
    const row = ask.by === "id"
      ? store.delayedById(queueKeys, ask.messageId)
      : store.delayedByKey(queueKeys, ask.timerKey);
    const timers = row?.kind === "timer" ? [timerOf(row)] : [];
    return { timers, count: timers.length };
  }
  const timers: PendingTimer[] = [];
  const wanted = Math.min(ask.countMax, limits.timersPageMax);
  let { fromMs, afterId } = ask;
  while (timers.length < wanted) {
    const countMax = Math.min(stepRows, wanted - timers.length);
    const rows = store.delayedList({ queueKeys, fromMs, toMs: ask.toMs, afterId, countMax });
    timers.push(...rows.map(timerOf));
    const last = rows.at(-1);
    if (last === undefined || rows.length < countMax) break;
    fromMs = last.dueMs;
    afterId = last.id;
  }
  return { timers, count: timers.length };
}

/**
 * Answers one question about half messages. Those of deleted topics are passed over, a bounded
 * number at a time.
 *
 * @throws {StorageError} A row is damaged.
 */
export function listHalves(
  store: ShardStore,
  isGone: (queueKey: number) => boolean,
  ask: HalvesAsk,
): HalvesAnswer {
  if (ask.by === "id") {
    const row = store.half(ask.id);
    const halves = row === null || isGone(row.queueKey) ? [] : [halfOf(row)];
    return { halves, count: halves.length, moreAfterId: null };
  }
  const count = store.halfCount(ask.state, isGone);
  const halves: HalfView[] = [];
  const wanted = Math.min(ask.countMax, limits.timersPageMax);
  let { afterId } = ask;
  let looked = 0;
  while (halves.length < wanted) {
    if (looked >= limits.timersPageMax) return { halves, count, moreAfterId: afterId };
    const countMax = Math.min(stepRows, wanted - halves.length);
    const rows = store.halvesIn(ask.state, afterId, countMax);
    looked += rows.length;
    halves.push(...rows.filter(({ queueKey }) => !isGone(queueKey)).map(halfOf));
    afterId = rows.at(-1)?.id ?? afterId;
    if (rows.length < countMax) break;
  }
  return { halves, count, moreAfterId: null };
}

/** A timer without its body. */
export function timerOf(row: DelayedRow): PendingTimer {
  const { id, queueKey, dueMs, messageId, timerKey, record } = row;
  return { id, queueKey, dueMs, messageId, timerKey, bytes: record.length };
}

/** A half message without its body. */
export function halfOf(row: HalfRow): HalfView {
  const { record: _record, tagHash: _tagHash, ...view } = row;
  return view;
}
