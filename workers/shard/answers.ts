/**
 * The operations that need no commit of the turn: look-ups, ranges, figures, forgetting.
 *
 * @module
 */
import { unreachable } from "../../src/base/assert.ts";
import type { GroupPlace, ShardOperations, ShardStats } from "../../src/link/shard_messages.ts";
import type { Asked, LinkServer } from "../../src/link/server.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { WorkName } from "./plan.ts";
import { readParkedKeys } from "./plan_keys.ts";
import { explainPlace, explainWaiting } from "./explain.ts";
import { readLetters } from "./plan_letters.ts";
import { previewReset } from "./plan_places.ts";
import { listHalves, listTimers } from "./list_waiting.ts";
import { join, readFind } from "./read.ts";
import { readKnown } from "./repeats.ts";
import type { ShardState } from "./state.ts";

/** The questions `answerQuestion` knows. */
export type Question = Exclude<
  Asked<ShardOperations>,
  { name: WorkName | "pull" | "watch" | "dropQueues" | "forget" | "drain" }
>;

/** What questions are answered from; `nowMs`: the turn's time. */
export type AnswerParts = {
  readonly store: ShardStore;
  readonly state: ShardState;
  readonly nowMs: number;
  readonly stats: () => ShardStats;
};

/** Answers one question at once. @throws {StorageError} What it needs cannot be read. */
export function answerQuestion(
  question: Question,
  server: LinkServer<ShardOperations>,
  { store, state, nowMs, stats }: AnswerParts,
): void {
  const { id } = question;
  switch (question.name) {
    case "places": {
      const { groupKey, queueKeys } = question.request;
      server.answer("places", id, queueKeys.map((key) => placeOf(store, state, groupKey, key)));
      return;
    }
    case "groupPlaces": {
      const places = question.request.groupKeys.map((groupKey) =>
        Array.from(state.queuesOf(groupKey), (key) => placeOf(store, state, groupKey, key))
      );
      server.answer("groupPlaces", id, places);
      return;
    }
    case "ranges": {
      const ranges = question.request.queueKeys.map((queueKey) => ({
        queueKey,
        minOffset: store.minOffset(queueKey),
        maxOffset: store.maxOffset(queueKey),
      }));
      server.answer("ranges", id, ranges);
      return;
    }
    case "offsetAtTime": {
      const { queueKey, ms } = question.request;
      server.answer("offsetAtTime", id, store.offsetAtTime(queueKey, ms));
      return;
    }
    case "find": {
      const found = readFind(store, question.request);
      const queueKeys = found.map(({ queueKey }) => queueKey);
      const blob = join(found.map(({ record }) => record));
      server.answer("find", id, { head: { queueKeys }, blob });
      return;
    }
    case "known":
      server.answer("known", id, readKnown(question.request, { nowMs, state, store }));
      return;
    case "dropGroup":
      // A damaged file takes no writes: what is left in it is an orphan when it was repaired.
      if (store.recovery.writable) store.dropGroup(question.request.groupKey);
      state.dropGroup(question.request.groupKey);
      server.answer("dropGroup", id, null);
      return;
    case "stats":
      server.answer("stats", id, stats());
      return;
    default:
      answerListing(question, server, store, state);
  }
}

/** What operators list. */
function answerListing(
  question: Extract<
    Question,
    {
      name:
        | "parkedKeys"
        | "placeEvents"
        | "timers"
        | "halves"
        | "letters"
        | "explainPlace"
        | "explainWaiting"
        | "previewReset";
    }
  >,
  server: LinkServer<ShardOperations>,
  store: ShardStore,
  state: ShardState,
): void {
  const { id } = question;
  const isGone = (queueKey: number) => state.isDropped(queueKey);
  switch (question.name) {
    case "parkedKeys":
      server.answer("parkedKeys", id, readParkedKeys(state, store, question.request));
      return;
    case "placeEvents": {
      const { groupKey, queueKeys, eventsMax } = question.request;
      const events = queueKeys.flatMap((key) => store.events(groupKey, key, eventsMax));
      server.answer("placeEvents", id, events.map(({ before: _before, ...event }) => event));
      return;
    }
    case "timers":
      server.answer("timers", id, listTimers(store, question.request));
      return;
    case "halves":
      server.answer("halves", id, listHalves(store, isGone, question.request));
      return;
    case "explainPlace":
      server.answer("explainPlace", id, explainPlace(state, store, question.request));
      return;
    case "explainWaiting":
      server.answer("explainWaiting", id, explainWaiting(store, question.request));
      return;
    case "previewReset":
      server.answer("previewReset", id, previewReset(state, store, question.request));
      return;
    case "letters":
      server.answer("letters", id, readLetters(state, store, question.request));
      return;
    default:
      unreachable(question);
  }
}

function placeOf(
  store: ShardStore,
  state: ShardState,
  groupKey: number,
  queueKey: number,
): GroupPlace {
  const deliveries = state.deliveries(groupKey, queueKey);
  return {
    queueKey,
    next: deliveries?.next ?? null,
    committed: deliveries?.committed ?? null,
    openDeliveries: deliveries?.openCount ?? 0,
    ...state.passed(groupKey, queueKey),
    minOffset: store.minOffset(queueKey),
    maxOffset: store.maxOffset(queueKey),
  };
}
