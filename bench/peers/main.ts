/**
 * Curlew beside Apache RocketMQ and Redis Streams: every peer is started on empty files, takes the
 * same loads, and is stopped before the next begins; that is repeated, and medians are compared.
 *
 *     deno task bench:peers [--seconds 10] [--rounds 3] [--peers text,…] [--loads text,…]
 *                           [--record]
 *
 * `--peers` and `--loads` choose by a part of the name. The first peer is what the others are
 * compared with. See README.md beside this file.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { processHost } from "../../src/runtime/node/process_host.ts";
import { appendHistory, commitNow } from "../history.ts";
import { buildJava } from "../../tests/interop/java_build.ts";
import { root } from "../../tests/support/broker_process.ts";
import { curlewPeer } from "./curlew.ts";
import { type Load, type LoadFigure, loads } from "./loads.ts";
import type { Peer } from "./peer.ts";
import { redisPeer } from "./redis.ts";
import { rocketMqPeer } from "./rocketmq.ts";
import { type Figure, mediansOf, tablesOf } from "./table.ts";

const peers: readonly Peer[] = [
  rocketMqPeer("ASYNC_FLUSH"),
  rocketMqPeer("SYNC_FLUSH"),
  curlewPeer("deno"),
  curlewPeer("bun"),
  redisPeer(),
];

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    peers: { type: "string", default: "" },
    loads: { type: "string", default: "" },
    record: { type: "boolean", default: false },
  },
});
const seconds = numberOf("seconds", values.seconds);
const rounds = numberOf("rounds", values.rounds);
const chosenLoads = chosen(loads, values.loads);
const chosenPeers: Peer[] = [];
for (const peer of chosen(peers, values.peers)) {
  const missing = await peer.missing();
  if (missing === undefined) chosenPeers.push(peer);
  else say(`SKIPPED ${peer.name}: ${missing}`);
}

if (chosenLoads.some((load) => load.java)) await buildJava(root, "example");

const { machine } = processHost();
say(`${machine.cores} cores of ${machine.cpuModel}, ${machine.platform}, ${machine.runtime}`);
const figures: Figure[] = [];
let failures = 0;
for (let round = 0; round < rounds; round++) {
  // Each round begins with another peer, so that a machine that slows down slows none down more.
  for (let at = 0; at < chosenPeers.length; at++) {
    const peer = chosenPeers[(round + at) % chosenPeers.length];
    if (peer === undefined) continue;
    try {
      await measure(peer, round);
    } catch (error) {
      // The other peers' figures stand.
      failures++;
      say(`FAILED ${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
const order = chosenPeers.map((peer) => peer.name);
figures.sort((a, b) => order.indexOf(a.peer) - order.indexOf(b.peer));
const answers = new Map(chosenPeers.map((peer) => [peer.name, peer.answers]));
say(`\n${tablesOf(figures, answers)}`);
if (values.record) {
  const { runtime, cpuModel, cores } = machine;
  const date = new Date().toISOString();
  const about = { bench: "peers", commit: commitNow(), runtime, cpuModel, cores, date };
  appendHistory({ ...about, figures: mediansOf(figures) });
}
process.exit(figures.length > 0 && failures === 0 ? 0 : 1);

async function measure(peer: Peer, round: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "curlew-peers-"));
  try {
    const running = await peer.start(join(directory, "data"));
    try {
      for (const load of chosenLoads.filter((each) => each.speaks.includes(peer.speaks))) {
        const figure = await load.run(running, { seconds, directory });
        figures.push({ ...figure, load: load.name, peer: peer.name });
        say(`round ${round + 1}, ${peer.name}, ${load.name}: ${oneLine(figure, load)}`);
      }
    } finally {
      await running.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function oneLine({ perSecond, failed, reasons = [] }: LoadFigure, load: Load): string {
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  return `${perSecond}/s ${load.what}, ${failed} failed${why}`;
}

function chosen<Named extends { readonly name: string }>(
  all: readonly Named[],
  words: string,
): readonly Named[] {
  const wanted = words.toLowerCase().split(",");
  return all.filter(({ name }) => wanted.some((word) => name.toLowerCase().includes(word)));
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`Cannot start: --${option} needs a number; found "${text}"`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
