/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320): protocol 6.1.
 *
 * The busiest handler. The properties of a message pass through as the text they came in; the door
 * adds the unique key to those that have none.
 *
 * @module
 */
import { limits } from "../../../base/limits.ts";
import type { SendRequest } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import type { Host, NewMessage, SendReceipt } from "../../../model/message.ts";
import { offsetMessageIdAt } from "../../../model/message_id.ts";
import { checkTopicName, deadLetterTopicOf, retryPrefix } from "../../../model/names.ts";
import { propertyNames, readProperty, withoutProperties } from "../../../model/properties.ts";
import { permWrite, type Topic } from "../../../model/topic.ts";
import { type BatchMessage, decodeBatch } from "../batch_encoding.ts";
import { type Answer, type Call, refusal, type RemotingContext } from "../call.ts";
import { requestCodes, responseCodes } from "../codes.ts";
import type { ExtFields } from "../command.ts";
import { readHeader } from "../field_tables.ts";
import { sendMessage, type SendMessageHeader, sendMessageV2 } from "../fields.ts";
import { autoCreatedQueues, isClosedToSenders } from "./system_topics.ts";
import { refusedSchedule } from "./unscheduled.ts";

/** What a send carries, once its body is taken apart. A batch is a send of several. */
type Sent = { readonly header: SendMessageHeader; readonly messages: readonly BatchMessage[] };

/** Stores one message or one batch. */
export function handleSendMessage(call: Call, context: RemotingContext): Answer | Promise<Answer> {
  const { code, extFields } = call.command;
  const table = code === requestCodes.sendMessage ? sendMessage : sendMessageV2;
  const header = readHeader(table, extFields);
  const isBatch = header.isBatch === true || code === requestCodes.sendBatchMessage;
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
 * A consumer that could not send back by CONSUMER_SEND_MSG_BACK sends the message itself
 * (protocol 7.5). After the last retry it goes to the dead-letter topic.
 */
async function sendToRetry(call: Call, context: RemotingContext, sent: Sent): Promise<Answer> {
  const { header, messages } = sent;
  checkTopicName(header.topic);
  const name = header.topic.slice(retryPrefix.length);
  // Its retry and dead-letter topics come with the group.
  const group = await context.broker.groupForUse(name);
  const retriesMax = header.maxReconsumeTimes ?? group.settings.attemptsMax - 1;
  if ((header.reconsumeTimes ?? 0) <= retriesMax) {
    const topic = await context.broker.topicForSend(header.topic, 1);
    return await sendTo(topic, call, context, sent);
  }
  const dead = await context.broker.topicForSend(deadLetterTopicOf(name), 1);
  return await sendTo(dead, call, context, {
    header: { ...header, queueId: 0 },
    messages: messages.map((message) => ({
      ...message,
      properties: withoutProperties(message.properties, [propertyNames.delayLevel]),
    })),
  });
}

function sendTo(
  topic: Topic,
  call: Call,
  context: RemotingContext,
  { header, messages }: Sent,
): Answer | Promise<Answer> {
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
  const fault = faultOf(messages, header);
  if (fault !== undefined) return illegal(fault);
  const request: SendRequest = {
    topic: topic.name,
    queueId,
    storeHost: call.peer.storeHost,
    messages: messages.map((message) => storedMessage(message, header, call.peer.remote)),
  };
  const stored = context.broker.send(queueId < 0 ? anyQueue(request, header) : request);
  return stored.then((receipts) => receiptAnswer(receipts, call, context));
}

/** The broker chooses the queue: messages with one sharding key into one, the others in turn. */
function anyQueue(request: SendRequest, { properties }: SendMessageHeader): SendRequest {
  const shardingKey = readProperty(properties ?? "", propertyNames.shardingKey);
  const chosen = { ...request, queueId: null };
  return shardingKey === undefined ? chosen : { ...chosen, shardingKey };
}

/** Why the messages cannot be stored as they are. */
function faultOf(
  messages: readonly BatchMessage[],
  { sysFlag }: SendMessageHeader,
): string | undefined {
  if (messages.length === 0) return "Cannot send a batch: it has no messages";
  for (const { body, properties } of messages) {
    if (body.length > limits.bodyBytesMax) {
      return `Cannot send a message of ${body.length} bytes: the limit is ${limits.bodyBytesMax}`;
    }
    const refused = refusedSchedule(properties, sysFlag);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function storedMessage(
  { body, properties, flag }: BatchMessage,
  header: SendMessageHeader,
  bornHost: Host,
): NewMessage {
  return {
    body,
    properties: withoutProperties(properties, strippedNames),
    flag,
    sysFlag: header.sysFlag,
    bornMs: header.bornMs,
    bornHost,
    reconsumeTimes: header.reconsumeTimes ?? 0,
  };
}

function illegal(remark: string): Answer {
  return refusal(responseCodes.messageIllegal, remark);
}

/** What a pop had added must not come back: it would be taken for this delivery's. */
const strippedNames: readonly string[] = [propertyNames.popCheckPoint];

function receiptAnswer(
  receipts: readonly SendReceipt[],
  call: Call,
  context: RemotingContext,
): Answer {
  const [first] = receipts;
  if (first === undefined) throw new BrokerError("internal", "Cannot answer a send: no receipt");
  const { region, traceOn } = context.settings;
  const prefix = call.peer.messageIdPrefix;
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
