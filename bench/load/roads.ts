/**
 * How fast the whole roads are, a broker in a process of its own and the load in this one: sends
 * over remoting, a lone sender, single JSON sends beside a bare Hono echo, receive and acknowledge.
 *
 *     deno run -A bench/load/roads.ts [seconds]
 *
 * Every figure is of one run on one machine; what is compared is compared within it.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a bench prints
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { receiveLoad } from "../../src/cli/bench/receive_load.ts";
import { sendLoad, type SendLoadSpec } from "../../src/cli/bench/send_load.ts";
import { parseAddress } from "../../src/cli/bench/sockets.ts";
import type { LoadReport } from "../../src/cli/bench/tally.ts";
import { reportText } from "../../src/cli/bench/tally.ts";
import { processHost } from "../../src/runtime/node/process_host.ts";
import { askWell } from "../../tests/support/broker_api.ts";
import { runWords, spawnHere, startBroker } from "../../tests/support/broker_process.ts";

const seconds = Number(process.argv[2] ?? 8);
const host = processHost();
const data = mkdtempSync(join(tmpdir(), "curlew-roads-"));
const queues = 4;

const broker = await startBroker({ data, settings: ["--shards", "1"] });
const residentMiB = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.pid}/status`, "utf8"))?.[1]) / 1024;
console.log(`start to ready line  ${broker.readyMs.toFixed(0)} ms`);
console.log(`resident when idle   ${residentMiB().toFixed(0)} MiB\n`);
await askWell(broker.http, "PUT /v1/topics/roads", { queues });
await askWell(broker.http, "PUT /v1/groups/readers", {});

const echo = spawnHere(runWords("bench/load/echo.ts"), "ignore");
const echoLine = await new Promise<string>((resolve) => {
  const out = echo.child.stdout;
  if (out !== null) createInterface({ input: out }).once("line", resolve);
});
const echoAddress = parseAddress(JSON.parse(echoLine).http, "echo");
const httpAddress = parseAddress(broker.http.slice("http://".length), "http");
const remotingAddress = { host: "127.0.0.1", port: broker.remotingPort };

function spec(part: Partial<SendLoadSpec>): SendLoadSpec {
  const load = { connections: 1, inFlight: 1, topic: "roads", queues, bodyBytes: 256, batch: 1 };
  return { protocol: "remoting", address: remotingAddress, ...load, seconds, warmup: 2, ...part };
}

async function show(title: string, load: Promise<LoadReport>): Promise<LoadReport> {
  const report = await load;
  console.log(`${title}\n${reportText(report)}`);
  return report;
}

const many = { connections: 64, inFlight: 8 };
await show("64 connections, 8 in flight", sendLoad(host, spec({ ...many, seconds: seconds * 2 })));
await show("one sender, remoting", sendLoad(host, spec({})));
const http = { protocol: "http", address: httpAddress };
await show("one sender, HTTP", sendLoad(host, spec(http)));
const ratios: number[] = [];
for (let round = 0; round < 3; round++) {
  const bare = await sendLoad(host, spec({ ...http, address: echoAddress, connections: 32 }));
  const sent = await sendLoad(host, spec({ ...http, connections: 32 }));
  ratios.push(sent.perSecond / bare.perSecond);
  console.log(
    `HTTP, 32 connections: echo ${bare.perSecond.toFixed(0)}/s, ` +
      `send ${sent.perSecond.toFixed(0)}/s, ratio ${(ratios.at(-1) ?? 0).toFixed(2)}`,
  );
}
console.log("");
await show(
  "receive and acknowledge, batches of 32",
  receiveLoad(host, {
    ...{ address: httpAddress, topic: "roads", group: "readers", connections: 8, batch: 32 },
    ...{ bodyBytes: 256, fill: 0, seconds, warmup: 1 },
  }),
);
console.log(`resident after all   ${residentMiB().toFixed(0)} MiB`);
echo.child.kill("SIGKILL");
await broker.stop();
rmSync(data, { recursive: true, force: true });
process.exit(0);
