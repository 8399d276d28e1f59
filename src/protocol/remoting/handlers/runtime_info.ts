/**
 * GET_BROKER_RUNTIME_INFO (28): figures of the broker, all as text. Protocol 10.2.
 *
 * Tools split some values at spaces and fail when one is missing, so whatever this broker does not
 * measure is there as a zero.
 *
 * @module
 */
import type { Health } from "../../../broker/broker.ts";
import { perSecond, type Traffic } from "../../../broker/traffic.ts";
import { type Answer, type Call, done, type RemotingContext } from "../call.ts";
import { jsonBody } from "./json_body.ts";

/** Rates come three at a time, over these windows; tools take the text apart. */
const rateWindowsMs = [10_000, 60_000, 600_000] as const;

const zeroes = [
  "commitLogMinOffset",
  "dispatchBehindBytes",
  "EndTransactionQueueSize",
  "EndTransactionThreadPoolQueueCapacity",
  "getMessageEntireTimeMax",
  "pageCacheLockTimeMills",
  "pullThreadPoolQueueCapacity",
  "pullThreadPoolQueueHeadWaitTimeMills",
  "pullThreadPoolQueueSize",
  "putLatency99",
  "putLatency999",
  "putMessageEntireTimeMax",
  "queryThreadPoolQueueCapacity",
  "queryThreadPoolQueueHeadWaitTimeMills",
  "queryThreadPoolQueueSize",
  "remainHowManyDataToFlush",
  "remainTransientStoreBufferNumbs",
  "sendThreadPoolQueueCapacity",
  "sendThreadPoolQueueHeadWaitTimeMills",
  "sendThreadPoolQueueSize",
  "startAcceptSendRequestTimeStamp",
  "timerCongestNum",
  "timerOffsetBehind",
  "timerReadBehind",
] as const;

/** What the broker can say of itself. */
export async function handleRuntimeInfo(_call: Call, context: RemotingContext): Promise<Answer> {
  const { traffic } = context.broker;
  const health = await context.broker.health();
  const nowMs = context.clock.wallMs();
  const table: Record<string, string> = {
    ...Object.fromEntries(zeroes.map((name) => [name, "0"])),
    ...rates(traffic),
    ...days(traffic),
    timerEnqueueTps: "0.0",
    timerDequeueTps: "0.0",
    putMessageDistributeTime: "",
    commitLogDirCapacity: "",
    bootTimestamp: String(context.bootMs),
    brokerActive: String(health.ready),
    brokerVersion: "479",
    brokerVersionDesc: "V5_3_3",
    runtime: uptimeText(nowMs - context.bootMs),
    ...measured(health, nowMs),
  };
  return { ...done, body: jsonBody({ table }) };
}

/** Every read finds something here, or waits: none is counted as a miss. */
function rates(traffic: Traffic): Record<string, string> {
  const text = (kind: "put" | "get") =>
    rateWindowsMs.map((ms) => String(perSecond(traffic.total(kind, ms)))).join(" ");
  const got = text("get");
  return {
    putTps: text("put"),
    getTotalTps: got,
    getFoundTps: got,
    getMissTps: "0 0 0",
    getTransferredTps: got,
    getTransferedTps: got,
  };
}

/** Tools subtract one from the other: what came in or went out today, and yesterday. */
function days(traffic: Traffic): Record<string, string> {
  const [put, got] = [traffic.days("put"), traffic.days("get")];
  return {
    msgPutTotalTodayNow: String(put.now),
    msgPutTotalTodayMorning: String(put.today),
    msgPutTotalYesterdayMorning: String(put.yesterday),
    msgGetTotalTodayNow: String(got.now),
    msgGetTotalTodayMorning: String(got.today),
    msgGetTotalYesterdayMorning: String(got.yesterday),
  };
}

/** What the shards count. */
function measured({ shards }: Health, nowMs: number): Record<string, string> {
  let [appended, bytes, messages, firstMs, usedShare] = [0, 0, 0, Infinity, 0];
  for (const { stats } of shards) {
    appended += stats.appended;
    bytes += stats.logBytes;
    messages += stats.messages;
    firstMs = Math.min(firstMs, stats.firstStoredMs ?? Infinity);
    if (stats.disk !== null && stats.disk.totalBytes > 0) {
      usedShare = Math.max(usedShare, 1 - stats.disk.freeBytes / stats.disk.totalBytes);
    }
  }
  // Tools tell how many hours ago the first message came: without one, none.
  const earliestMs = Math.min(firstMs, nowMs);
  const ratio = usedShare.toFixed(4);
  return {
    commitLogDiskRatio: ratio,
    consumeQueueDiskRatio: ratio,
    earliestMessageTimeStamp: String(earliestMs),
    commitLogMaxOffset: String(bytes),
    putMessageAverageSize: messages === 0 ? "0" : (bytes / messages).toFixed(1),
    putMessageSizeTotal: String(bytes),
    putMessageTimesTotal: String(appended),
  };
}

/** "[ 1 days, 2 hours, 3 minutes, 4 seconds ]", as tools show it. */
function uptimeText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`;
}
