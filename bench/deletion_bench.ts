/**
 * What the deletion of topics with a million pending timers costs: how long its caller waits, how
 * long the rest takes in the background, and what other topics' sends feel of it. A whole broker,
 * its threads and its HTTP interface in this process.
 *
 * Sends are measured by turns without a drop and beside one, so that both see the same machine; the
 * last topic is dropped while nobody sends.
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

const batch = 512;
const rounds = 5;
/** Each topic holds as many. */
const share = Math.ceil(Number(process.argv[2] ?? 1_000_000) / (rounds + 1) / batch) * batch;
const pending = share * (rounds + 1);
const calmMs = 3_000;
/** How long a topic is dropped beside sends, at most. */
const besideMsMax = 60_000;
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

const doomed = (round: number) => `doomed${round}`;

/** Puts all timers aside, by turns to each topic, due over an hour, a day from now. */
async function fill(): Promise<void> {
  let next = 0;
  const fromMs = Date.now() + 24 * hourMs;
  const work = async () => {
    for (let from = next; from < pending; from = next) {
      next = from + batch;
      const timers = Array.from({ length: batch }, (_, at) => {
        return { body, deliverAtMs: fromMs + ((from + at) * 7919) % hourMs };
      });
      await send(doomed(from / batch % (rounds + 1)), timers);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

/** Sends to another topic, each sender one message at a time, until `isOver` says so. */
async function sendWhile(histogram: Histogram, isOver: () => boolean): Promise<number> {
  const beganMs = performance.now();
  const work = async () => {
    while (!isOver()) {
      const sentMs = performance.now();
      await send("kept", [{ body }]);
      histogram.record(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: senders }, work));
  return performance.now() - beganMs;
}

/** A figure of the shard, as its metrics tell it. */
async function metric(name: string): Promise<number> {
  const line = (await ask("GET", "/metrics")).split("\n").find((text) => text.startsWith(name));
  return Number(line?.split(" ").at(-1) ?? NaN);
}

const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

const waiting = () => metric("curlew_shard_delayed_messages");
/** Until so few are left, or so late. Answers how long that took. */
async function dropped(left: number, tookMsMax = Infinity): Promise<number> {
  const beganMs = performance.now();
  let tookMs = 0;
  while (await waiting() > left && tookMs < tookMsMax) {
    await pause(100);
    tookMs = performance.now() - beganMs;
  }
  return tookMs;
}

const told = (name: string, histogram: Histogram, tookMs: number) => ({
  [`${name}PerSecond`]: Math.round(histogram.total / tookMs * 1000),
  [`${name}P50Ms`]: histogram.quantileMs(0.5),
  [`${name}P99Ms`]: histogram.quantileMs(0.99),
  [`${name}MaxMs`]: histogram.maxMs,
});

await ask("PUT", "/v1/topics/kept", { queues: 4 });
for (let round = 0; round <= rounds; round++) {
  await ask("PUT", `/v1/topics/${doomed(round)}`, { queues: 4 });
}
await fill();
// What the fill left to the system to write must not be charged to what follows.
await pause(15_000);
const [calm, beside] = [new Histogram(), new Histogram()];
let [calmTookMs, besideTookMs, besideRows, answeredMs] = [0, 0, 0, 0];
for (let round = 0; round < rounds; round++) {
  let isOver = false;
  const calmSends = sendWhile(calm, () => isOver);
  // Nothing falls due: it looks as often as beside a drop, and so long.
  await dropped(0, calmMs);
  isOver = true;
  calmTookMs += await calmSends;
  const before = await waiting();
  const askedMs = performance.now();
  await ask("DELETE", `/v1/topics/${doomed(round)}`);
  answeredMs = Math.max(answeredMs, performance.now() - askedMs);
  isOver = false;
  const sends = sendWhile(beside, () => isOver);
  await dropped(before - share, besideMsMax);
  isOver = true;
  besideTookMs += await sends;
  besideRows += before - await waiting();
}
await ask("PUT", `/v1/topics/${doomed(0)}`, { queues: 4 });
const timersMs = performance.now();
const toMs = Date.now() + 48 * hourMs;
const found = await ask("GET", `/v1/timers?topic=${doomed(0)}&fromMs=0&toMs=${toMs}`);
const listedMs = performance.now() - timersMs;
await ask("DELETE", `/v1/topics/${doomed(rounds)}`);
const rest = await waiting();
const restMs = await dropped(0);
await broker.stop();
rmSync(root, { recursive: true, force: true });
console.log(JSON.stringify({
  pending,
  answeredMs: Math.round(answeredMs),
  foundInNewTopic: JSON.parse(found).count,
  listedMs: Math.round(listedMs),
  ...told("sendsBefore", calm, calmTookMs),
  ...told("sendsBeside", beside, besideTookMs),
  droppedBesideSendsPerSecond: Math.round(besideRows / besideTookMs * 1000),
  droppedAlonePerSecond: Math.round(rest / restMs * 1000),
  restMs: Math.round(restMs),
}));
process.exit(0);
