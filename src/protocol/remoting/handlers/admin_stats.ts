/**
 * Figures: VIEW_BROKER_STATS_DATA (315), GET_BROKER_CONSUME_STATS (317), QUERY_CONSUME_TIME_SPAN
 * (303) and QUERY_CONSUME_QUEUE (321). Protocol 10.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import { javaHash } from "../../../base/hash.ts";
import { limits } from "../../../base/limits.ts";
import type { Broker, QueuePlace } from "../../../broker/broker.ts";
import { perSecond, type TrafficKind, type TrafficWindow } from "../../../broker/traffic.ts";
import { propertyNames, readProperty } from "../../../model/properties.ts";
import { recordPhysicalOffset, recordProperties, splitRecords } from "../../../model/record.ts";
import { everything } from "../../../model/subscription.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader } from "../field_tables.ts";
import { consumeStatsText } from "./admin_clients.ts";
import { consumeTimeSpan, queryConsumeQueue, viewStats } from "./admin_fields.ts";
import { allPlaces } from "./all_places.ts";
import { jsonBody } from "./json_body.ts";
import { storedMsAt } from "./stored_times.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** RocketMQ's names of what is counted here; the key is a topic, or "topic@group". */
const statistics: ReadonlyMap<string, { kind: TrafficKind; measure: "messages" | "bytes" }> =
  new Map([
    ["TOPIC_PUT_NUMS", { kind: "put", measure: "messages" }],
    ["TOPIC_PUT_SIZE", { kind: "put", measure: "bytes" }],
    ["GROUP_GET_NUMS", { kind: "get", measure: "messages" }],
    ["GROUP_GET_SIZE", { kind: "get", measure: "bytes" }],
    ["SNDBCK_PUT_NUMS", { kind: "sent-back", measure: "messages" }],
  ]);

/** How much went in or out within the last minute, hour and day. */
export function handleViewStats(call: Call, { broker }: RemotingContext): Answer {
  const { name, key } = readHeader(viewStats, call.command.extFields);
  const wanted = statistics.get(name);
  const windows = wanted === undefined
    ? []
    : [minuteMs, hourMs, 24 * hourMs].map((ms) => broker.traffic.window(wanted.kind, key, ms));
  const [minute, hour, day] = windows.map((window) =>
    window === undefined || wanted === undefined ? undefined : figures(window, wanted.measure)
  );
  if (minute !== undefined) {
    return { ...done, body: jsonBody({ statsDay: day, statsHour: hour, statsMinute: minute }) };
  }
  return refusal(
    responseCodes.systemError,
    `Nothing was counted as ${name.slice(0, 60)} of ${key.slice(0, 300)} since the broker started`,
  );
}

/** How far all groups are behind. */
export async function handleBrokerConsumeStats(
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const { broker } = context;
  const onlyOrdered = call.command.extFields["isOrder"] === "true";
  const texts: string[] = [];
  let [totalDiff, totalInflightDiff] = [0, 0];
  const groups = broker.groups().filter(({ settings }) => settings.ordered || !onlyOrdered);
  for (const [name, places] of await allPlaces(groups.map((group) => group.name), broker)) {
    if (places.length === 0) continue;
    totalDiff += places.reduce((sum, { lag }) => sum + lag, 0);
    totalInflightDiff += places.reduce((sum, { openDeliveries }) => sum + openDeliveries, 0);
    const topics = places.map(({ topic }) => topic);
    const text = await consumeStatsText(name, places, topics, context);
    texts.push(`{${JSON.stringify(name)}:[${text}]}`);
  }
  const totals = `"totalDiff":${totalDiff},"totalInflightDiff":${totalInflightDiff}`;
  const address = JSON.stringify(call.peer.route);
  const list = `"consumeStatsList":[${texts.join(",")}]`;
  return { ...done, body: utf8(`{"brokerAddr":${address},${list},${totals}}`) };
}

/** From when to when a topic's messages are, and where in time a group stands. */
export async function handleConsumeTimeSpan(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker, clock } = context;
  const { topic, group } = readHeader(consumeTimeSpan, call.command.extFields);
  const nowMs = clock.wallMs();
  const spans = await Promise.all((await broker.places(group, topic)).map(async (place) => {
    const { brokerName } = context.settings;
    const messageQueue = { brokerName, queueId: place.queueId, topic };
    return { ...await timesOf(place, nowMs, broker), messageQueue };
  }));
  return { ...done, body: jsonBody({ consumeTimeSpanSet: spans }) };
}

/** The entries of a queue from an index on, as a tool looks at them. */
export async function handleQueryConsumeQueue(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const header = readHeader(queryConsumeQueue, call.command.extFields);
  const { topic, queueId, index, count, group = "" } = header;
  const messagesMax = Math.max(1, Math.min(count, limits.pullMessagesMax));
  const ask = { topic, queueId, offset: index, messagesMax, bytesMax: limits.replyBytesMax };
  const { records, minOffset, maxOffset } = await broker.pull({
    ...ask,
    filter: everything,
    waitMs: 0,
  });
  const subscribed = group === ""
    ? undefined
    : (await broker.consumers(group)).flatMap(({ membership }) => membership.subscriptions)
      .find((each) => each.topic === topic);
  return {
    ...done,
    body: jsonBody({
      filterData: subscribed?.expression.text ?? null,
      maxQueueIndex: maxOffset,
      minQueueIndex: minOffset,
      queueData: splitRecords(records).map(entryOf),
      subscriptionData: null,
    }),
  };
}

function entryOf(record: Uint8Array) {
  const tag = readProperty(recordProperties(record, 0), propertyNames.tags);
  return {
    bitMap: null,
    eval: true,
    extendDataJson: null,
    msg: null,
    physicOffset: recordPhysicalOffset(record, 0),
    physicSize: record.length,
    tagsCode: tag === undefined ? 0 : javaHash(tag),
  };
}

function figures(window: TrafficWindow, measure: "messages" | "bytes") {
  const sum = window[measure];
  const tps = perSecond({ ...window, messages: sum });
  return { avgpt: window.times === 0 ? 0 : sum / window.times, sum, tps };
}

async function timesOf(place: QueuePlace, nowMs: number, broker: Broker) {
  const { topic, queueId, minOffset, maxOffset } = place;
  const at = async (offset: number) => await storedMsAt(broker, topic, queueId, offset) ?? 0;
  const consumerOffset = Math.max(place.committedOffset ?? minOffset, minOffset);
  const isBehind = consumerOffset < maxOffset;
  const [minTimeStamp, maxTimeStamp, waitsSinceMs] = await Promise.all([
    at(minOffset),
    at(maxOffset - 1),
    isBehind ? at(consumerOffset) : nowMs,
  ]);
  const consumeTimeStamp = consumerOffset > minOffset ? await at(consumerOffset - 1) : minTimeStamp;
  return { consumeTimeStamp, delayTime: nowMs - waitsSinceMs, maxTimeStamp, minTimeStamp };
}
