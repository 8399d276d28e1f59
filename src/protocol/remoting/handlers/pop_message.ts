/**
 * POP_MESSAGE (200050): messages leased to whoever asks, instead of queues owned by members.
 * Protocol 8.
 *
 * The shards count deliveries, hide what is leased and hand it out again in its own queue: there
 * are no retry topics of pops. What a client gets is the stored record with two changes: how often
 * it was tried, and the check point the client brings back.
 *
 * @module
 */
import { ByteWriter } from "../../../base/bytes.ts";
import { limits } from "../../../base/limits.ts";
import type { Broker, ReceivedMessage } from "../../../broker/broker.ts";
import { encodeProperties, propertyNames } from "../../../model/properties.ts";
import { writeDelivery } from "../../../model/record.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { numbersOfLease, writeCheckPoint } from "../check_point.ts";
import { responseCodes } from "../codes.ts";
import { type HeaderOf, readHeader, writeHeader } from "../field_tables.ts";
import { popMessage, popMessageAnswer } from "../pop_fields.ts";
import { readExpression } from "./expression.ts";

type PopHeader = HeaderOf<typeof popMessage>;

/** Leases messages of a topic, or of one queue of it; waits for some if the client asked for it. */
export async function handlePopMessage(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(popMessage, call.command.extFields);
  const refused = unpoppable(header, broker);
  if (refused !== undefined) return refused;
  const text = header.expression ?? "";
  const filter = await context.filters.filterOf(readExpression(header.expressionType, text));
  if (header.isOrdered === true) await makeOrdered(header.consumerGroup, context);
  const wishesToWait = header.pollMs > 0;
  const waits = wishesToWait && call.peer.parking.enter();
  const leave = waits ? context.waitingPops.enter(...waitedFor(header)) : undefined;
  try {
    const received = await broker.receive({
      topic: header.topic,
      ...(header.queueId < 0 ? {} : { queueId: header.queueId }),
      group: header.consumerGroup,
      clientId: call.peer.address,
      messagesMax: clamp(header.messagesMax, 1, limits.popMessagesMax),
      bytesMax: limits.replyBytesMax,
      invisibleMs: invisibleMsOf(header.invisibleMs),
      waitMs: waits ? Math.min(header.pollMs, limits.pollWaitMsMax) : 0,
      filter,
      signal: call.peer.gone,
    });
    if (received.length > 0) return foundAnswer(received, header, context);
    return nothingAnswer(wishesToWait && !waits, header);
  } finally {
    leave?.();
    if (waits) call.peer.parking.leave();
  }
}

/** A client's wish within what a lease can be. */
export function invisibleMsOf(wishedMs: number): number {
  return clamp(wishedMs, limits.invisibleMsMin, limits.invisibleMsMax);
}

/** The door would say the same of a topic; of a queue RocketMQ's own code is 29. */
function unpoppable({ topic, queueId }: PopHeader, broker: Broker): Answer | undefined {
  const known = broker.topic(topic);
  if (known === undefined) {
    return refusal(
      responseCodes.topicNotExist,
      `Cannot pop from topic ${topic.slice(0, 200)}: it does not exist`,
    );
  }
  if (queueId < known.queueRefs.length) return undefined;
  return refusal(
    responseCodes.invalidParameter,
    `Cannot pop from queue ${queueId} of topic ${topic}: ` +
      `it has queues 0 to ${known.queueRefs.length - 1}`,
  );
}

/**
 * An orderly listener says so with each pop, and nowhere else. Order is a setting of the group
 * here, so that it holds for all of its members, whatever they say.
 */
async function makeOrdered(name: string, { broker, log }: RemotingContext): Promise<void> {
  const group = broker.group(name) ?? await broker.groupForUse(name);
  if (group.settings.ordered) return;
  await broker.changeGroup(name, { ordered: true });
  log.info("group is ordered from now on: a member pops in order", { group: name });
}

function waitedFor({ consumerGroup, topic, queueId }: PopHeader): [string, string, number] {
  return [consumerGroup, topic, Math.max(-1, queueId)];
}

function foundAnswer(
  received: readonly ReceivedMessage[],
  header: PopHeader,
  context: RemotingContext,
): Answer {
  const invisibleMs = invisibleMsOf(header.invisibleMs);
  const writer = new ByteWriter();
  // A client makes the check point of a record without one from the header's numbers.
  let bare: ReceivedMessage | undefined;
  for (const message of received) {
    const point = writeCheckPoint(message, invisibleMs, context.settings.brokerName);
    const added = encodeProperties([[propertyNames.popCheckPoint, point]]);
    const isMarked = writeDelivery(writer, message.record, message.attempt - 1, added);
    if (!isMarked) bare ??= message;
  }
  const { popMs, reviveQueueId } = numbersOfLease((bare ?? received[0])?.lease ?? 0);
  const extFields = writeHeader(popMessageAnswer, {
    popMs,
    invisibleMs,
    reviveQueueId,
    restCount: 0,
    ...offsetsOf(received),
    orderCounts: header.isOrdered === true ? orderCounts(received) : undefined,
  });
  return {
    ...done,
    extFields,
    body: writer.view(),
    // What was leased comes again when its time is over; the client asks again at once.
    lighter: nothingAnswer(false, header),
  };
}

/** "0 queueId firstOffset" and "0 queueId offset,offset", queues joined by ";". */
function offsetsOf(received: readonly ReceivedMessage[]) {
  const queues = new Map<number, number[]>();
  for (const { queueId, offset } of received) {
    const offsets = queues.get(queueId);
    if (offsets === undefined) queues.set(queueId, [offset]);
    else offsets.push(offset);
  }
  const starts: string[] = [];
  const messages: string[] = [];
  for (const [queueId, offsets] of queues) {
    // Clients look an offset up by its rank among those of its queue.
    offsets.sort((one, other) => one - other);
    starts.push(`0 ${queueId} ${offsets[0] ?? 0}`);
    messages.push(`0 ${queueId} ${offsets.join(",")}`);
  }
  return { startOffsets: starts.join(";"), messageOffsets: messages.join(";") };
}

/** How often each message was tried before: orderly clients read it here, not in the record. */
function orderCounts(received: readonly ReceivedMessage[]): string {
  return received.map(({ queueId, offset, attempt }) => `0 qo${queueId}%${offset} ${attempt - 1}`)
    .join(";");
}

function nothingAnswer(isFull: boolean, header: PopHeader): Answer {
  const code = isFull ? responseCodes.pollingFull : responseCodes.pollingTimeout;
  const invisibleMs = invisibleMsOf(header.invisibleMs);
  const fields = { popMs: 0, invisibleMs, reviveQueueId: 0, restCount: 0 };
  return {
    code,
    extFields: writeHeader(popMessageAnswer, {
      ...fields,
      startOffsets: undefined,
      messageOffsets: undefined,
      orderCounts: undefined,
    }),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max));
}
