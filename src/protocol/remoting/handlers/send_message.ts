/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320): protocol 6.1 and 6.4.
 *
 * The busiest handler. The properties of a message pass through as the text they came in; the door
 * adds the unique key to those that have none.
 *
 * @module
 */
import { limits } from "../../../base/limits.ts";
import type { SendRequest } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import type { NewMessage, SendReceipt } from "../../../model/message.ts";
import { offsetMessageIdAt } from "../../../model/message_id.ts";
import { checkTopicName, deadLetterTopicOf, retryPrefix } from "../../../model/names.ts";
import { propertyNames, readProperty, withoutProperties } from "../../../model/properties.ts";
import { permWrite, type Topic } from "../../../model/topic.ts";
import { type BatchMessage, decodeBatch } from "../batch_encoding.ts";
import {
  type Answer,
  type Call,
  type Peer,
  refusal,
  type RemotingContext,
  type RemotingSettings,
} from "../call.ts";
import { requestCodes, responseCodes } from "../codes.ts";
import type { ExtFields } from "../command.ts";
import { type Deferral, deferralOf } from "../deferral.ts";
import type { SendMessageHeader } from "../fields.ts";
import { recallHandleText } from "../recall_handle.ts";
import { type MessageOrigin, newMessageOf } from "./new_message.ts";
import { isHalf, sendHalf } from "./send_half.ts";
import { readSendHeader } from "./send_header.ts";
import { autoCreatedQueues, isClosedToSenders } from "./system_topics.ts";

/** What a send carries, once its body is taken apart. A batch is a send of several. */
type Sent = { readonly header: SendMessageHeader; readonly messages: readonly BatchMessage[] };

/** Stores one message or one batch. */
export function handleSendMessage(call: Call, context: RemotingContext): Answer | Promise<Answer> {
  const header = readSendHeader(call);
  const isBatch = header.isBatch === true || call.command.code === requestCodes.sendBatchMessage;
  const sent: Sent = { header, messages: isBatch ? decodeBatch(call.body) : single(call, header) };
  if (isClosedToSenders(header.topic)) {
    return refusal(
      responseCodes.noPermission,
      `Cannot send to topic ${header.topic}: it belongs to the broker`,
    );
  }
  const isRetry = header.topic.startsWith(retryPrefix);
  if (isRetry && isBatch) {
    return illegal(`Cannot send a batch to ${header.topic}: it takes single messages`);
  }
  if (isRetry) return sendToRetry(call, context, sent);
  const topic = context.broker.topic(header.topic);
  if (topic !== undefined) return sendTo(topic, call, context, sent);
  return createForSend(header, context).then((created) => sendTo(created, call, context, sent));
}

function single(call: Call, { flag, properties }: SendMessageHeader): readonly BatchMessage[] {
  return [{ flag, properties: properties ?? "", body: call.body }];
}

async function createForSend(header: SendMessageHeader, context: RemotingContext): Promise<Topic> {
  checkTopicName(header.topic);
  const queues = Math.max(1, Math.min(header.defaultTopicQueues, autoCreatedQueues));
  return await context.broker.topicForSend(header.topic, queues);
}

/**
 * A consumer that could not send back by CONSUMER_SEND_MSG_BACK sends the message itself, to come
 * again after its delay level (protocol 7.5), and after the last retry to the dead-letter topic.
 */
async function sendToRetry(call: Call, context: RemotingContext, sent: Sent): Promise<Answer> {
  const { header, messages } = sent;
  checkTopicName(header.topic);
  const name = header.topic.slice(retryPrefix.length);
  // Its retry and dead-letter topics come with the group.
  const group = await context.broker.groupForUse(name);
  const retriesMax = header.maxReconsumeTimes ?? group.settings.attemptsMax - 1;
  const isDead = (header.reconsumeTimes ?? 0) > retriesMax;
  const target = isDead ? deadLetterTopicOf(name) : header.topic;
  const topic = await context.broker.topicForSend(target, 1);
  // Once committed, a transaction's message is as any other; a dead one is to be seen at once.
  const dropped = isDead ? [transactionPrepared, delayLevel] : [transactionPrepared];
  return await sendTo(topic, call, context, {
    header: { ...header, topic: target, queueId: isDead ? 0 : header.queueId },
    messages: messages.map((message) => ({
      ...message,
      properties: withoutProperties(message.properties, dropped),
    })),
  });
}

const { transactionPrepared, delayLevel } = propertyNames;

function sendTo(
  topic: Topic,
  call: Call,
  context: RemotingContext,
  sent: Sent,
): Answer | Promise<Answer> {
  const { header, messages } = sent;
  const { queueId } = header;
  if ((topic.settings.perm & permWrite) === 0) {
    return refusal(responseCodes.noPermission, `Cannot send to topic ${topic.name}: not writable`);
  }
  if (queueId >= topic.queueRefs.length) {
    return refusal(
      responseCodes.invalidParameter,
      `Cannot send to queue ${queueId} of topic ${topic.name}: ` +
        `it has queues 0 to ${topic.queueRefs.length - 1}`,
    );
  }
  const fault = faultOf(messages);
  if (fault !== undefined) return illegal(fault);
  return store(call, context, sent);
}

/** Why the messages cannot be stored as they are. */
function faultOf(messages: readonly BatchMessage[]): string | undefined {
  if (messages.length === 0) return "Cannot send a batch: it has no messages";
  for (const { body } of messages) {
    if (body.length > limits.bodyBytesMax) {
      return `Cannot send a message of ${body.length} bytes: the limit is ${limits.bodyBytesMax}`;
    }
  }
  return undefined;
}

function store(call: Call, context: RemotingContext, sent: Sent): Answer | Promise<Answer> {
  const { header } = sent;
  const { queueId } = header;
  const nowMs = context.clock.wallMs();
  const { clusterName } = context.settings;
  const origin: MessageOrigin = { header, bornHost: call.peer.remote, clusterName };
  const messages = new Array<NewMessage>(sent.messages.length);
  let deferred: Deferral & { kind: "later" } | undefined;
  for (let index = 0; index < messages.length; index++) {
    const message = newMessageOf(sent.messages[index]!, origin); // `index` is below the length
    const deferral = deferralOf(message.properties, header, nowMs);
    if (deferral.kind === "illegal") return illegal(deferral.reason);
    if (deferral.kind === "later") deferred = deferral;
    messages[index] = deferral.kind === "later" ? { ...message, ...timed(deferral) } : message;
  }
  const [first] = messages;
  if (first !== undefined && isHalf(first.properties, header.sysFlag)) {
    if (messages.length > 1) return illegal("Cannot begin a transaction: a batch cannot be half");
    return refusedTimes(sendHalf(first, header, call, context));
  }
  const { storeHost } = call.peer;
  const request: SendRequest = { topic: header.topic, queueId, storeHost, messages };
  const stored = context.broker.send(queueId < 0 ? anyQueue(request, header) : request);
  if (deferred === undefined) return answered(stored, call.peer, context);
  const isRecallable = deferred.isTimer && messages.length === 1;
  return refusedTimes(withHandle(stored, call.peer, isRecallable ? header : null, context));
}

/** Apart, so that what waits does not keep the request. */
function answered(
  stored: Promise<SendReceipt[]>,
  { messageIdPrefix }: Peer,
  { settings }: RemotingContext,
): Promise<Answer> {
  return stored.then((receipts) => receiptAnswer(receipts, messageIdPrefix, settings));
}

/** With what a timer can be called back by, if `recallable` says whose it is. */
async function withHandle(
  stored: Promise<SendReceipt[]>,
  { messageIdPrefix }: Peer,
  recallable: SendMessageHeader | null,
  { settings }: RemotingContext,
): Promise<Answer> {
  const receipts = await stored;
  const answer = receiptAnswer(receipts, messageIdPrefix, settings);
  return recallable === null ? answer : withRecallHandle(answer, receipts, recallable, settings);
}

function timed({ timing, properties }: Deferral & { kind: "later" }) {
  return { timing, properties };
}

/** A time further ahead than the settings allow, and the like: the message is at fault. */
function refusedTimes(asked: Promise<Answer>): Promise<Answer> {
  return asked.catch((fault: unknown) => {
    if (fault instanceof BrokerError && fault.code === "invalid_argument") {
      return illegal(fault.message);
    }
    throw fault;
  });
}

/** The broker chooses the queue: messages with one sharding key into one, the others in turn. */
function anyQueue(request: SendRequest, { properties }: SendMessageHeader): SendRequest {
  const shardingKey = readProperty(properties ?? "", propertyNames.shardingKey);
  const chosen = { ...request, queueId: null };
  return shardingKey === undefined ? chosen : { ...chosen, shardingKey };
}

function illegal(remark: string): Answer {
  return refusal(responseCodes.messageIllegal, remark);
}

/** What the producer can call the message back by. A retry is no message of a producer. */
function withRecallHandle(
  answer: Answer,
  [receipt]: readonly SendReceipt[],
  { topic }: SendMessageHeader,
  { brokerName }: RemotingSettings,
): Answer {
  const deliverMs = receipt?.deliverAtMs;
  if (receipt === undefined || deliverMs === undefined || topic.startsWith(retryPrefix)) {
    return answer;
  }
  const handle = { topic, brokerName, deliverMs, uniqueKey: receipt.messageId };
  return { ...answer, extFields: { ...answer.extFields, recallHandle: recallHandleText(handle) } };
}

function receiptAnswer(
  receipts: readonly SendReceipt[],
  prefix: string,
  { region, traceOn }: RemotingSettings,
): Answer {
  const [first] = receipts;
  if (first === undefined) throw new BrokerError("internal", "Cannot answer a send: no receipt");
  const extFields: ExtFields = {
    msgId: offsetMessageIdAt(prefix, first.physicalOffset ?? 0),
    queueId: String(first.queueId),
    queueOffset: String(first.offset ?? 0),
    MSG_REGION: region,
    TRACE_ON: traceOn ? "true" : "false",
  };
  if (receipts.length === 1) {
    extFields["transactionId"] = first.messageId;
  } else {
    const ids = receipts.map((each) => offsetMessageIdAt(prefix, each.physicalOffset ?? 0));
    extFields["msgId"] = ids.join(",");
  }
  return { code: responseCodes.success, extFields };
}
