/** What is known of one message and one group: for tests of what is made of it. @module */
import type {
  DeadFacts,
  ExplainFacts,
  MoveFacts,
  RetentionFacts,
} from "../../src/model/explanation.ts";

type Place = NonNullable<ExplainFacts["place"]>;

/** When it is asked. */
export const nowMs = 1_700_000_000_000;
/** An hour. */
export const hourMs = 3_600_000;
/** What bounds the topic. */
export const retention: RetentionFacts = {
  ms: hourMs,
  bytes: null,
  topicCreatedMs: nowMs - 2 * hourMs,
};
/** The message itself. */
export const stored = {
  messageId: "m-5",
  key: "k",
  storedMs: nowMs - 60_000,
  expiresMs: null,
  position: 10,
};
/** The group is past the message. */
export const finished: Partial<Place> = { next: 9, open: null };
/** A reset past the message. */
export const reset: MoveFacts = {
  kind: "reset",
  by: "ada",
  atMs: nowMs,
  fromOffset: 2,
  toOffset: 8,
  position: 30,
  putBack: false,
};
/** It died before that. */
export const dead: DeadFacts = {
  reason: "attempts-exhausted",
  attempts: 3,
  diedMs: nowMs,
  by: null,
  left: true,
  position: 20,
};

/** Message 5 of queue 0, which group "billing" would get next. */
export function facts(
  place: Partial<Place> | null,
  more: Partial<ExplainFacts> = {},
): ExplainFacts {
  return {
    nowMs,
    messageId: "m-5",
    topic: { name: "orders", exists: true, readable: true, retention },
    group: { name: "billing", exists: true, consumeEnabled: true, attemptsMax: 3 },
    place: place === null ? null : {
      queueId: 0,
      offset: 5,
      minOffset: 0,
      maxOffset: 10,
      stored,
      next: 5,
      open: null,
      before: null,
      moves: [],
      passed: null,
      unmatched: 0,
      lastAsked: { atMs: nowMs - 1_000, by: "c1" },
      held: 0,
      heldMax: 10,
      matches: [],
      retry: null,
      ...place,
    },
    waiting: null,
    dead: null,
    filters: [],
    members: 1,
    ...more,
  };
}
