/**
 * Lists of names: system topics (304, 305), unit topics (311, 312, 313), producers (328), what a
 * group reads (343, 345), the brokers of one name (901). Protocol 5, 10.
 *
 * @module
 */
import { isDerivedTopic } from "../../../model/names.ts";
import type { Subscription } from "../../../model/subscription.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { getBrokerMemberGroup } from "../fields.ts";
import { describeSubscription } from "./admin_clients.ts";
import { groupOnly, groupTopic } from "./admin_fields.ts";
import { jsonBody } from "./json_body.ts";

/**
 * Names that are no users' topics: of the cluster, of the broker, and what the broker made. Not
 * those of groups: the dashboard lists these by their prefix, and a second time what is told here.
 */
export function handleSystemTopics(call: Call, { broker, settings }: RemotingContext): Answer {
  const made = broker.topics().filter(({ name, system }) => system && !isDerivedTopic(name))
    .map(({ name }) => name).sort();
  const topicList = [...new Set([settings.clusterName, settings.brokerName, ...made])];
  return { ...done, body: jsonBody({ brokerAddr: call.peer.route, topicList }) };
}

/** Units are a thing of one company's network: no topic here belongs to any. */
export function handleUnitTopics(): Answer {
  return { ...done, body: jsonBody({ brokerAddr: null, topicList: [] }) };
}

/** All producers that are connected, by their group. */
export async function handleAllProducers(_call: Call, { broker }: RemotingContext) {
  const data: Record<string, object[]> = {};
  for (const producer of await broker.producers(null)) {
    const { group, clientId, address, language, version, heardMs } = producer;
    const info = { clientId, language, lastUpdateTimestamp: heardMs, remoteIP: address, version };
    (data[group] ??= []).push(info);
  }
  return { ...done, body: jsonBody({ data }) };
}

/** The topics a group has a place in, or is subscribed to now. */
export async function handleTopicsOfGroup(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const { group } = readHeader(groupOnly, call.command.extFields);
  const places = await broker.places(group, null);
  const subscribed = (await broker.consumers(group))
    .flatMap(({ membership }) => membership.subscriptions);
  const topics = new Set([...places, ...subscribed].map(({ topic }) => topic));
  return { ...done, body: jsonBody({ brokerAddr: null, topicList: [...topics].sort() }) };
}

/** What a group wants of a topic, by the newest word of its members; nothing if none is online. */
export async function handleSubscriptionOfGroup(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const { group, topic } = readHeader(groupTopic, call.command.extFields);
  const newest = (await broker.consumers(group))
    .flatMap(({ membership }) => membership.subscriptions)
    .filter((each) => each.topic === topic)
    .reduce<Subscription | undefined>(
      (best, each) => best === undefined || each.version > best.version ? each : best,
      undefined,
    );
  const subscriptionData = newest === undefined ? null : describeSubscription(newest);
  return { ...done, body: jsonBody({ group, subscriptionData, topic }) };
}

/** Who answers to a broker's name: this one, alone. */
export function handleMemberGroup(call: Call, { settings }: RemotingContext): Answer {
  const { brokerName } = readHeader(getBrokerMemberGroup, call.command.extFields);
  const brokerAddrs = brokerName === settings.brokerName ? { 0: call.peer.route } : {};
  const brokerMemberGroup = { brokerAddrs, brokerName, cluster: settings.clusterName };
  return { ...done, body: jsonBody({ brokerMemberGroup }) };
}

/** Whether a group may read a topic. It may: what stops a group is its own switch. */
export function handleGroupForbidden(call: Call): Answer {
  const { group, topic, readable } = readHeader(groupTopic, call.command.extFields);
  if (readable !== false) return { ...done, body: jsonBody({ group, readable: true, topic }) };
  return refusal(
    responseCodes.requestCodeNotSupported,
    `Cannot keep group ${group} from topic ${topic} alone: set the group's consumeEnable instead`,
  );
}

/** What is over its time is deleted without being asked: there is nothing left to do. */
export function handleCleanUp(): Answer {
  return done;
}
