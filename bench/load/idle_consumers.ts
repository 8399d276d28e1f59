/**
 * What connected consumers cost that have nothing to do: a broker in a process of its own, and here
 * as many of RocketMQ's clients as asked for. Each repeats its heartbeat 30 s after its own start,
 * as Java's clients do: they come in waves as dense as the crowd's arrival. The rest of their
 * housekeeping is spread.
 *
 *     deno run -A bench/load/idle_consumers.ts [connections] [seconds] [connect | heartbeat | pull]
 *
 * The last word is how far they go, to see where the memory is. The resident memory is read every
 * second from five seconds after all have joined their groups and wait for messages. Ends with 1
 * when they cost more than 150 MB at any moment from then on: the kernel keeps the peak, so nothing
 * between two readings is missed. What joining took is printed, too.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { askWell } from "../../tests/support/broker_api.ts";
import { startBroker } from "../../tests/support/broker_process.ts";
import { type Answers, IdleConsumer, membersPerGroup, topic } from "./idle_consumer.ts";

const connections = Number(process.argv[2] ?? 5_000);
const seconds = Number(process.argv[3] ?? 120);
const goesTo = process.argv[4] ?? "pull";
const pulls = goesTo === "pull";
const costBytesMax = 150_000_000;
/** As Java's clients have it. */
const [heartbeatMs, routesMs, rebalanceMs, placesMs] = [30_000, 30_000, 20_000, 5_000];
/** Connections begun at one time: below what a listener's backlog takes. */
const dialled = 100;
/** Housekeeping is done by those whose turn it is, in steps of so long. */
const stepMs = 50;
const secondsPerLine = 15;
/** Longer than a busy machine needs. */
const joinMsMax = 120_000;
/** How long a crowd's arrival may echo: notices of members, and what they lead to. */
const settleMs = 5_000;

function fail(reason: string): never {
  console.log(reason);
  process.exit(1);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const data = mkdtempSync(join(tmpdir(), "curlew-idle-"));
const broker = await startBroker({ data, settings: ["--shards", "1"] });

function statusBytes(field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}

/** The broker's figures of waiting requests, from its metrics. */
async function parked(): Promise<string> {
  const text = await (await fetch(`${broker.http}/metrics`)).text();
  return /^curlew_\w*parked\w*(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? "?";
}

/** Calls each consumer once in `periodMs`, some in every step. */
function spread(periodMs: number, act: (consumer: IdleConsumer) => void): void {
  const steps = periodMs / stepMs;
  let step = 0;
  setInterval(() => {
    for (let at = step; at < consumers.length; at += steps) act(consumers[at]!);
    step = (step + 1) % steps;
  }, stepMs);
}

await askWell(broker.http, `PUT /v1/topics/${topic}`, { queues: membersPerGroup });
await wait(3_000);
const beforeBytes = statusBytes("VmRSS");
console.log(`before                 ${megabytes(beforeBytes)}`);

const consumers: IdleConsumer[] = [];
const beganMs = performance.now();
while (consumers.length < connections) {
  const some = Array.from(
    { length: Math.min(dialled, connections - consumers.length) },
    (_, at) =>
      IdleConsumer.connect(consumers.length + at, { port: broker.remotingPort, pulls, fail }),
  );
  for (const consumer of await Promise.all(some)) {
    consumers.push(consumer);
    consumer.greet();
    if (goesTo === "connect") continue;
    consumer.heartbeat();
    setInterval(() => consumer.heartbeat(), heartbeatMs);
  }
}
if (goesTo !== "connect") {
  spread(routesMs, (consumer) => consumer.pollRoutes());
  spread(rebalanceMs, (consumer) => consumer.rebalance());
  spread(placesMs, (consumer) => consumer.storePlaces());
}
function tellPhase(done: string): void {
  const took = ((performance.now() - beganMs) / 1000).toFixed(1);
  const most = megabytes(statusBytes("VmHWM") - beforeBytes);
  console.log(`${connections} ${done.padEnd(17)} ${took} s, up to ${most} more meanwhile`);
}

tellPhase("connected");
if (goesTo !== "connect") {
  while (!consumers.every(({ isIdle }) => isIdle)) {
    if (performance.now() - beganMs > joinMsMax) fail(`not all had joined in ${joinMsMax} ms`);
    await wait(stepMs);
  }
  await wait(settleMs);
  tellPhase("idle");
}

// From here on the kernel keeps the peak anew.
writeFileSync(`/proc/${broker.pid}/clear_refs`, "5");
const costs: number[] = [];
for (let waited = 1; waited <= seconds; waited++) {
  await wait(1_000);
  costs.push(statusBytes("VmRSS") - beforeBytes);
  if (waited % secondsPerLine !== 0) continue;
  const some = costs.slice(-secondsPerLine);
  console.log(
    `to ${String(waited).padStart(4)} s              ${megabytes(Math.min(...some))} to ` +
      `${megabytes(Math.max(...some))} more, ${await parked()} parked`,
  );
}
const peakBytes = statusBytes("VmHWM") - beforeBytes;
const sums: Answers = { route: 0, heartbeat: 0, members: 0, place: 0, pull: 0, notices: 0 };
for (const { answers } of consumers) {
  for (const kind of Object.keys(sums) as (keyof Answers)[]) sums[kind] += answers[kind];
}
console.log(`answered: ${Object.entries(sums).map(([kind, sum]) => `${kind} ${sum}`).join(", ")}`);
for (const consumer of consumers) consumer.leave();
await broker.stop();
rmSync(data, { recursive: true, force: true });

const sorted = costs.toSorted((one, other) => one - other);
const isWithin = peakBytes <= costBytesMax;
console.log(
  `cost: min ${megabytes(sorted[0]!)}, median ${megabytes(sorted[sorted.length >> 1]!)}, ` +
    `max ${megabytes(sorted[sorted.length - 1]!)} of ${costs.length} readings; peak ${
      megabytes(peakBytes)
    } ` +
    `or ${(peakBytes / connections / 1000).toFixed(1)} kB a consumer`,
);
console.log(`${isWithin ? "within" : "ABOVE"} ${megabytes(costBytesMax)}`);
process.exit(isWithin ? 0 : 1);
