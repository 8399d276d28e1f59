/**
 * Who is connected and how far they are: GET_CONSUMER_CONNECTION_LIST (203),
 * GET_PRODUCER_CONNECTION_LIST (204) and GET_CONSUME_STATS (208). Protocol 10.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import { javaHash } from "../../../base/hash.ts";
import type { Broker, ConsumerMember, Member, QueuePlace } from "../../../broker/broker.ts";
import { groupKeyOf, perSecond } from "../../../broker/traffic.ts";
import type { Subscription } from "../../../model/subscription.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { consumerGroup } from "../fields.ts";
import { messageQueueMapText } from "../message_queue_keys.ts";
import { consumeStats, producerGroup } from "./admin_fields.ts";
import { jsonBody } from "./json_body.ts";
import { storedMsAt } from "./stored_times.ts";

/** What "per second" is measured over. */
export const rateWindowMs = 60_000;

/** The members of a group and what they subscribed to. */
export async function handleConsumerConnections(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const { consumerGroup: group } = readHeader(consumerGroup, call.command.extFields);
  const members = await broker.consumers(group);
  const [first] = members;
  if (first === undefined) {
    return refusal(responseCodes.consumerNotOnline, `Group ${group} is not online`);
  }
  const { consumeType, consumeFromWhere, messageModel } = first.membership;
  const connectionSet = members.map(connectionOf);
  const subscriptionTable = subscriptionsOf(members);
  return {
    ...done,
    body: jsonBody({
      ...{ connectionSet, consumeFromWhere, consumeType, messageModel, subscriptionTable },
    }),
  };
}

/** The producers of a group. */
export async function handleProducerConnections(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const { producerGroup: group } = readHeader(producerGroup, call.command.extFields);
  const producers = await broker.producers(group);
  if (producers.length === 0) {
    return refusal(responseCodes.systemError, `Producer group ${group} is not online`);
  }
  return { ...done, body: jsonBody({ connectionSet: producers.map(connectionOf) }) };
}

/** How far a group is in each queue it reads. */
export async function handleConsumeStats(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(consumeStats, call.command.extFields);
  const { consumerGroup: group } = header;
  const wanted = topicsOf(header);
  const places = await placesOf(group, wanted, broker);
  // What it subscribed to a moment ago has no place yet, but a rate.
  const read = wanted.length > 0 ? wanted : [
    ...places.map((place) => place.topic),
    ...Object.keys(subscriptionsOf(await broker.consumers(group))),
  ];
  return { ...done, body: utf8(await consumeStatsText(group, places, read, context)) };
}

/** The places of one group as a body has them, and how many messages a second these topics give. */
export async function consumeStatsText(
  group: string,
  places: readonly QueuePlace[],
  topics: readonly string[],
  { broker, settings: { brokerName } }: RemotingContext,
): Promise<string> {
  const rows = await Promise.all(places.map(async (place) => {
    const { topic, queueId } = place;
    return [{ topic, brokerName, queueId }, await offsetsOf(place, broker)] as const;
  }));
  let consumeTps = 0;
  for (const topic of new Set(topics)) {
    const window = broker.traffic.window("get", groupKeyOf(topic, group), rateWindowMs);
    if (window !== undefined) consumeTps += perSecond(window);
  }
  return `{"consumeTps":${consumeTps},"offsetTable":${messageQueueMapText(rows)}}`;
}

function topicsOf(header: { topic?: string | undefined; topics?: string | undefined }): string[] {
  const named = [header.topic ?? "", ...(header.topics ?? "").split(";")];
  return [...new Set(named.filter((topic) => topic !== ""))];
}

/** A group or topic nobody knows has no places: tools ask for retry topics before there are any. */
async function placesOf(
  group: string,
  topics: readonly string[],
  broker: Broker,
): Promise<QueuePlace[]> {
  if (broker.group(group) === undefined) return [];
  if (topics.length === 0) return await broker.places(group, null);
  const known = topics.filter((topic) => broker.topic(topic) !== undefined);
  return (await Promise.all(known.map((topic) => broker.places(group, topic)))).flat();
}

async function offsetsOf(place: QueuePlace, broker: Broker) {
  const { topic, queueId, minOffset } = place;
  const consumerOffset = place.committedOffset ?? minOffset;
  const newestDone = consumerOffset > minOffset ? consumerOffset - 1 : -1;
  return {
    brokerOffset: place.maxOffset,
    consumerOffset,
    lastTimestamp: await storedMsAt(broker, topic, queueId, newestDone) ?? 0,
    pullOffset: place.nextOffset ?? consumerOffset,
  };
}

function connectionOf({ address, clientId, language, version }: Member) {
  return { clientAddr: address, clientId, language, version };
}

/** By topic; of several members' the newest counts. */
function subscriptionsOf(members: readonly ConsumerMember[]) {
  const newest = new Map<string, Subscription>();
  for (const { membership } of members) {
    for (const subscription of membership.subscriptions) {
      const known = newest.get(subscription.topic);
      if (known !== undefined && known.version >= subscription.version) continue;
      newest.set(subscription.topic, subscription);
    }
  }
  return Object.fromEntries(
    Array.from(newest, ([topic, each]) => [topic, describeSubscription(each)]),
  );
}

/** A subscription as clients write it in their heartbeats. */
export function describeSubscription({ topic, expression, version }: Subscription) {
  const { language, text } = expression;
  const tagsSet = language === "TAG" && text !== "*"
    ? text.split("||").map((tag) => tag.trim()).filter((tag) => tag !== "")
    : [];
  return {
    classFilterMode: false,
    codeSet: tagsSet.map(javaHash),
    expressionType: language,
    subString: text,
    subVersion: version,
    tagsSet,
    topic,
  };
}
