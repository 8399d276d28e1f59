/**
 * What a turn does because its time has come: delayed messages become visible, producers are asked
 * about half messages, and those that were asked too often are parked.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { limits } from "../../src/base/limits.ts";
import type { HalfCheck } from "../../src/link/transaction_messages.ts";
import type { HalfRow, ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import type { ShardState } from "./state.ts";

/** Rows released in one turn; more are released in the next one at once. */
const releaseRowsMax = 1024;

/** How often, and how many times, producers are asked. */
export type CheckPolicy = { readonly intervalMs: number; readonly checksMax: number };

/** RocketMQ's: every 30 s, fifteen times. */
export const defaultCheckPolicy: CheckPolicy = { intervalMs: 30_000, checksMax: 15 };

/** What was due. `more`: another turn has to follow at once. */
export type Released = { readonly count: number; readonly more: boolean };

/**
 * Makes what is due visible, oldest first, unless the turn has called it off. What is due in a
 * dropped queue goes, before the steps that drop it come to it.
 */
export function planRelease(draft: TurnDraft, store: ShardStore, state: ShardState): Released {
  const rows = store.delayedDue(draft.nowMs, releaseRowsMax);
  let count = 0;
  for (const row of rows) {
    if (draft.rows.isDeleted(row.id)) continue;
    if (state.isDropped(row.queueKey)) {
      draft.rows.deleteDelayed(row);
      continue;
    }
    if (count > 0 && draft.bytes + row.record.length > limits.turnBytesMax) {
      return { count, more: true };
    }
    draft.release(row);
    count++;
  }
  return { count, more: rows.length === releaseRowsMax };
}

/** The questions of a turn, to be told after its commit. */
export type DueChecks = { readonly checks: readonly HalfCheck[]; readonly more: boolean };

/**
 * Takes the half messages whose producers are to be asked. Each is put off by an interval whether
 * or not anybody can be asked: only what was really asked is counted, later, by `checked`.
 */
export function planChecks(
  draft: TurnDraft,
  store: ShardStore,
  state: ShardState,
  policy: CheckPolicy,
): DueChecks {
  const rows = store.halvesDue(draft.nowMs, limits.checksPerTurnMax);
  const checks: HalfCheck[] = [];
  let bytes = 0;
  for (const stored of rows) {
    const row = draft.rows.half(stored.id);
    // Settled, asked or armed anew in this very turn.
    if (row?.state !== "prepared" || row.nextCheckMs > draft.nowMs) continue;
    if (state.isDropped(row.queueKey)) {
      // Nobody is asked any more; the row goes with its queue.
      draft.rows.putHalf({ ...row, nextCheckMs: draft.nowMs + policy.intervalMs });
      continue;
    }
    if (row.checks >= policy.checksMax) {
      draft.rows.putHalf({ ...row, state: "parked" });
      continue;
    }
    bytes += row.record.length;
    if (checks.length > 0 && bytes > limits.checkBytesPerTurnMax) return { checks, more: true };
    draft.rows.putHalf({ ...row, nextCheckMs: draft.nowMs + policy.intervalMs });
    checks.push(checkOf(row));
  }
  return { checks, more: rows.length === limits.checksPerTurnMax };
}

function checkOf(row: HalfRow): HalfCheck {
  const { id, queueKey, producerGroup, messageId, createdMs, checks, checkUrl } = row;
  const { buffer, byteOffset, byteLength } = row.record;
  const record = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  return { id, queueKey, producerGroup, messageId, createdMs, checks, checkUrl, record };
}

/** When something is due next; `null`: nothing waits. */
export function nextDueMs(store: ShardStore): number | null {
  const delayedMs = store.nextDelayedDueMs();
  const checkMs = store.nextHalfCheckMs();
  if (delayedMs === null || checkMs === null) return delayedMs ?? checkMs;
  return Math.min(delayedMs, checkMs);
}
