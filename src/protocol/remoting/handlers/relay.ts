/**
 * Questions for a consumer that reach it through the broker: GET_CONSUMER_RUNNING_INFO (307),
 * CONSUME_MESSAGE_DIRECTLY (309), INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223). Protocol 7.2, 10.
 *
 * @module
 */
import { textOf, utf8 } from "../../../base/bytes.ts";
import type { Broker, ConsumerMember, FoundMessage } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { parseOffsetMessageId } from "../../../model/message_id.ts";
import {
  type Answer,
  type Call,
  type ClientRequest,
  done,
  refusal,
  type RemotingContext,
} from "../call.ts";
import { requestCodes, responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { consumeMessageDirectly, getConsumerRunningInfo, getConsumerStatus } from "../fields.ts";
import { messageQueueMapText, parseMessageQueueMap } from "../message_queue_keys.ts";

/** How long a client may think: RocketMQ's own patience. */
const answerMsMax = 10_000;

/** What a consumer says of itself: its settings, queues and threads. */
export async function handleRunningInfo(call: Call, context: RemotingContext): Promise<Answer> {
  const { extFields } = call.command;
  const { consumerGroup, clientId } = readHeader(getConsumerRunningInfo, extFields);
  const member = await memberOf(consumerGroup, clientId, context.broker);
  if (member === undefined) return absent(consumerGroup, clientId);
  return await relay(member, { code: requestCodes.getConsumerRunningInfo, extFields }, context);
}

/** Hands one stored message to one consumer, whatever the group's place; its verdict comes back. */
export async function handleConsumeDirectly(call: Call, context: RemotingContext): Promise<Answer> {
  const { extFields } = call.command;
  const header = readHeader(consumeMessageDirectly, extFields);
  const { consumerGroup, clientId, messageId = "" } = header;
  const member = await memberOf(consumerGroup, clientId, context.broker);
  if (member === undefined) return absent(consumerGroup, clientId ?? "");
  const found = await findMessage(messageId, header.topic, context.broker);
  if (found === undefined) {
    return refusal(responseCodes.systemError, `There is no message ${messageId.slice(0, 100)}`);
  }
  const body = found.record;
  const code = requestCodes.consumeMessageDirectly;
  return await relay(member, { code, extFields, body }, context);
}

/** How far the members of a group say they are, by client. */
export async function handleConsumerStatus(call: Call, context: RemotingContext): Promise<Answer> {
  const header = readHeader(getConsumerStatus, call.command.extFields);
  const { consumerGroup: group, topic, clientAddress = "" } = header;
  const members = (await context.broker.consumers(group))
    .filter(({ clientId }) => clientAddress === "" || clientId === clientAddress);
  if (members.length === 0) return absent(group, clientAddress);
  const code = requestCodes.getConsumerStatusFromClient;
  const extFields = { topic, group };
  const tables = await Promise.all(members.map(async ({ clientId, connection }) => {
    const answer = await context.clients.ask(connection, { code, extFields }, answerMsMax);
    if (answer.code !== responseCodes.success) {
      throw new BrokerError("internal", answer.remark ?? `Client ${clientId} refused to answer`);
    }
    const map = parseMessageQueueMap(textOf(answer.body), "messageQueueTable");
    return `${JSON.stringify(clientId)}:${messageQueueMapText(map)}`;
  }));
  return { ...done, body: utf8(`{"consumerTable":{${tables.join(",")}}}`) };
}

async function relay(
  { connection }: ConsumerMember,
  request: ClientRequest,
  { clients }: RemotingContext,
): Promise<Answer> {
  try {
    const { code, remark, body } = await clients.ask(connection, request, answerMsMax);
    return { code, body, ...(remark === undefined ? {} : { remark }) };
  } catch (thrown) {
    if (!(thrown instanceof BrokerError) || thrown.code !== "timeout") throw thrown;
    return refusal(responseCodes.consumeMsgTimeout, thrown.message);
  }
}

/** The member of that id, or any if none is named. */
async function memberOf(
  group: string,
  clientId: string | undefined,
  broker: Broker,
): Promise<ConsumerMember | undefined> {
  const members = await broker.consumers(group);
  if (clientId === undefined || clientId === "") return members[0];
  return members.find((member) => member.clientId === clientId);
}

/** By the place an offset message id names, or by unique key: the two look alike. */
async function findMessage(
  messageId: string,
  topic: string | undefined,
  broker: Broker,
): Promise<FoundMessage | undefined> {
  const place = parseOffsetMessageId(messageId);
  const found = place === undefined
    ? null
    : await broker.findByPhysicalOffset(place.physicalOffset);
  return found ?? (await broker.findById(topic ?? null, messageId))[0];
}

function absent(group: string, clientId: string): Answer {
  const who = clientId === "" ? "No consumer" : `Consumer ${clientId.slice(0, 300)}`;
  return refusal(responseCodes.systemError, `${who} of group ${group} is not online`);
}
