/**
 * What clients ask a name server: GET_ROUTEINFO_BY_TOPIC (105), GET_BROKER_CLUSTER_INFO (106),
 * topic lists (206, 224) and the key-value table (100, 101, 102, 219). Protocol 5.
 *
 * There is one broker, and it is here: every route leads to the address the client dialled.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import type { Broker } from "../../../broker/broker.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import {
  getKvList,
  getRouteInfo,
  getTopicsByCluster,
  kvKey,
  kvValue,
  putKvConfig,
} from "../fields.ts";
import {
  type BrokerData,
  clusterInfoText,
  type QueueData,
  readsStandardJson,
  topicRouteText,
} from "../route_data.ts";
import { jsonBody } from "./json_body.ts";
import { autoCreatedQueues, autoCreatePerm, autoCreateTopic } from "./system_topics.ts";

/** Where tools keep the order of ordered topics; clients prefer it over the queues of the route. */
const orderNamespace = "ORDER_TOPIC_CONFIG";

/** Where a topic is. */
export async function handleRoute(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker, settings } = context;
  const header = readHeader(getRouteInfo, call.command.extFields);
  const queues = queuesOf(header.topic, context);
  if (queues === undefined) {
    return refusal(
      responseCodes.topicNotExist,
      `No route for topic ${header.topic.slice(0, 200)}: it does not exist`,
    );
  }
  const orderTopicConf = await orderOf(header.topic, broker);
  const data: QueueData = { ...queues, brokerName: settings.brokerName, topicSysFlag: 0 };
  const text = topicRouteText(
    { orderTopicConf, queues: [data], brokers: [brokerData(call, context)] },
    readsStandardJson(call.command.version, header.acceptStandardJsonOnly),
  );
  return { ...done, body: utf8(text) };
}

/** Only tools that make a topic ordered keep an order for it: nobody else waits for the table. */
async function orderOf(topic: string, broker: Broker): Promise<string | undefined> {
  if (broker.topic(topic)?.settings.ordered !== true) return undefined;
  return await broker.keyValue(orderNamespace, topic) ?? undefined;
}

/** Which brokers there are: one. */
export function handleClusterInfo(call: Call, context: RemotingContext): Answer {
  const standard = readsStandardJson(call.command.version, undefined);
  const text = clusterInfoText({ brokers: [brokerData(call, context)] }, standard);
  return { ...done, body: utf8(text) };
}

/** All topics' names, in a stable order. */
export function handleTopicList(_call: Call, context: RemotingContext): Answer {
  return { ...done, body: topicListBody(context.broker) };
}

/** All topics' names, if the cluster is this one. */
export function handleTopicsByCluster(call: Call, context: RemotingContext): Answer {
  const { cluster } = readHeader(getTopicsByCluster, call.command.extFields);
  if (cluster === context.settings.clusterName) return handleTopicList(call, context);
  return { ...done, body: jsonBody({ brokerAddr: null, topicList: [] }) };
}

/** One value of the key-value table. */
export async function handleGetKeyValue(call: Call, context: RemotingContext): Promise<Answer> {
  const { namespace, key } = readHeader(kvKey, call.command.extFields);
  const value = await context.broker.keyValue(namespace, key);
  if (value !== null) return { ...done, extFields: writeHeader(kvValue, { value }) };
  return refusal(responseCodes.queryNotFound, `Nothing is kept under ${namespace}/${key}`);
}

/** Keeps a value. */
export async function handlePutKeyValue(call: Call, context: RemotingContext): Promise<Answer> {
  const { namespace, key, value } = readHeader(putKvConfig, call.command.extFields);
  await context.broker.putKeyValue(namespace, key, value);
  return done;
}

/** Forgets a value. */
export async function handleDeleteKeyValue(call: Call, context: RemotingContext): Promise<Answer> {
  const { namespace, key } = readHeader(kvKey, call.command.extFields);
  await context.broker.putKeyValue(namespace, key, null);
  return done;
}

/** All values of a namespace. */
export async function handleKeyValueList(call: Call, context: RemotingContext): Promise<Answer> {
  const { namespace } = readHeader(getKvList, call.command.extFields);
  const table = await context.broker.keyValues(namespace);
  if (Object.keys(table).length > 0) return { ...done, body: jsonBody({ table }) };
  return refusal(responseCodes.queryNotFound, `Nothing is kept under ${namespace}`);
}

function queuesOf(
  name: string,
  { broker, settings }: RemotingContext,
): Pick<QueueData, "readQueues" | "writeQueues" | "perm"> | undefined {
  if (name === autoCreateTopic) {
    if (!settings.autoCreateTopics) return undefined;
    return { readQueues: autoCreatedQueues, writeQueues: autoCreatedQueues, perm: autoCreatePerm };
  }
  const topic = broker.topic(name);
  if (topic === undefined) return undefined;
  const queues = topic.queueRefs.length;
  return { readQueues: queues, writeQueues: queues, perm: topic.settings.perm };
}

function brokerData(call: Call, { settings }: RemotingContext): BrokerData {
  return {
    cluster: settings.clusterName,
    brokerName: settings.brokerName,
    addresses: new Map([[0, call.peer.route]]),
  };
}

function topicListBody(broker: Broker): Uint8Array {
  const topicList = broker.topics().map((topic) => topic.name).sort();
  return jsonBody({ brokerAddr: null, topicList });
}
