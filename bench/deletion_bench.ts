/**
 * What the deletion of a topic with a million pending timers costs: how long its caller waits, how
 * long the rest takes in the background, and what other topics' sends feel of it. A whole broker,
 * its threads and its HTTP interface in this process.
 *
 *     deno run -A bench/deletion_bench.ts [pending]
 *
 * Prints one line of JSON.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../src/base/log.ts";
import { Histogram } from "../src/cli/bench/histogram.ts";
import { readSettings } from "../src/config/read.ts";
import { startBroker } from "../src/front/start.ts";

const pending = Number(process.argv[2] ?? 1_000_000);
const batch = 512;
const calmMs = 8_000;
const senders = 4;
const body = "x".repeat(200);
const hourMs = 3_600_000;

const root = mkdtempSync(join(tmpdir(), "curlew-deletion-"));
const flags = ["--data", root, "--http-port", "0", "--remoting-port", "0", "--shards", "1"];
const read = readSettings({ flags, environment: {}, file: null, facts: { cores: 2 } });
if (read.kind !== "settings") throw new Error(JSON.stringify(read));
const log = createLog({ sink: () => {}, wallMs: () => Date.now(), levelMin: "error" });
const broker = await startBroker(read.settings, { log, version: "bench" });
const url = `http://${broker.ready.http}`;

async function ask(method: string, path: string, value?: unknown): Promise<string> {
  const init = value === undefined ? { method } : {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  };
  const response = await fetch(`${url}${path}`, init);
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

const send = (topic: string, messages: readonly unknown[]) =>
  ask("POST", `/v1/topics/${topic}/messages`, { messages });

/** Puts all timers aside, due over an hour, a day from now. */
async function fill(): Promise<void> {
  let next = 0;
  const fromMs = Date.now() + 24 * hourMs;
  const work = async () => {
    for (let from = next; from < pending; from = next) {
      next = from + batch;
      const length = Math.min(batch, pending - from);
      const timers = Array.from({ length }, (_, at) => {
        return { body, deliverAtMs: fromMs + ((from + at) * 7919) % hourMs };
      });
      await send("doomed", timers);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

/** Sends to another topic, each sender one message at a time, until `isOver` says so. */
async function sendWhile(isOver: () => boolean): Promise<Histogram> {
  const histogram = new Histogram();
  const work = async () => {
    while (!isOver()) {
      const beganMs = performance.now();
      await send("kept", [{ body }]);
      histogram.record(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: senders }, work));
  return histogram;
}

/** A figure of the shard, as its metrics tell it. */
async function metric(name: string): Promise<number> {
  const line = (await ask("GET", "/metrics")).split("\n").find((text) => text.startsWith(name));
  return Number(line?.split(" ").at(-1) ?? NaN);
}

const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

/** Until nothing is left. Answers how long that took. */
async function dropped(): Promise<number> {
  const beganMs = performance.now();
  while (await metric("curlew_shard_delayed_messages") > 0) await pause(200);
  return performance.now() - beganMs;
}

const told = (name: string, histogram: Histogram, tookMs: number) => ({
  [`${name}PerSecond`]: Math.round(histogram.total / tookMs * 1000),
  [`${name}P50Ms`]: histogram.quantileMs(0.5),
  [`${name}P99Ms`]: histogram.quantileMs(0.99),
  [`${name}MaxMs`]: histogram.maxMs,
});

await ask("PUT", "/v1/topics/kept", { queues: 4 });
await ask("PUT", "/v1/topics/doomed", { queues: 4 });
await fill();
// What the fill left to the system to write must not be charged to what follows.
await pause(15_000);
const calmEndMs = performance.now() + calmMs;
const before = await sendWhile(() => performance.now() > calmEndMs);

const askedMs = performance.now();
await ask("DELETE", "/v1/topics/doomed");
const answeredMs = performance.now() - askedMs;
await ask("PUT", "/v1/topics/doomed", { queues: 4 });
const timersMs = performance.now();
const found = await ask("GET", `/v1/timers?topic=doomed&fromMs=0&toMs=${Date.now() + 48 * hourMs}`);
const listedMs = performance.now() - timersMs;
const busyEndMs = performance.now() + calmMs;
const beside = await sendWhile(() => performance.now() > busyEndMs);
const besideDropped = pending - await metric("curlew_shard_delayed_messages");
const restMs = await dropped();
await broker.stop();
rmSync(root, { recursive: true, force: true });
console.log(JSON.stringify({
  pending,
  answeredMs: Math.round(answeredMs),
  foundInNewTopic: JSON.parse(found).count,
  listedMs: Math.round(listedMs),
  ...told("sendsBefore", before, calmMs),
  ...told("sendsBeside", beside, calmMs),
  droppedBesideSendsPerSecond: Math.round(besideDropped / calmMs * 1000),
  droppedAlonePerSecond: Math.round((pending - besideDropped) / restMs * 1000),
  restMs: Math.round(restMs),
}));
process.exit(0);
