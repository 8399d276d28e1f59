/**
 * Routes and the cluster as the text clients read.
 *
 * Clients differ in what they can parse: old Java wants integer keys without quotes, the standard
 * wants them quoted, and one client splits the address map at commas and colons without trimming.
 * So the text is compact, in a fixed order (clients compare it between polls), and quoted by
 * version.
 *
 * @module
 */

/** From this version on (4.9.4) clients read standard JSON. */
export const standardJsonVersionMin = 401;

/** How many queues a broker has of a topic, and what may be done with them. */
export type QueueData = {
  readonly brokerName: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  /** 4 read, 2 write, 1 inherited by topics made from it. */
  readonly perm: number;
  readonly topicSysFlag: number;
};

/** Where a broker is. Producers ignore one without an address under 0, the master. */
export type BrokerData = {
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id → "host:port". IPv4 or a name: old clients split at the first colon. */
  readonly addresses: ReadonlyMap<number, string>;
};

/** The answer to GET_ROUTEINFO_BY_TOPIC. */
export type TopicRoute = {
  /** "broker:queues;..." of an ordered topic; clients then use it instead of `queues`. */
  readonly orderTopicConf: string | undefined;
  readonly queues: readonly QueueData[];
  readonly brokers: readonly BrokerData[];
};

/** The answer to GET_BROKER_CLUSTER_INFO. */
export type ClusterInfo = { readonly brokers: readonly BrokerData[] };

/** Whether the asker of a route reads standard JSON. */
export function readsStandardJson(version: number, asked: boolean | undefined): boolean {
  return asked === true || version >= standardJsonVersionMin;
}

/** `TopicRouteData` as text. Keys are sorted, as the stock broker's standard form has them. */
export function topicRouteText(route: TopicRoute, standardJson: boolean): string {
  const { orderTopicConf } = route;
  const brokers = route.brokers.map((broker) => brokerText(broker, standardJson)).join(",");
  const queues = route.queues.map((queue) => queueText(queue, standardJson)).join(",");
  const order = orderTopicConf === undefined
    ? ""
    : `"orderTopicConf":${quoted(orderTopicConf, standardJson)},`;
  return `{"brokerDatas":[${brokers}],"filterServerTable":{},${order}"queueDatas":[${queues}]}`;
}

/** `ClusterInfo` as text. */
export function clusterInfoText(info: ClusterInfo, standardJson: boolean): string {
  const clusters = new Map<string, string[]>();
  const brokers: string[] = [];
  for (const broker of info.brokers) {
    const name = quoted(broker.brokerName, standardJson);
    brokers.push(`${name}:${brokerText(broker, standardJson)}`);
    const members = clusters.get(broker.cluster);
    if (members === undefined) clusters.set(broker.cluster, [name]);
    else members.push(name);
  }
  const clusterTexts = Array.from(
    clusters,
    ([cluster, members]) => `${quoted(cluster, standardJson)}:[${members.join(",")}]`,
  );
  return `{"brokerAddrTable":{${brokers.join(",")}},"clusterAddrTable":{${
    clusterTexts.join(",")
  }}}`;
}

function brokerText(broker: BrokerData, standardJson: boolean): string {
  const quote = standardJson ? '"' : "";
  const addresses = [...broker.addresses].sort(([a], [b]) => a - b).map(
    ([id, address]) => `${quote}${id}${quote}:${quoted(address, standardJson)}`,
  );
  return `{"brokerAddrs":{${addresses.join(",")}}` +
    `,"brokerName":${quoted(broker.brokerName, standardJson)}` +
    `,"cluster":${quoted(broker.cluster, standardJson)},"enableActingMaster":false}`;
}

function queueText(queue: QueueData, standardJson: boolean): string {
  return `{"brokerName":${quoted(queue.brokerName, standardJson)},"perm":${queue.perm}` +
    `,"readQueueNums":${queue.readQueues},"topicSysFlag":${queue.topicSysFlag}` +
    `,"writeQueueNums":${queue.writeQueues}}`;
}

/** JSON text; in the standard form with nothing outside ASCII. */
function quoted(text: string, asciiOnly: boolean): string {
  const json = JSON.stringify(text);
  if (!asciiOnly) return json;
  return json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
