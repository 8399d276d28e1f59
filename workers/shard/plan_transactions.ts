/**
 * Messages of transactions: half messages, verdicts, and what becomes of them. A row has one
 * terminal state; it is written in the turn that makes the message visible or forgets it.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { WithBlob } from "../../src/link/codec.ts";
import type {
  CheckedAsk,
  PrepareAnswer,
  PrepareAsk,
  RearmAnswer,
  RearmAsk,
  SettleHalfAnswer,
  SettleHalfAsk,
} from "../../src/link/transaction_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { packHalfOffset } from "../../src/model/message_id.ts";
import { patchTransaction } from "../../src/model/record.ts";
import type { HalfRow, ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { dueMsOf, placeTimed } from "./plan_timers.ts";
import type { ShardState } from "./state.ts";

const nothing = new Uint8Array(0);

/** What planning a transaction's step works on. */
export type HalfParts = {
  readonly draft: TurnDraft;
  readonly store: ShardStore;
  readonly state: ShardState;
};

/** Stores a half message. @throws {BrokerError} `limit_exceeded`, `invalid_argument` */
export function planPrepare(
  { draft, store, state }: HalfParts,
  { head, blob }: WithBlob<PrepareAsk>,
): PrepareAnswer {
  const deliverAtMs = dueMsOf(head, draft.nowMs, head.delayMsMax);
  const isGone = (queueKey: number) => state.isDropped(queueKey);
  const open = store.halfCount("prepared", isGone) + store.halfCount("parked", isGone);
  if (open >= limits.halfMessagesPerShardMax) {
    throw new BrokerError(
      "limit_exceeded",
      `Cannot begin a transaction: ${open} are undecided in shard ${draft.shard}, which is all ` +
        "there may be",
    );
  }
  const id = draft.rows.newHalfId();
  // A copy of its own: the request's bytes belong to the link.
  const record = blob.slice();
  patchTransaction(record, 0, "prepared", packHalfOffset(draft.shard, id));
  const { queueKey, tagHash, producerGroup, messageId, checkUrl, timerKey } = head;
  const createdMs = draft.nowMs;
  draft.rows.putHalf({
    id,
    state: "prepared",
    queueKey,
    tagHash,
    producerGroup,
    messageId,
    createdMs,
    nextCheckMs: createdMs + head.firstCheckMs,
    checks: 0,
    checkUrl,
    deliverAtMs,
    timerKey,
    settledMs: 0,
    record,
  });
  draft.mustSurvive(head.durability);
  return { id, createdMs, deliverAtMs };
}

/**
 * Commits or rolls back. The first verdict decides; every later one is answered with it.
 *
 * @throws {BrokerError} `message_not_found`; `no_permission`: the half message is another group's.
 */
export function planSettleHalf(parts: HalfParts, ask: SettleHalfAsk): SettleHalfAnswer {
  const { draft, state } = parts;
  const row = draft.rows.half(ask.id);
  if (row === null || state.isDropped(row.queueKey)) throw noSuchHalf(draft.shard, ask.id);
  if (ask.producerGroup !== null && ask.producerGroup !== row.producerGroup) {
    throw new BrokerError(
      "no_permission",
      `Cannot settle for producer group "${ask.producerGroup}": the transaction was begun by ` +
        "another group",
    );
  }
  const { messageId, queueKey } = row;
  const told = { messageId, queueKey, storedMs: draft.storedMs };
  if (row.state === "committed" || row.state === "rolled-back") {
    return { ...told, state: row.state, first: false, place: null, deliverAtMs: row.deliverAtMs };
  }
  draft.mustSurvive("power-loss");
  const settled = { ...row, settledMs: draft.nowMs, record: nothing };
  if (ask.verdict === "rollback") {
    draft.rows.putHalf({ ...settled, state: "rolled-back" });
    return { ...told, state: "rolled-back", first: true, place: null, deliverAtMs: null };
  }
  const placed = commitHalf(draft, row);
  draft.rows.putHalf({ ...settled, state: "committed" });
  const committed = { ...told, state: "committed", first: true } as const;
  if (placed.kind === "scheduled") return { ...committed, place: null, deliverAtMs: placed.dueMs };
  const { offset, position } = placed;
  return { ...committed, place: { offset, position }, deliverAtMs: null };
}

/** The message takes its place in the queue behind all that is there, or waits for its time. */
function commitHalf(draft: TurnDraft, row: HalfRow) {
  const record = row.record.slice();
  patchTransaction(record, 0, "committed", packHalfOffset(draft.shard, row.id));
  const { queueKey, tagHash, messageId, timerKey, deliverAtMs } = row;
  const dueMs = deliverAtMs !== null && deliverAtMs > draft.nowMs ? deliverAtMs : null;
  const queueKeys = [queueKey];
  const names = { messageId, timerKey, mayRepeat: false };
  return placeTimed(draft, { queueKey, queueKeys, tagHash, ...names, record }, dueMs);
}

/** Counts questions that were really asked. What was settled meanwhile is passed over. */
export function planChecked({ draft }: HalfParts, { ids, intervalMs }: CheckedAsk): null {
  for (const id of ids) {
    const row = draft.rows.half(id);
    if (row?.state !== "prepared") continue;
    const nextCheckMs = draft.nowMs + intervalMs;
    draft.rows.putHalf({ ...row, checks: row.checks + 1, nextCheckMs });
  }
  return null;
}

/** Parked half messages are asked about at once, and then as often as new ones. */
export function planRearm({ draft, store, state }: HalfParts, ask: RearmAsk): RearmAnswer {
  const parked = ask.ids === null
    ? store.halvesIn("parked", 0, ask.countMax)
    : ask.ids.map((id) => draft.rows.half(id)).filter((row) => row !== null);
  let rearmed = 0;
  for (const { id } of parked) {
    const row = draft.rows.half(id);
    if (row?.state !== "parked") continue;
    draft.rows.putHalf({ ...row, state: "prepared", checks: 0, nextCheckMs: draft.nowMs });
    // Of a dropped queue it is only out of the way of those that come after it.
    if (!state.isDropped(row.queueKey)) rearmed++;
  }
  if (rearmed > 0) draft.mustSurvive("power-loss");
  return { rearmed, more: ask.ids === null && parked.length === ask.countMax };
}

function noSuchHalf(shard: number, id: number): BrokerError {
  return new BrokerError(
    "message_not_found",
    `Cannot settle transaction ${id} of shard ${shard}: there is none, or its verdict is so old ` +
      "that it was forgotten",
  );
}
