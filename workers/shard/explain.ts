/** Gathers what this shard knows of one message and one group. Decides nothing. @module */
import { limits } from "../../src/base/limits.ts";
import type { Deliveries, OpenDelivery } from "../../src/core/deliveries.ts";
import { accepts, mightMatch } from "../../src/core/filter.ts";
import type {
  ExplainPlaceAsk,
  ExplainWaitingAnswer,
  ExplainWaitingAsk,
} from "../../src/link/explain_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { BeforeFacts, MoveFacts, OpenFacts, PlaceFacts } from "../../src/model/explanation.ts";
import { originFacts } from "../../src/model/origin.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import {
  recordProperties,
  recordQueueId,
  recordQueueOffset,
  recordReconsumeTimes,
  recordStoredMs,
  recordTopic,
} from "../../src/model/record.ts";
import type { PlaceEvent, QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";
import { halfOf, timerOf } from "./list_waiting.ts";
import { isUnfinishedIn } from "./place_snapshot.ts";
import { shardingKeyOf, type ShardState } from "./state.ts";

type Found = { readonly entry: QueueEntry; readonly record: Uint8Array };

/** What is known of one place of a queue. */
export function explainPlace(
  state: ShardState,
  store: ShardStore,
  ask: ExplainPlaceAsk,
): PlaceFacts {
  const { groupKey, queueKey, offset } = ask;
  const deliveries = state.deliveries(groupKey, queueKey);
  const found = findAt(store, queueKey, offset);
  const open = deliveries?.open(offset);
  const events = store.events(groupKey, queueKey, limits.eventsPerPlaceMax);
  return {
    minOffset: store.minOffset(queueKey),
    maxOffset: store.maxOffset(queueKey),
    stored: found === null ? null : storedFacts(found, ask.ttlMs),
    next: deliveries?.next ?? null,
    open: open === undefined ? null : openFacts(state, open),
    before: beforeFacts(state, store, ask, found),
    moves: movesOf(events, offset),
    passed: state.notes.hasExpired(groupKey, queueKey, offset) ? "expired" : null,
    unmatched: state.passed(groupKey, queueKey).unmatched,
    lastAsked: deliveries === undefined ? null : state.notes.lastAsked(deliveries),
    held: deliveries?.heldCount ?? 0,
    heldMax: limits.heldPerQueueMax,
    matches: found === null ? [] : matchesOf(ask, found),
    retry: found === null ? null : retryFacts(store, ask, found),
  };
}

/** Whether a message waits for its time, or for its transaction. */
export function explainWaiting(store: ShardStore, ask: ExplainWaitingAsk): ExplainWaitingAnswer {
  const row = store.delayedById(ask.queueKeys, ask.messageId);
  const half = store.halfByMessageId(ask.messageId);
  return {
    timer: row?.kind === "timer" ? timerOf(row) : null,
    half: half !== null && ask.queueKeys.includes(half.queueKey) ? halfOf(half) : null,
  };
}

/** Newest first. An undo takes the newest reset or clone before it back. */
function movesOf(events: readonly PlaceEvent[], offset: number): MoveFacts[] {
  return events.map(({ kind, by, atMs, fromOffset, toOffset, position }, at) => {
    const undone = kind === "undo" ? events.slice(at).find(isUndoable) : undefined;
    const putBack = undone !== undefined &&
      isUnfinishedIn(undone.before, undone.fromOffset, offset);
    return { kind, by, atMs, fromOffset, toOffset, position, putBack };
  });
}

function isUndoable({ kind }: PlaceEvent): boolean {
  return kind === "reset" || kind === "clone";
}

function storedFacts({ entry, record }: Found, topicTtlMs: number | null): PlaceFacts["stored"] {
  const properties = recordProperties(record, 0);
  const own = readProperty(properties, propertyNames.timeToLiveMs);
  const ttlMs = own === undefined ? topicTtlMs : Number(own);
  const storedMs = recordStoredMs(record, 0);
  return {
    messageId: readProperty(properties, propertyNames.uniqueKey) ?? "",
    key: shardingKeyOf(record),
    storedMs,
    expiresMs: ttlMs === null ? null : storedMs + ttlMs,
    position: entry.position,
  };
}

function openFacts(state: ShardState, open: OpenDelivery): OpenFacts {
  const parked = open.untilMs === Infinity;
  return {
    attempts: open.attempts,
    untilMs: parked ? 0 : open.untilMs,
    leased: open.lease !== 0,
    parked,
    holder: open.lease === 0 ? null : state.holderOf(open.lease) ?? null,
  };
}

/** The open message of the same key that has to go first. */
function beforeFacts(
  state: ShardState,
  store: ShardStore,
  { ordered, groupKey, queueKey, offset }: ExplainPlaceAsk,
  found: Found | null,
): BeforeFacts | null {
  const deliveries = state.deliveries(groupKey, queueKey);
  if (!ordered || found === null || deliveries === undefined) return null;
  const first = state.window(groupKey, queueKey, store).firstOfKey(shardingKeyOf(found.record));
  if (first === undefined || first >= offset) return null;
  return openBefore(state, store, deliveries, queueKey, first);
}

function openBefore(
  state: ShardState,
  store: ShardStore,
  deliveries: Deliveries,
  queueKey: number,
  offset: number,
): BeforeFacts | null {
  const open = deliveries.open(offset);
  if (open === undefined) return null;
  const found = findAt(store, queueKey, offset);
  const properties = found === null ? "" : recordProperties(found.record, 0);
  const messageId = readProperty(properties, propertyNames.uniqueKey) ?? "";
  return { offset, messageId, open: openFacts(state, open) };
}

function matchesOf({ filters }: ExplainPlaceAsk, { entry, record }: Found): boolean[] {
  return filters.map((filter) =>
    mightMatch(filter, entry.tagHash) &&
    accepts(filter, entry.tagHash, () => recordProperties(record, 0))
  );
}

/** What this copy waits for. Of several copies of an id only the one due first is looked at. */
function retryFacts(
  store: ShardStore,
  { retryQueueKey }: ExplainPlaceAsk,
  { record }: Found,
): PlaceFacts["retry"] {
  if (retryQueueKey === null) return null;
  const messageId = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
  const row = messageId === "" ? null : store.delayedById([retryQueueKey], messageId);
  if (row === null || !mayComeFrom(row.record, record)) return null;
  return { dueMs: row.dueMs, times: recordReconsumeTimes(row.record, 0) };
}

/** Whether `retry` may be a copy of `record`: one without room for its origin may be of any. */
function mayComeFrom(retry: Uint8Array, record: Uint8Array): boolean {
  const from = originFacts(retry);
  if (from.queueId === null || from.offset === null) return true;
  // A copy among the retries that is sent back again says where it was first, too.
  const own = originFacts(record);
  const topic = own.topic === "" ? recordTopic(record, 0) : own.topic;
  const queueId = own.queueId ?? recordQueueId(record, 0);
  const offset = own.offset ?? recordQueueOffset(record, 0);
  return from.topic === topic && from.queueId === queueId && from.offset === offset;
}

/** `null`: nothing is stored there, or it cannot be read. */
function findAt(store: ShardStore, queueKey: number, offset: number): Found | null {
  const entry = store.entries(queueKey, offset, 1)[0];
  if (entry?.queueOffset !== offset) return null;
  try {
    const record = store.records([entry.position])[0];
    return record === undefined || record.length === 0 ? null : { entry, record };
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.fault === "damaged") return null;
    throw thrown;
  }
}
