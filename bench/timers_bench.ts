/**
 * What a million pending timers cost: a whole broker, its threads and its HTTP interface in this
 * process. How late do timers become visible when a thousand are due a second, alone and while
 * producers send as fast as they can; and how fast are sends without timers, beside pending ones,
 * and while they fire?
 *
 *     deno run -A bench/timers_bench.ts [pending] [seconds]
 *
 * Prints one line of JSON. Late is from the due time to the turn that stored the message.
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
import type { Settings } from "../src/config/schema.ts";
import { startBroker } from "../src/front/start.ts";

const pending = Number(process.argv[2] ?? 1_000_000);
const seconds = Number(process.argv[3] ?? 10);
const duePerSecond = 1000;
const batch = 512;
const senders = 16;
const body = "x".repeat(200);

const root = mkdtempSync(join(tmpdir(), "curlew-timers-"));
/** The broker that is asked. */
let url = "";

function settingsFor(directory: string): Settings {
  const flags = ["--data", directory, "--http-port", "0", "--remoting-port", "0", "--shards", "1"];
  const read = readSettings({ flags, environment: {}, file: null, facts: { cores: 2 } });
  if (read.kind !== "settings") throw new Error(JSON.stringify(read));
  return read.settings;
}

async function start(name: string) {
  const beganMs = performance.now();
  const log = createLog({ sink: () => {}, wallMs: () => Date.now(), levelMin: "error" });
  const broker = await startBroker(settingsFor(join(root, name)), { log, version: "bench" });
  url = `http://${broker.ready.http}`;
  return { broker, url, tookMs: performance.now() - beganMs };
}

async function ask(method: string, path: string, value?: unknown): Promise<unknown> {
  const init = value === undefined ? { method } : {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  };
  const response = await fetch(`${url}${path}`, init);
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

const send = (topic: string, messages: readonly unknown[]) =>
  ask("POST", `/v1/topics/${topic}/messages`, { messages });

/** Sends until the time is over. Answers messages a second. */
async function sendRate(): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  const messages = Array.from({ length: 32 }, () => ({ body }));
  let sent = 0;
  const work = async () => {
    while (performance.now() < endMs) {
      await send("plain", messages);
      sent += messages.length;
    }
  };
  await Promise.all(Array.from({ length: senders }, work));
  return Math.round(sent / seconds);
}

/** Puts `count` timers aside; `dueMs` says when each is due. */
async function fill(topic: string, count: number, dueMs: (index: number) => number): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let from = next; from < count; from = next) {
      next = from + batch;
      const length = Math.min(batch, count - from);
      const timers = Array.from({ length }, (_, at) => ({ body, deliverAtMs: dueMs(from + at) }));
      await send(topic, timers);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
}

/** How late each message of the topic was stored, told apart by what its send answered. */
async function lateness(topic: string, queues: number): Promise<Histogram> {
  const histogram = new Histogram();
  for (let queueId = 0; queueId < queues; queueId++) {
    for (let offset = 0;;) {
      const path = `/v1/topics/${topic}/queues/${queueId}/messages?offset=${offset}&max=1000`;
      const { messages } = await ask("GET", path) as {
        readonly messages: readonly { readonly storedMs: number; readonly keys: string[] }[];
      };
      if (messages.length === 0) break;
      offset += messages.length;
      for (const { storedMs, keys } of messages) {
        const lateMs = storedMs - Number(keys[0]);
        if (lateMs < 0) throw new Error(`a timer fired ${-lateMs} ms early`);
        histogram.record(lateMs);
      }
    }
  }
  return histogram;
}

/** The rates of both brokers, measured in turn so that the machine's moods meet both alike. */
async function rates(): Promise<{ readonly bare: number; readonly loaded: number }> {
  const found = { bare: 0, loaded: 0 };
  for (let round = 0; round < 2; round++) {
    url = bare.url;
    found.bare += await sendRate() / 2;
    url = loaded.url;
    found.loaded += await sendRate() / 2;
  }
  return found;
}

/** A thousand timers due a second while `meanwhile` runs. */
async function fire<T>(topic: string, meanwhile: () => Promise<T>): Promise<[Histogram, T]> {
  // The window begins when all of it is put aside: nothing is due before.
  const windowMs = Date.now() + 5_000;
  const dueTotal = duePerSecond * seconds;
  for (let from = 0; from < dueTotal; from += batch) {
    const length = Math.min(batch, dueTotal - from);
    const timers = Array.from({ length }, (_, at) => {
      const deliverAtMs = windowMs + Math.floor((from + at) * 1000 / duePerSecond);
      return { body, deliverAtMs, keys: [String(deliverAtMs)] };
    });
    await send(topic, timers);
  }
  await pause(windowMs - Date.now());
  const answer = await meanwhile();
  await pause(windowMs + seconds * 1000 + 1000 - Date.now());
  return [await lateness(topic, 4), answer];
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, delayMs)));
}

const bare = await start("bare");
await ask("PUT", "/v1/topics/plain", { queues: 4 });
const loaded = await start("loaded");
for (const topic of ["plain", "far", "quiet", "busy"]) {
  await ask("PUT", `/v1/topics/${topic}`, { queues: 4 });
}
const fillMs = performance.now();
const farMs = Date.now() + 3_600_000;
await fill("far", pending, (index) => farMs + index);
const filledPerSecond = Math.round(pending / (performance.now() - fillMs) * 1000);
// What the fill left to the system to write must not be charged to what follows.
await pause(20_000);
const [quiet] = await fire("quiet", () => Promise.resolve());
const sends = await rates();
const [busy, firing] = await fire("busy", sendRate);
await Promise.all([bare.broker.stop(), loaded.broker.stop()]);
const again = await start("loaded");
await again.broker.stop();
rmSync(root, { recursive: true, force: true });
console.log(JSON.stringify({
  pending,
  fired: quiet.total + busy.total,
  lateQuietP50Ms: quiet.quantileMs(0.5),
  lateQuietP99Ms: quiet.quantileMs(0.99),
  lateQuietMaxMs: quiet.maxMs,
  lateBusyP50Ms: busy.quantileMs(0.5),
  lateBusyP99Ms: busy.quantileMs(0.99),
  sendsWithoutPerSecond: Math.round(sends.bare),
  sendsWithPendingPerSecond: Math.round(sends.loaded),
  sendsRatio: Number((sends.loaded / sends.bare).toFixed(3)),
  sendsWhileFiringPerSecond: firing,
  timersSentPerSecond: filledPerSecond,
  startMs: Math.round(bare.tookMs),
  startWithPendingMs: Math.round(again.tookMs),
  residentMib: Math.round(process.memoryUsage().rss / 1024 / 1024),
}));
process.exit(0);
