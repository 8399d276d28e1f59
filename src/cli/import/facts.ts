/**
 * What a cluster says of itself: brokers, topics, groups, places. Read from its answers here, so
 * that the rest of the import knows no wire form.
 *
 * @module
 */
import { textOf } from "../../base/bytes.ts";
import { WireError } from "../../model/errors.ts";
import { JavaObject, type JavaValue, parseJavaJson } from "../../protocol/remoting/java_json.ts";
import { parseMessageQueueMap } from "../../protocol/remoting/message_queue_keys.ts";
import { UsageError } from "../failure.ts";
import { type Address, parseAddress } from "../bench/sockets.ts";

/** One broker that takes part, by its master. */
export type BrokerFacts = {
  readonly cluster: string;
  readonly name: string;
  readonly address: Address;
};

/** A topic as one broker has it. */
export type TopicFacts = {
  readonly name: string;
  readonly readQueues: number;
  readonly writeQueues: number;
  /** RocketMQ's bits: 4 read, 2 write. */
  readonly perm: number;
  readonly order: boolean;
  readonly attributes: Readonly<Record<string, string>>;
};

/** A group: its name, and its settings as the source wrote them. */
export type GroupFacts = { readonly name: string; readonly config: string };

/** What a queue holds: offsets from `minOffset` up to, but not including, `maxOffset`. */
export type QueueRange = {
  readonly queueId: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};

/** Where a group is in one queue. */
export type GroupPlace = {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
};

/** `rocketmq://a:9876;b:9876` → the name servers. @throws {UsageError} It is not of this form. */
export function parseSource(text: string): Address[] {
  const names = /^rocketmq:\/\/([^/]+)\/?$/.exec(text)?.[1];
  if (names === undefined) {
    throw new UsageError(
      `"${text}" is not an address of a RocketMQ cluster.`,
      "Write it as rocketmq://HOST:9876, the address of its name server",
    );
  }
  return names.split(/[;,]/).map((each) => {
    const hasPort = /:\d+$/.test(each) || /^\d+$/.test(each);
    return parseAddress(hasPort ? each : `${each}:${nameServerPort}`, "rocketmq://");
  });
}

const nameServerPort = 9876;

/** GET_BROKER_CLUSTER_INFO (106). Brokers without a master are left out. */
export function brokersOf(body: Uint8Array): BrokerFacts[] {
  const brokers: BrokerFacts[] = [];
  for (const [name, each] of entriesAt(objectOf(body), "brokerAddrTable")) {
    if (!(each instanceof JavaObject)) continue;
    const addresses = each.get("brokerAddrs");
    const master = addresses instanceof JavaObject ? addresses.get("0") : undefined;
    if (typeof master !== "string") continue;
    const address = parseAddress(master, "a broker's address");
    brokers.push({ cluster: textAt(each, "cluster"), name, address });
  }
  return brokers.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** GET_ALL_TOPIC_CONFIG (21). */
export function topicsOf(body: Uint8Array): TopicFacts[] {
  return entriesAt(objectOf(body), "topicConfigTable").flatMap(([name, config]) => {
    if (!(config instanceof JavaObject)) return [];
    return [{
      name,
      readQueues: numberAt(config, "readQueueNums", 0),
      writeQueues: numberAt(config, "writeQueueNums", 0),
      perm: numberAt(config, "perm", 6),
      order: config.get("order") === true,
      attributes: attributesOf(config),
    }];
  });
}

/** GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201). */
export function groupsOf(body: Uint8Array): GroupFacts[] {
  return entriesAt(objectOf(body), "subscriptionGroupTable").flatMap(([name, config]) => {
    return config instanceof JavaObject ? [{ name, config: plainText(config) }] : [];
  });
}

/** GET_TOPIC_STATS_INFO (202): the queues of the broker that was asked, by number. */
export function rangesOf(body: Uint8Array): QueueRange[] {
  return parseMessageQueueMap(textOf(body), "offsetTable").map(([queue, value]) => {
    const range = value instanceof JavaObject ? value : new JavaObject([]);
    const maxOffset = Math.max(0, numberAt(range, "maxOffset", 0));
    const minOffset = Math.min(Math.max(0, numberAt(range, "minOffset", 0)), maxOffset);
    return { queueId: queue.queueId, minOffset, maxOffset };
  }).sort((a, b) => a.queueId - b.queueId);
}

/** GET_ALL_CONSUMER_OFFSET (43): `topic@group` → queue → offset. */
export function placesOf(body: Uint8Array): GroupPlace[] {
  if (body.length === 0) return [];
  return entriesAt(objectOf(body), "offsetTable").flatMap(([name, queues]) => {
    const at = name.lastIndexOf("@");
    if (at < 1 || !(queues instanceof JavaObject)) return [];
    const [topic, group] = [name.slice(0, at), name.slice(at + 1)];
    return queues.entries.flatMap(([queue, offset]) => {
      if (typeof queue !== "string" || typeof offset !== "number" || offset < 0) return [];
      return [{ group, topic, queueId: Number(queue), offset }];
    });
  });
}

/** GET_CONSUME_STATS (208) of one group. */
export function groupPlacesOf(body: Uint8Array, group: string): GroupPlace[] {
  return parseMessageQueueMap(textOf(body), "offsetTable").flatMap(([queue, value]) => {
    const offset = value instanceof JavaObject ? numberAt(value, "consumerOffset", -1) : -1;
    const { topic, queueId } = queue;
    return offset < 0 ? [] : [{ group, topic, queueId, offset }];
  });
}

/** GET_ALL_DELAY_OFFSET (45): level → the next entry that its queue will hand on. */
export function delayOffsetsOf(body: Uint8Array): ReadonlyMap<number, number> {
  if (body.length === 0) return new Map();
  const entries = entriesAt(objectOf(body), "offsetTable").flatMap(([level, offset]) => {
    return typeof offset === "number" ? [[Number(level), offset] as const] : [];
  });
  return new Map(entries);
}

/** `{"topicList": […]}` of 305 and the like. */
export function topicListOf(body: Uint8Array): string[] {
  const list = objectOf(body).get("topicList");
  return Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
}

function objectOf(body: Uint8Array): JavaObject {
  const value = parseJavaJson(textOf(body));
  if (value instanceof JavaObject) return value;
  throw new WireError("Cannot read the answer of the source: it is no JSON object");
}

function entriesAt(object: JavaObject, name: string): [string, JavaValue][] {
  const table = object.get(name);
  if (!(table instanceof JavaObject)) return [];
  return table.entries.flatMap(([key, value]) => {
    return typeof key === "string" ? [[key, value] as [string, JavaValue]] : [];
  });
}

function textAt(object: JavaObject, name: string): string {
  const value = object.get(name);
  return typeof value === "string" ? value : "";
}

function numberAt(object: JavaObject, name: string, absent: number): number {
  const value = object.get(name);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : absent;
}

function attributesOf(config: JavaObject): Readonly<Record<string, string>> {
  const entries = entriesAt(config, "attributes").map(([name, value]) => {
    return [name.replace(/^[+]/, ""), String(value)];
  });
  return Object.fromEntries(entries);
}

/** The value as standard JSON. */
function plainText(value: JavaValue): string {
  if (value instanceof JavaObject) {
    const parts = value.entries.flatMap(([key, each]) => {
      return typeof key === "string" ? [`${JSON.stringify(key)}:${plainText(each)}`] : [];
    });
    return `{${parts.join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(plainText).join(",")}]`;
  return JSON.stringify(value);
}
