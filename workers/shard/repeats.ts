/**
 * Recognises messages that their producer sends again, by topic and id.
 *
 *     this turn ─▶ ids in memory ─▶ the store's index of keys, for what is older than this process
 *
 * The memory and the index know hashes; the stored record is what decides. Nothing is written for
 * this: the ids are in the log, as every message's are.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { KnownAsk, Repeat, RepeatRule } from "../../src/link/repeats.ts";
import { StorageError } from "../../src/model/errors.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import {
  recordProperties,
  recordQueueId,
  recordQueueOffset,
  recordStoredMs,
  recordTopic,
} from "../../src/model/record.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { FirstPlace } from "./draft.ts";
import type { ShardState } from "./state.ts";

/** Messages of equal hash that are looked at in the index: they may be other topics' or keys. */
const candidatesMax = 32;

/** What the search works on. */
export type SearchParts = {
  readonly nowMs: number;
  readonly state: ShardState;
  readonly store: ShardStore;
};

/** Answers whoever does not store the messages here, but may have done so before. */
export function readKnown(ask: KnownAsk, parts: SearchParts): Repeat[] {
  return ask.ids.flatMap((id, index) => {
    const place = id === "" ? null : firstPlaceOf(id, ask.topic, ask, parts);
    return place === null ? [] : [{ index, ...place }];
  });
}

/**
 * Where a message with this id of the topic was stored within the window, in a turn before this
 * one; `null`: nowhere, or what is there cannot be read, and then it is stored again rather than
 * refused.
 */
export function firstPlaceOf(
  id: string,
  topic: string,
  rule: RepeatRule,
  { nowMs, state, store }: SearchParts,
): FirstPlace | null {
  const fromMs = nowMs - rule.windowMs;
  const { recentIds } = state;
  let place: FirstPlace | null = null;
  const isIt = (position: number): boolean => {
    place = placeOf(position, id, topic, fromMs, store);
    if (place !== null && isGone(position, rule, store, state)) place = null;
    return place !== null;
  };
  recentIds.find(id, isIt);
  if (place !== null || recentIds.completeFromMs <= fromMs) return place;
  return indexedPlace(isIt, id, fromMs, state, store) ? place : null;
}

/** Whether the message was another topic's of the name, or its queue is being dropped. */
function isGone(
  position: number,
  { firstQueueKey }: RepeatRule,
  store: ShardStore,
  state: ShardState,
): boolean {
  const queueKey = store.queueKeyAt(position);
  return queueKey === null || queueKey < firstQueueKey || state.isDropped(queueKey) ||
    store.maxOffset(queueKey) === 0;
}

/**
 * Looks at what this process did not write. Bounded: an index of more ids than the memory would
 * hold is not gone through for every send.
 */
function indexedPlace(
  isIt: (position: number) => boolean,
  id: string,
  fromMs: number,
  state: ShardState,
  store: ShardStore,
): boolean {
  const before = state.firstPosition;
  const from = Math.max(store.positionAtTime(fromMs), before - limits.recentIdsMax);
  if (from >= before) return false;
  // Newest first: a copy that came back from the dead letters is not the one that was sent.
  return store.findByKey(id, candidatesMax, before, from).findLast(isIt) !== undefined;
}

function placeOf(
  position: number,
  id: string,
  topic: string,
  fromMs: number,
  store: ShardStore,
): FirstPlace | null {
  const record = recordAt(position, store);
  if (record === null || recordTopic(record, 0) !== topic) return null;
  const storedMs = recordStoredMs(record, 0);
  if (storedMs < fromMs) return null;
  if (readProperty(recordProperties(record, 0), propertyNames.uniqueKey) !== id) return null;
  const [queueId, offset] = [recordQueueId(record, 0), recordQueueOffset(record, 0)];
  return { queueId, offset, position, storedMs };
}

function recordAt(position: number, store: ShardStore): Uint8Array | null {
  try {
    const record = store.records([position])[0];
    return record === undefined || record.length === 0 ? null : record;
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.fault === "damaged") return null;
    throw thrown;
  }
}
