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
import { type Answer, type Call, done, type Peer, type RemotingContext } from "../call.ts";
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

/** Says whether a pop would find something; waits for it if the client asked for it. */
export async function handleNotification(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const header = readHeader(notification, call.command.extFields);
  const places = await placesOf(header, broker);
  if (places.some((place) => place.maxOffset > nextOf(place))) return notified(true, false);
  if (header.pollMs <= 0) return notified(false, false);
  const waitMs = Math.min(header.pollMs, limits.pollWaitMsMax);
  return await firstArrival(places, waitMs, call.peer, broker);
}

/** How many pops wait for messages. */
export function handlePollingInfo(call: Call, { waitingPops }: RemotingContext): Answer {
  const { consumerGroup, topic, queueId } = readHeader(pollingInfo, call.command.extFields);
  const waiting = waitingPops.count(consumerGroup, topic, Math.max(-1, queueId));
  return { ...done, extFields: writeHeader(pollingInfoAnswer, { waiting }) };
}

/** Waits at the end of every queue; each wait takes one of the places a connection has. */
async function firstArrival(
  places: readonly QueuePlace[],
  waitMs: number,
  peer: Peer,
  broker: Broker,
): Promise<Answer> {
  const others = new AbortController();
  const signal = AbortSignal.any([peer.gone, others.signal]);
  const waits: Promise<boolean>[] = [];
  for (const place of places) {
    if (!peer.parking.enter()) break;
    const { topic, queueId } = place;
    const ask = { topic, queueId, offset: nextOf(place), messagesMax: 1, bytesMax: 1 };
    const wait = broker.pull({ ...ask, filter: everything, waitMs, signal })
      .then((result) => result.count > 0)
      .finally(() => peer.parking.leave());
    waits.push(wait);
  }
  if (waits.length < places.length) {
    others.abort();
    await Promise.allSettled(waits);
    return notified(false, true);
  }
  const arrival = Promise.any(waits.map((wait) => wait.then(onlyTrue)));
  try {
    return notified(await arrival, false);
  } catch (thrown) {
    if (!(thrown instanceof AggregateError)) throw thrown;
    const failure = thrown.errors.find((error) => !(error instanceof NothingCame));
    if (failure !== undefined) throw failure;
    return notified(false, false);
  } finally {
    others.abort();
    await Promise.allSettled(waits);
  }
}

function onlyTrue(hasMessages: boolean): true {
  if (hasMessages) return true;
  throw new NothingCame();
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

/** One queue stayed as it was while others were waited for, too. */
class NothingCame extends Error {
  override readonly name = "NothingCame";
}
