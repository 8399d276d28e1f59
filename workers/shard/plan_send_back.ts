/**
 * A pulling consumer gives a message back (remoting 36): later again, or to the dead letters.
 *
 * @module
 */
import { lotOf, retryDelayMs } from "../../src/core/retry.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { recordReconsumeTimes } from "../../src/model/record.ts";
import type { SendBackAnswer, SendBackAsk } from "../../src/link/shard_messages.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { forDeadLetter, forRetry } from "./rewrite.ts";

/**
 * Stores a copy of the message for the group's retry topic, or for its dead-letter topic.
 *
 * @throws {BrokerError} `message_not_found`: nothing is stored at the position any more.
 */
export function planSendBack(
  draft: TurnDraft,
  store: ShardStore,
  shard: number,
  ask: SendBackAsk,
): SendBackAnswer {
  const record = store.records([ask.position])[0];
  if (record === undefined || record.length === 0) {
    throw new BrokerError(
      "message_not_found",
      `Cannot send back: nothing is stored at position ${ask.position} of shard ${shard}`,
    );
  }
  const times = recordReconsumeTimes(record, 0);
  const dead = times >= ask.retriesMax || (ask.delayMs !== null && ask.delayMs < 0);
  draft.mustSurvive("power-loss");
  if (dead) {
    const target = { topic: ask.deadLetterTopic, queueId: shard };
    const reason = times >= ask.retriesMax ? "attempts-exhausted" : "given-up";
    const death = { reason, attempts: times + 1, atMs: draft.nowMs } as const;
    const letter = forDeadLetter(record, target, death);
    draft.append(ask.deadLetterQueueKey, letter.tagHash, letter.record);
    return { outcome: "dead", dueMs: draft.nowMs };
  }
  const retry = forRetry(record, { topic: ask.retryTopic, queueId: shard });
  const delayMs = ask.delayMs ?? retryDelayMs(ask.retry, times + 1, lotOf(ask.position, times));
  const dueMs = draft.nowMs + delayMs;
  draft.delay(ask.retryQueueKey, retry.tagHash, retry.record, dueMs);
  return { outcome: "retry", dueMs };
}
