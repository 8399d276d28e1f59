/**
 * What tools do with topics: UPDATE_AND_CREATE_TOPIC (17, a list of them: 18), GET_ALL_TOPIC_CONFIG
 * (21), GET_TOPIC_STATS_INFO (202), DELETE_TOPIC_IN_BROKER (215), DELETE_TOPIC_IN_NAMESRV (216),
 * QUERY_TOPIC_CONSUME_BY_WHO (300) and GET_TOPIC_CONFIG (351). Protocol 10.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import { limits } from "../../../base/limits.ts";
import type { Broker } from "../../../broker/broker.ts";
import { perSecond } from "../../../broker/traffic.ts";
import { BrokerError } from "../../../model/errors.ts";
import { isDerivedTopic } from "../../../model/names.ts";
import { permReadWrite, type Topic } from "../../../model/topic.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { type HeaderOf, readHeader } from "../field_tables.ts";
import { namedTopic } from "../fields.ts";
import { messageQueueMapText } from "../message_queue_keys.ts";
import { rateWindowMs } from "./admin_clients.ts";
import { putTopic, topicPage } from "./admin_fields.ts";
import {
  boolField,
  isObject,
  jsonBody,
  type JsonObject,
  numberField,
  objectsField,
  readBody,
  requiredText,
} from "./json_body.ts";
import { dataVersion, pageOf } from "./pages.ts";
import { storedMsAt } from "./stored_times.ts";
import { isProtocolTopic } from "./system_topics.ts";

type Attributes = Readonly<Record<string, string>>;
type TopicWish = Pick<
  HeaderOf<typeof putTopic>,
  "topic" | "readQueues" | "writeQueues" | "perm" | "order"
>;

/** Makes a topic, or changes the one there is. */
export async function handlePutTopic(call: Call, context: RemotingContext): Promise<Answer> {
  const header = readHeader(putTopic, call.command.extFields);
  return await putTopicAs(
    header,
    (present) => changedAttributes(present, header.attributes),
    context,
  );
}

/** The same for several, each as it is to be. Those before one that fails are there. */
export async function handlePutTopics(call: Call, context: RemotingContext): Promise<Answer> {
  const configs = objectsField(readBody(call.body), "topicConfigList", limits.topicsMax);
  for (const config of configs) {
    const wish: TopicWish = {
      topic: requiredText(config, "topicName"),
      readQueues: numberField(config, "readQueueNums", 1),
      writeQueues: numberField(config, "writeQueueNums", 1),
      perm: numberField(config, "perm", permReadWrite),
      order: boolField(config, "order", false),
    };
    const { attributes } = config;
    const answer = await putTopicAs(
      wish,
      (present) => isObject(attributes) ? plainAttributes(attributes) : present,
      context,
    );
    if (answer.code !== responseCodes.success) return answer;
  }
  return done;
}

async function putTopicAs(
  header: TopicWish,
  attributesFrom: (present: Attributes) => Attributes,
  { broker }: RemotingContext,
): Promise<Answer> {
  const name = header.topic;
  if (isProtocolTopic(name)) {
    return refusal(
      responseCodes.systemError,
      `Cannot create topic ${name}: the name belongs to the protocol`,
    );
  }
  const known = broker.topic(name);
  const settings = {
    queues: Math.max(header.readQueues, header.writeQueues),
    perm: header.perm & permReadWrite,
    attributes: attributesFrom(known?.settings.attributes ?? {}),
    ...(header.order === undefined ? {} : { ordered: header.order }),
  };
  try {
    if (known === undefined) await broker.createTopic(name, settings);
    else await broker.changeTopic(name, settings);
  } catch (fault) {
    // Tools show the remark of a 1; other codes they take for a broken connection.
    if (fault instanceof BrokerError && fault.code === "invalid_argument") {
      return refusal(responseCodes.systemError, fault.message);
    }
    throw fault;
  }
  return done;
}

/** Every topic with its settings, in pages if the asker wants it. */
export function handleAllTopics(call: Call, { broker }: RemotingContext): Answer {
  const { first, countMax } = readHeader(topicPage, call.command.extFields);
  const topics = broker.topics();
  const table = pageOf(topics, first, countMax).map((topic) => [topic.name, configOf(topic)]);
  const body = { topicConfigTable: Object.fromEntries(table), dataVersion: dataVersion(topics) };
  return { ...done, extFields: { totalTopicNum: String(topics.length) }, body: jsonBody(body) };
}

/** One topic's settings. */
export function handleTopicConfig(call: Call, { broker }: RemotingContext): Answer {
  const { topic: name } = readHeader(namedTopic, call.command.extFields);
  const topic = broker.topic(name);
  return topic === undefined ? unknownTopic(name) : { ...done, body: jsonBody(configOf(topic)) };
}

/** Deletes a topic with its messages. One that is gone already is what was wanted. */
export async function handleDeleteTopic(call: Call, context: RemotingContext): Promise<Answer> {
  const { topic } = readHeader(namedTopic, call.command.extFields);
  if (context.broker.topic(topic) === undefined) return done;
  if (isDerivedTopic(topic) || isProtocolTopic(topic)) {
    return refusal(
      responseCodes.systemError,
      `Cannot delete topic ${topic}: it belongs to the broker or to a group`,
    );
  }
  await context.broker.deleteTopic(topic);
  return done;
}

/** Tools tell the name server, too. There is one registry, and the broker has told it. */
export function handleForgetTopic(call: Call): Answer {
  readHeader(namedTopic, call.command.extFields);
  return done;
}

/** How far each queue of a topic reaches. */
export async function handleTopicStats(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker, settings: { brokerName } } = context;
  const { topic } = readHeader(namedTopic, call.command.extFields);
  if (broker.topic(topic) === undefined) return unknownTopic(topic);
  const ranges = await broker.queueRanges(topic);
  const rows = await Promise.all(ranges.map(async ({ minOffset, maxOffset }, queueId) => {
    const newest = minOffset < maxOffset ? maxOffset - 1 : -1;
    const lastUpdateTimestamp = await storedMsAt(broker, topic, queueId, newest) ?? 0;
    return [
      { topic, brokerName, queueId },
      { lastUpdateTimestamp, maxOffset, minOffset },
    ] as const;
  }));
  const window = broker.traffic.window("put", topic, rateWindowMs);
  const tps = window === undefined ? 0 : perSecond(window);
  return {
    ...done,
    body: utf8(`{"offsetTable":${messageQueueMapText(rows)},"topicPutTps":${tps}}`),
  };
}

/** The groups that read a topic: subscribed now, or with a place in it. */
export async function handleTopicGroups(call: Call, context: RemotingContext): Promise<Answer> {
  const { topic } = readHeader(namedTopic, call.command.extFields);
  const { broker } = context;
  const groupList: string[] = [];
  if (broker.topic(topic) !== undefined) {
    for (const { name } of broker.groups()) {
      if (await readsTopic(name, topic, broker)) groupList.push(name);
    }
  }
  return { ...done, body: jsonBody({ groupList }) };
}

async function readsTopic(group: string, topic: string, broker: Broker): Promise<boolean> {
  if (broker.subscription(group, topic) !== undefined) return true;
  const places = await broker.places(group, topic);
  return places.some((place) => place.committedOffset !== null);
}

function configOf({ name, settings, queueRefs }: Topic) {
  return {
    attributes: settings.attributes,
    order: settings.ordered,
    perm: settings.perm,
    readQueueNums: queueRefs.length,
    topicFilterType: "SINGLE_TAG",
    topicName: name,
    topicSysFlag: 0,
    writeQueueNums: queueRefs.length,
  };
}

function changedAttributes(present: Attributes, changes = ""): Attributes {
  const attributes = new Map(Object.entries(present));
  for (const change of changes.split(",").map((text) => text.trim())) {
    const [name = "", value = ""] = change.slice(1).split("=", 2);
    if (change.startsWith("+") && name !== "") attributes.set(name, value);
    if (change.startsWith("-")) attributes.delete(name);
  }
  return Object.fromEntries(attributes);
}

/** In a list they come as they are to be; some tools keep the signs of changes. */
function plainAttributes(attributes: JsonObject): Attributes {
  const entries = Object.entries(attributes).map(([name, value]) => {
    return [name.replace(/^\+/, ""), String(value)];
  });
  return Object.fromEntries(entries);
}

function unknownTopic(name: string): Answer {
  return refusal(responseCodes.topicNotExist, `Topic ${name.slice(0, 200)} does not exist`);
}
