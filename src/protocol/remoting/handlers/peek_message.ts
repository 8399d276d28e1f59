/**
 * What POP clients ask without taking anything: PEEK_MESSAGE (200052), NOTIFICATION (200054) and
 * POLLING_INFO (200055). Protocol 8.
 *
 * @module
 */
import { ByteWriter } from "../../../base/bytes.ts";
import { limits } from "../../../base/limits.ts";
import type { Broker, QueuePlace } from "../../../broker/broker.ts";
import { everything } from "../../../model/subscription.ts";
import { type Answer, type Call, done, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import {
  notification,
  notificationAnswer,
  peekMessage,
  pollingInfo,
  pollingInfoAnswer,
  popMessageAnswer,
} from "../pop_fields.ts";

type Asked = { readonly consumerGroup: string; readonly topic: string; readonly queueId: number };

/** Shows what would be handed out first, and hands nothing out. */
export async function handlePeekMessage(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const header = readHeader(peekMessage, call.command.extFields);
  const wanted = Math.max(1, Math.min(header.messagesMax, limits.popMessagesMax));
  const writer = new ByteWriter();
  let [count, rest] = [0, 0];
  for (const place of await placesOf(header, broker)) {
    const offset = nextOf(place);
    rest += Math.max(0, place.maxOffset - offset);
    const bytesMax = limits.replyBytesMax - writer.length;
    if (count >= wanted || bytesMax <= 0) continue;
    const { topic, queueId } = place;
    const ask = { topic, queueId, offset, messagesMax: wanted - count, bytesMax };
    const found = await broker.pull({ ...ask, filter: everything, waitMs: 0 });
    writer.put(found.records);
    count += found.count;
  }
  const extFields = writeHeader(popMessageAnswer, {
    ...{ popMs: 0, invisibleMs: 0, reviveQueueId: 0, restCount: rest - count },
    ...{ startOffsets: undefined, messageOffsets: undefined, orderCounts: undefined },
  });
  if (count === 0) return { code: responseCodes.pullNotFound, extFields };
  return { ...done, extFields, body: writer.view() };
}

/**
 * Says whether a pop would find something, what is to be tried again included; waits for it if the
 * client asked for it.
 */
export async function handleNotification(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const header = readHeader(notification, call.command.extFields);
  const { consumerGroup: group, topic, queueId } = header;
  const { gone: signal, parking } = call.peer;
  const ask = { group, topic, ...(queueId < 0 ? {} : { queueId }) };
  const waitMs = Math.max(0, Math.min(header.pollMs, limits.pollWaitMsMax));
  if (await broker.watch({ ...ask, waitMs: 0 })) return notified(true, false);
  if (waitMs === 0) return notified(false, false);
  if (!parking.enter()) return notified(false, true);
  try {
    return notified(await broker.watch({ ...ask, waitMs, signal }), false);
  } finally {
    parking.leave();
  }
}

/** How many pops wait for messages. */
export function handlePollingInfo(call: Call, { waitingPops }: RemotingContext): Answer {
  const { consumerGroup, topic, queueId } = readHeader(pollingInfo, call.command.extFields);
  const waiting = waitingPops.count(consumerGroup, topic, Math.max(-1, queueId));
  return { ...done, extFields: writeHeader(pollingInfoAnswer, { waiting }) };
}

function notified(hasMessages: boolean, pollingFull: boolean): Answer {
  return { ...done, extFields: writeHeader(notificationAnswer, { hasMessages, pollingFull }) };
}

async function placesOf(asked: Asked, broker: Broker): Promise<readonly QueuePlace[]> {
  if (broker.group(asked.consumerGroup) === undefined) {
    await broker.groupForUse(asked.consumerGroup);
  }
  const places = await broker.places(asked.consumerGroup, asked.topic);
  return asked.queueId < 0 ? places : places.filter(({ queueId }) => queueId === asked.queueId);
}

/** Where the group's next fresh message is. */
function nextOf({ nextOffset, committedOffset, minOffset }: QueuePlace): number {
  return Math.max(nextOffset ?? committedOffset ?? minOffset, minOffset);
}
