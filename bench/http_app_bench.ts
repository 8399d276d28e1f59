/**
 * What the HTTP front costs beside a bare Hono echo: the send route over a broker that answers at
 * once, called without a socket. Prints the ratio of the two rates; with sockets both grow by the
 * same amount, so the ratio there is better than here.
 *
 *     deno run -A bench/http_app_bench.ts
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { Hono } from "hono";
import { Bench } from "tinybench";
import { type Clock, ManualClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { Metrics } from "../src/base/metrics.ts";
import type { SendReceipt } from "../src/model/message.ts";
import { httpApp } from "../src/protocol/http/app.ts";
import { loopbackHostNames } from "../src/protocol/http/exchange.ts";
import { MemoryBroker } from "../tests/support/memory_broker.ts";
import { plainInfo } from "../tests/support/request_info.ts";

const realClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const memory = new MemoryBroker(new ManualClock());
await memory.createTopic("orders", {});
const receipt: SendReceipt = {
  messageId: "7F00000100002A9F0000000000000001",
  queueId: 1,
  offset: 123_456,
  physicalOffset: 99,
  storedMs: 1,
  survived: "power-loss",
  repeated: false,
};
memory.send = (request) => Promise.resolve(request.messages.map(() => receipt));

const app = httpApp({
  broker: memory,
  clock: realClock,
  metrics: new Metrics(),
  log: silentLog,
  version: "0",
  signer: { sign: () => "", verify: () => false },
  settings: {
    hostNames: loopbackHostNames,
    nameServers: () => [],
    storeHost: { ip: "127.0.0.1", port: 9876 },
    queuesPerNewTopic: 4,
    heartbeatMs: 15_000,
    requestIdPrefix: "bench",
  },
});
const echo = new Hono();
echo.post("/echo", async (context) => context.text(await context.req.text()));

const body = JSON.stringify({ body: "x".repeat(256), tag: "created" });
const headers = { "content-type": "application/json", "content-length": String(body.length) };
const request = (path: string) =>
  new Request(`http://127.0.0.1:8080${path}`, { method: "POST", headers, body });

const bench = new Bench({ time: 2000, warmupTime: 500 });
bench.add("bare Hono echo", async () => {
  await echo.fetch(request("/echo"));
});
bench.add("send route", async () => {
  const response = await app.fetch(request("/v1/topics/orders/messages"), plainInfo);
  if (response.status !== 200) throw new Error(await response.text());
});
bench.add("making a request", () => {
  request("/echo");
});
await bench.run();
console.table(bench.table());
const rates = bench.tasks.map(({ result }) =>
  result.state === "completed" ? result.throughput.mean : NaN
);
console.log(`send route / bare echo = ${((rates[1] ?? NaN) / (rates[0] ?? NaN)).toFixed(2)}`);
