/** Leasing messages to a consumer of a group, and giving up on those tried too often. @module */
import { limits } from "../../src/base/limits.ts";
import type { Deliveries, OpenDelivery } from "../../src/core/deliveries.ts";
import { isExhausted } from "../../src/core/retry.ts";
import { matches } from "../../src/core/tag_filter.ts";
import type { Delivery, ReceiveAsk } from "../../src/link/shard_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { forDeadLetter } from "./rewrite.ts";
import type { ShardState } from "./state.ts";

/** Entries looked at in one go while searching for messages the filter lets through. */
const scanEntries = 256;

/** How long a message whose record cannot be read is left alone before it is tried again. */
const damagedPauseMs = 60_000;

/** What a receive answers once the turn is committed; the records are read then. */
export type PlannedReceive = {
  readonly deliveries: readonly Delivery[];
  readonly positions: readonly number[];
};

type Context = {
  readonly ask: ReceiveAsk;
  readonly draft: TurnDraft;
  readonly state: ShardState;
  readonly store: ShardStore;
  readonly shard: number;
  readonly found: Delivery[];
  readonly positions: number[];
  bytes: number;
};

/**
 * Leases up to `messagesMax` messages: first those whose time is over, then fresh ones. The queues
 * are visited from `turnNumber` on in a circle, so that none starves.
 *
 * @throws {BrokerError} `group_not_found`: it was deleted meanwhile.
 */
export function planReceive(
  ask: ReceiveAsk,
  parts: Pick<Context, "draft" | "state" | "store" | "shard">,
  turnNumber: number,
): PlannedReceive {
  parts.state.needGroup(ask.groupKey);
  const context: Context = { ask, ...parts, found: [], positions: [], bytes: 0 };
  const count = ask.queueKeys.length;
  for (let step = 0; step < count && !isFull(context); step++) {
    const queueKey = ask.queueKeys[(turnNumber + step) % count]!;
    if (parts.state.isDropped(queueKey)) continue;
    const deliveries = placeOf(context, queueKey);
    handOutAgain(context, queueKey, deliveries);
    handOutFresh(context, queueKey, deliveries);
  }
  return { deliveries: context.found, positions: context.positions };
}

function isFull({ ask, found, bytes }: Context): boolean {
  return found.length >= ask.messagesMax || (found.length > 0 && bytes >= ask.bytesMax);
}

function placeOf({ ask, state, store }: Context, queueKey: number): Deliveries {
  const known = state.deliveries(ask.groupKey, queueKey);
  if (known !== undefined) return known;
  const first = ask.policy.startFrom === "earliest"
    ? store.minOffset(queueKey)
    : store.maxOffset(queueKey);
  return state.begin(ask.groupKey, queueKey, first);
}

function handOutAgain(context: Context, queueKey: number, deliveries: Deliveries): void {
  const { ask, draft, state, store } = context;
  while (!isFull(context)) {
    const due = deliveries.peekDue(draft.nowMs);
    if (due === undefined) return;
    state.touch(ask.groupKey, queueKey, deliveries);
    const entry = store.entries(queueKey, due.offset, 1)[0];
    if (entry === undefined || entry.queueOffset !== due.offset) {
      // Retention took it, which the topic allowed: there is nothing left to hand out.
      deliveries.bury(due.offset);
    } else if (isExhausted(due.attempts, ask.policy.attemptsMax)) {
      if (writeDeadLetter(context, entry, due)) deliveries.bury(due.offset);
      else deliveries.postpone(due, draft.nowMs + damagedPauseMs);
    } else {
      lease(context, queueKey, entry, deliveries, due.attempts + 1);
    }
  }
}

/** Copies a message to the dead letters in the turn that finishes it here. False: it is damaged. */
function writeDeadLetter(
  { ask, draft, store, shard }: Context,
  entry: QueueEntry,
  due: OpenDelivery,
): boolean {
  let record: Uint8Array | undefined;
  try {
    record = store.records([entry.position])[0];
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.fault === "damaged") return false;
    throw thrown;
  }
  if (record === undefined || record.length === 0) return true;
  const target = { topic: ask.policy.deadLetterTopic, queueId: shard };
  const dead = forDeadLetter(record, target, due.attempts);
  draft.append(ask.policy.deadLetterQueueKey, dead.tagHash, dead.record);
  draft.mustSurvive("power-loss");
  return true;
}

function handOutFresh(context: Context, queueKey: number, deliveries: Deliveries): void {
  const { ask, state, store } = context;
  const room = limits.inflightPerGroupMax - deliveries.openCount;
  const startedAt = deliveries.next;
  const minOffset = store.minOffset(queueKey);
  if (deliveries.next < minOffset) deliveries.skipTo(minOffset);
  let left = room;
  while (!isFull(context) && left > 0) {
    const wanted = ask.filter.kind === "all" ? ask.messagesMax - context.found.length : scanEntries;
    const entries = store.entries(queueKey, deliveries.next, Math.min(wanted, left));
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (isFull(context)) break;
      deliveries.skipTo(entry.queueOffset);
      if (matches(ask.filter, entry.tagHash)) {
        lease(context, queueKey, entry, deliveries, 1);
        left--;
      } else {
        deliveries.skipTo(entry.queueOffset + 1);
      }
    }
  }
  if (deliveries.next !== startedAt) state.touch(ask.groupKey, queueKey, deliveries);
}

function lease(
  context: Context,
  queueKey: number,
  entry: QueueEntry,
  deliveries: Deliveries,
  attempt: number,
): void {
  const { ask, draft, state } = context;
  const invisibleUntilMs = draft.nowMs + ask.invisibleMs;
  const number = state.newLease(draft.nowMs);
  if (entry.queueOffset === deliveries.next) deliveries.leaseFresh(invisibleUntilMs, number);
  else deliveries.lease(entry.queueOffset, attempt, invisibleUntilMs, number);
  context.positions.push(entry.position);
  context.bytes += entry.bytes;
  context.found.push({
    queueKey,
    offset: entry.queueOffset,
    attempt,
    lease: number,
    invisibleUntilMs,
    bytes: entry.bytes,
  });
}
