/** Which queue a message goes to. @module */
import { queueOfKey } from "../core/placement.ts";
import { BrokerError } from "../model/errors.ts";
import type { NewMessage } from "../model/message.ts";
import { propertyNames, readProperty } from "../model/properties.ts";
import { permWrite, type QueueRef, type Topic } from "../model/topic.ts";

/** What a request says of its queue. */
export type QueueWish = {
  /** `null`: by a key, or the queues in turn. */
  readonly queueId: number | null;
  readonly shardingKey?: string;
  readonly messages: readonly NewMessage[];
};

/** A queue, and where it is. */
export type ChosenQueue = { readonly queueId: number; readonly ref: QueueRef };

/** Equal keys, equal queues, as long as the topic lives: one transaction sees all its timers. */
export function queueOfTimerKey(timerKey: string, topic: Topic): number {
  return queueOfKey(timerKey, topic.timerQueues);
}

/** Chooses queues: the one asked for, the one of a key, or the next one. */
export class QueueChooser {
  #turn = 0;

  /**
   * `knownId`: the id by which the message may be known already, where nothing else chooses.
   *
   * @throws {BrokerError} `no_permission`, `queue_not_found`; `invalid_argument`: there is no
   * message, or keys that lead to different queues.
   */
  choose(topic: Topic, wish: QueueWish, knownId?: string): ChosenQueue {
    if ((topic.settings.perm & permWrite) === 0) {
      throw new BrokerError("no_permission", `Topic "${topic.name}" does not take messages`);
    }
    if (wish.messages.length === 0) {
      throw new BrokerError("invalid_argument", "Cannot send: there is no message");
    }
    const count = topic.queueRefs.length;
    const queueId = this.#timerQueue(wish, topic) ?? wish.queueId ??
      this.#queueOf(wish, count, knownId);
    const ref = topic.queueRefs[queueId];
    if (ref !== undefined) return { queueId, ref };
    throw new BrokerError(
      "queue_not_found",
      `Topic "${topic.name}" has queues 0 to ${count - 1}, but not ${queueId}`,
    );
  }

  #queueOf({ shardingKey, messages }: QueueWish, count: number, knownId?: string): number {
    const key = shardingKey ?? (knownId || repeatedId(messages));
    if (key !== undefined && key !== "") return queueOfKey(key, count);
    this.#turn = (this.#turn + 1) % 0x4000_0000;
    return this.#turn % count;
  }

  /** A timer key names one timer of the whole topic, so it has one queue; `null` without one. */
  #timerQueue({ messages, queueId, shardingKey }: QueueWish, topic: Topic): number | null {
    let chosen: number | null = null;
    for (const { timing } of messages) {
      const key = timing?.timerKey ?? null;
      if (key === null) continue;
      if (queueId !== null || (shardingKey !== undefined && shardingKey !== key)) {
        throw new BrokerError(
          "invalid_argument",
          `Cannot send with timer key "${key}" and ${
            queueId !== null ? `queue ${queueId}` : `sharding key "${shardingKey}"`
          }: a timer key chooses the queue, so that it names one timer of the topic`,
        );
      }
      const its = queueOfTimerKey(key, topic);
      if (chosen !== null && chosen !== its) {
        throw new BrokerError(
          "invalid_argument",
          `Cannot send as one: timer key "${key}" leads to queue ${its}, another to ${chosen}`,
        );
      }
      chosen = its;
    }
    return chosen;
  }
}

/**
 * The id of a lone timed message: sent again it meets itself, and is not there twice. A message
 * that is visible at once takes the queues in turn.
 */
function repeatedId(messages: readonly NewMessage[]): string | undefined {
  const [only] = messages;
  if (messages.length !== 1 || only?.timing === undefined) return undefined;
  return readProperty(only.properties, propertyNames.uniqueKey);
}
