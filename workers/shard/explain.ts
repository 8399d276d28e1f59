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
import type { BeforeFacts, OpenFacts, PlaceFacts } from "../../src/model/explanation.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties, recordReconsumeTimes, recordStoredMs } from "../../src/model/record.ts";
import type { QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";
import { halfOf, timerOf } from "./list_waiting.ts";
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
    moves: events.map(({ kind, by, atMs, fromOffset, toOffset, position }) => {
      return { kind, by, atMs, fromOffset, toOffset, position };
    }),
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

function retryFacts(
  store: ShardStore,
  { retryQueueKey }: ExplainPlaceAsk,
  { record }: Found,
): PlaceFacts["retry"] {
  if (retryQueueKey === null) return null;
  const messageId = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
  const row = messageId === "" ? null : store.delayedById([retryQueueKey], messageId);
  return row === null ? null : { dueMs: row.dueMs, times: recordReconsumeTimes(row.record, 0) };
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
