/**
 * Messages of one request → sends. Messages with the same queue or the same sharding key go out
 * together; so do those whose ids lead to the same queue, where a repeat of them will look; those
 * with nothing of it go together to one queue that the broker chooses. Timed messages go apart from
 * others, and alone if a timer key chooses their queue or a pending one may have to be looked for.
 * Each such part is stored whole or not at all, parts go out side by side, and receipts come back
 * in the order of the request.
 *
 * @module
 */
import { queueOfId } from "../../broker/send.ts";
import type { SendReceipt } from "../../model/message.ts";
import type { Topic } from "../../model/topic.ts";
import type { HttpContext } from "./exchange.ts";
import { topicMissing } from "./lookup.ts";
import type { Addressed } from "./message_in.ts";
import { failureOf, ProblemError } from "./problem.ts";

/** A receipt for each message, in order. `null`: this one was not stored. */
export type ReceiptOrNull = SendReceipt | null;

type Part = {
  readonly queueId: number | null;
  readonly shardingKey: string | undefined;
  readonly queueByIds: boolean;
  readonly indexes: number[];
};

/**
 * Sends one message. The road most requests take.
 *
 * @throws {BrokerError} As `Broker.send`.
 */
export function sendOne(
  context: HttpContext,
  topic: string,
  addressed: Addressed,
): Promise<SendReceipt[]> {
  if (context.broker.topic(topic)) return sendReady(context, topic, addressed);
  return readyTopic(context, topic).then(() => sendReady(context, topic, addressed));
}

function sendReady(
  context: HttpContext,
  topic: string,
  { message, queueId, shardingKey }: Addressed,
): Promise<SendReceipt[]> {
  const target = shardingKey === undefined ? { topic, queueId } : { topic, queueId, shardingKey };
  const { storeHost } = context.settings;
  return context.broker.send({ ...target, storeHost, messages: [message], ownIds: true });
}

/**
 * Sends several.
 *
 * @throws {BrokerError} Nothing was stored.
 * @throws {ProblemError} Some parts were stored: `receipts` has `null` for those that were not.
 */
export async function sendAll(
  context: HttpContext,
  topic: string,
  messages: readonly Addressed[],
): Promise<SendReceipt[]> {
  await readyTopic(context, topic);
  const parts = partsOf(messages, context.broker.topic(topic));
  const { storeHost } = context.settings;
  const outcomes = await Promise.allSettled(parts.map((part) => {
    const { queueId, shardingKey, queueByIds } = part;
    const to = { topic, queueId, queueByIds };
    const target = shardingKey === undefined ? to : { ...to, shardingKey };
    const ofPart = part.indexes.map((index) => messages[index]!.message);
    return context.broker.send({ ...target, storeHost, messages: ofPart, ownIds: true });
  }));
  const receipts: ReceiptOrNull[] = messages.map(() => null);
  let failure: unknown;
  let failedParts = 0;
  outcomes.forEach((outcome, at) => {
    if (outcome.status === "rejected") {
      failure ??= outcome.reason;
      failedParts++;
    } else {
      parts[at]!.indexes.forEach((index, order) => {
        receipts[index] = outcome.value[order] ?? null;
      });
    }
  });
  if (failedParts === 0) return receipts.filter((receipt) => receipt !== null);
  const error = failureOf(failure);
  if (failedParts === parts.length) throw error;
  const stored = receipts.filter((receipt) => receipt !== null).length;
  throw new ProblemError(
    error.code,
    `Stored ${stored} of ${messages.length} messages: ${error.message}`,
    { receipts: receipts.map(receiptJson) },
    { cause: error },
  );
}

/** A receipt as users read it. */
export function receiptJson(receipt: ReceiptOrNull): Record<string, unknown> | null {
  if (receipt === null) return null;
  const { messageId, queueId, offset, survived } = receipt;
  return { messageId, queueId, offset, survived, ...extrasOf(receipt) };
}

/** What only some receipts say. */
function extrasOf({ deliverAtMs, replacedMessageId, repeated }: SendReceipt) {
  return {
    ...(deliverAtMs === undefined ? {} : { deliverAtMs }),
    ...(replacedMessageId === undefined ? {} : { replacedMessageId }),
    ...(repeated ? { repeated } : {}),
  };
}

/** What JSON writes as it is. */
const plainWord = /^[\w.:-]+$/;

/** `{"receipts": […]}`, built by hand: every send answers it. */
export function receiptsText(receipts: readonly SendReceipt[]): string {
  let text = '{"receipts":[';
  for (let index = 0; index < receipts.length; index++) {
    const receipt = receipts[index]!;
    const { messageId, queueId, offset, survived } = receipt;
    if (index > 0) text += ",";
    if (receipt.repeated || offset === null || receipt.replacedMessageId !== undefined) {
      text += JSON.stringify(receiptJson(receipt));
      continue;
    }
    // The id may be the client's own; the other three cannot hold what JSON would have to escape.
    const id = plainWord.test(messageId) ? `"${messageId}"` : JSON.stringify(messageId);
    text += `{"messageId":${id},` +
      `"queueId":${queueId},"offset":${offset},"survived":"${survived}"}`;
  }
  return `${text}]}`;
}

/**
 * Sees to it that the topic is there, made on the fly when the broker allows it.
 *
 * @throws {BrokerError} `topic_not_found`
 */
export async function readyTopic(context: HttpContext, topic: string): Promise<void> {
  if (context.broker.topic(topic)) return;
  try {
    await context.broker.topicForSend(topic, context.settings.queuesPerNewTopic);
  } catch (thrown) {
    const error = failureOf(thrown);
    throw error.code === "topic_not_found" ? topicMissing(context.broker, topic) : error;
  }
}

function partsOf(messages: readonly Addressed[], topic: Topic | undefined): Part[] {
  const parts = new Map<string, Part>();
  const byId = topic === undefined || topic.settings.dedupe === "off" ? undefined : topic;
  messages.forEach((addressed, index) => {
    const { message: { timing }, queueId: wanted, shardingKey, messageId } = addressed;
    if (goesAlone(addressed, byId)) {
      const part = { queueId: wanted, shardingKey, queueByIds: false, indexes: [index] };
      parts.set(`alone ${index}`, part);
      return;
    }
    // Each by its own id: sent again in another batch, or alone, it has to find the first.
    const isById = wanted === null && shardingKey === undefined && messageId !== undefined &&
      byId !== undefined;
    const queueId = isById ? queueOfId(byId, messageId) : wanted;
    // While a topic keeps its queues, such a queue is as good as one that was asked for.
    const queueByIds = isById && byId.formerQueues.length > 0;
    const place = queueId ?? (shardingKey === undefined ? "any" : `key ${shardingKey}`);
    // What is visible at once is told by its id from what was stored; a timer from those pending.
    const key = `${timing === undefined ? "" : "timed "}${queueByIds ? "by id " : ""}${place}`;
    const part = parts.get(key);
    if (part) part.indexes.push(index);
    else parts.set(key, { queueId, shardingKey, queueByIds, indexes: [index] });
  });
  return [...parts.values()];
}

/** Whether the message has to find its queue by itself, or a pending timer of its name. */
function goesAlone(
  { message: { timing }, queueId, messageId }: Addressed,
  byId: Topic | undefined,
): boolean {
  if (timing === undefined) return false;
  if (timing.timerKey !== null) return true;
  // Otherwise its id, or its key, leads it where it led before.
  const mayHaveMoved = byId === undefined || byId.formerQueues.length > 0;
  return queueId === null && messageId !== undefined && mayHaveMoved;
}
