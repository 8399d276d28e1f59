/**
 * Abuse of a broker process at both its ports: noise, bent frames, lengths up to 4 GB, slow and
 * oversized requests, clients that vanish. The process lives, its memory stays bounded, and who
 * behaves is not disturbed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { Prng } from "../../src/base/prng.ts";
import { limits } from "../../src/base/limits.ts";
import { askWell, metricSum } from "../support/broker_api.ts";
import { type BrokerProcess, startBroker } from "../support/broker_process.ts";
import { pause, until } from "../support/until.ts";
import { type ProofOptions, SkippedError } from "../chaos/report.ts";
import { withFolder } from "../chaos/scene.ts";
import { bentBytes, joined } from "./bend.ts";
import { HealthyClient } from "./healthy_client.ts";
import { exchange, httpHead, openRaw } from "./raw_socket.ts";
import { frameOf } from "./wire_fuzzers.ts";

const topic = "abused";
const mib = 2 ** 20;
const lanes = 16;
/** What memory may grow by, beyond what the same abuse needed while warming up. */
const growthBytesMax = 64 * mib;
const patienceMs = 60;
/** Each may take a MiB at most, and nothing near what it announces. */
const announcements = 64;
const oversizedAtOnce = 4;
const slowClients = 200;
const slowMs = 3_000;
/** More than the files of the process, for longer than a head may take. */
const crowdClients = 2_000;
const crowdAtOnce = 50;
const filesMax = 512;
const crowdMs = 15_000;
const crowdMibMax = 100;
const vanishing = 400;

/** Name → proof. */
export const liveProofs: Readonly<Record<string, (options: ProofOptions) => Promise<string>>> = {
  "live: noise at both ports": noise,
  "live: slow headers": slowHeaders,
  "live: more slow headers than files": crowdOfSlowHeaders,
  "live: oversized bodies": oversized,
  "live: vanishing polls": vanishingPolls,
};

/** What else an abused broker is started with, and what it may complain about. */
type Scene = { readonly wrap?: readonly string[]; readonly complaint?: string };

/** A broker with a topic and a healthy client; memory before and after is part of the figures. */
async function abused(
  act: (broker: BrokerProcess) => Promise<string>,
  { wrap = [], complaint = "" }: Scene = {},
): Promise<string> {
  return await withFolder(async (folder) => {
    const broker = await startBroker({ data: `${folder}/data`, wrap });
    try {
      await askWell(broker.http, `PUT /v1/topics/${topic}`, { queues: 2 });
      await askWell(broker.http, "PUT /v1/groups/abusers", {});
      const healthy = new HealthyClient(broker.http, broker.remotingPort, topic);
      const says = await act(broker);
      const figures = await healthy.stop();
      const bugs = broker.log().split("\n").filter((line) =>
        line.includes('"level":"error"') && (complaint === "" || !line.includes(complaint))
      );
      assert.deepEqual(bugs.slice(0, 3), [], "the broker logged errors of its own");
      const end = await broker.stop();
      assert.deepEqual(end, { code: 0, signal: null }, broker.log());
      return `${says}; ${figures}`;
    } finally {
      broker.kill("SIGKILL");
      await broker.ended;
    }
  });
}

/** Resident memory of a process. @throws {SkippedError} This system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => {
    throw new SkippedError("memory is measured by /proc, which is absent");
  });
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Runs `once` as often as told, some at a time. */
async function repeat(count: number, once: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < count) await once(next++);
  }));
}

function noise({ seed, isReduced }: ProofOptions): Promise<string> {
  return abused(async (broker) => {
    const count = isReduced ? 600 : 4_000;
    const prng = new Prng(seed);
    const once = async () => {
      const isHttp = prng.chance(0.4);
      const port = isHttp ? broker.httpPort : broker.remotingPort;
      await exchange(port, [isHttp ? badHttp(prng) : badFrames(prng)], patienceMs);
    };
    // Buffers and compiled code grow once; what counts is what the second half adds.
    await repeat(count / 2, once);
    const beforeBytes = await residentBytes(broker.pid);
    await repeat(count / 2, once);
    const grownBytes = await settledGrowth(broker.pid, beforeBytes);
    return `${count} bad connections, memory grew by ${Math.round(grownBytes / mib)} MiB`;
  });
}

function badFrames(prng: Prng): Uint8Array {
  const good = joined(frameOf(prng, "json"), frameOf(prng, "binary"));
  if (prng.chance(0.5)) return bentBytes(prng, good);
  const prefix = new Uint8Array(8);
  const view = new DataView(prefix.buffer);
  view.setUint32(0, prng.pick([0, 3, 4, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]));
  view.setUint32(4, prng.pick([0, 0xff_ffff, 0x0100_0004, 0x7f00_0010, 0xffff_ffff]));
  return joined(prefix, prng.bytes(prng.int(4_000)));
}

function badHttp(prng: Prng): Uint8Array {
  const body = new TextEncoder().encode('{"body":"x"}');
  const head = httpHead(`POST /v1/topics/${topic}/messages`, {
    "content-type": "application/json",
    "content-length": String(prng.pick([12, 12, 0, 11, 4_294_967_296, -1, 1e20])),
  });
  const good = joined(head, body);
  return prng.chance(0.7) ? bentBytes(prng, good) : good;
}

/** Growth once collection had its chance: the least that is seen for a while. */
async function settledGrowth(pid: number, beforeBytes: number): Promise<number> {
  return await until("memory to come back", 15_000, async () => {
    const grownBytes = await residentBytes(pid) - beforeBytes;
    return grownBytes <= growthBytesMax ? Math.max(1, grownBytes) : undefined;
  });
}

/** Many who never finish their headers. */
function slowHeaders(): Promise<string> {
  return abused(async (broker) => {
    const sockets = await Promise.all(
      Array.from({ length: slowClients }, () => openRaw(broker.httpPort)),
    );
    const beforeBytes = await residentBytes(broker.pid);
    const head = httpHead("GET /v1/topics", { "x-slow": "x".repeat(2_000) });
    const endMs = performance.now() + slowMs;
    for (let at = 0; performance.now() < endMs; at++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(head.slice(at, at + 1));
      await pause(100);
    }
    const grownBytes = await settledGrowth(broker.pid, beforeBytes);
    for (const socket of sockets) socket.destroy();
    return `${slowClients} slow clients, memory grew by ${Math.round(grownBytes / mib)} MiB`;
  });
}

/** So many of them that the process has no file left for one more connection. */
function crowdOfSlowHeaders(): Promise<string> {
  return abused(async (broker) => {
    const sockets: Socket[] = [];
    let cut = 0;
    const beforeBytes = await residentBytes(broker.pid);
    const head = httpHead("GET /v1/topics", { "x-slow": "x".repeat(2_000) });
    for (let at = 0; at < crowdClients; at += crowdAtOnce) {
      const more = Array.from({ length: crowdAtOnce }, () => openRaw(broker.httpPort));
      for (const opened of await Promise.allSettled(more)) {
        if (opened.status === "rejected") cut++;
        else sockets.push(opened.value.once("close", () => cut++));
      }
    }
    const endMs = performance.now() + crowdMs;
    for (let at = 0; performance.now() < endMs; at++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(head.slice(at, at + 1));
      await pause(100);
    }
    const grownMib = Math.round((await residentBytes(broker.pid) - beforeBytes) / mib);
    assert.ok(grownMib < crowdMibMax, `${grownMib} MiB for ${crowdClients} slow clients`);
    // A new client is served, too.
    await askWell(broker.http, "GET /v1/topics");
    for (const socket of sockets) socket.destroy();
    return `${crowdClients} slow clients, ${filesMax} files, ${cut} were cut within ` +
      `${Math.round(crowdMs / 1_000)} s, memory grew by ${grownMib} MiB meanwhile`;
  }, { wrap: ["sh", "-c", `ulimit -n ${filesMax}; exec "$@"`, "sh"], complaint: "not taken" });
}

/** Bodies beyond the limit, announced or not: refused before they are kept. */
function oversized(): Promise<string> {
  return abused(async (broker) => {
    const line = `POST /v1/topics/${topic}/messages`;
    const type = { "content-type": "application/json" };
    const announced = httpHead(line, { ...type, "content-length": String(5 * 2 ** 30) });
    const announce = async () => {
      const { received } = await exchange(broker.httpPort, [announced, new Uint8Array(999)], 300);
      assert.match(received, /^HTTP\/1\.1 413/);
    };
    await repeat(announcements, announce);
    const beforeBytes = await residentBytes(broker.pid);
    await repeat(announcements, announce);
    const announcedMib = Math.round((await residentBytes(broker.pid) - beforeBytes) / mib);
    assert.ok(announcedMib < announcements, `announcing alone took ${announcedMib} MiB`);
    const head = httpHead(line, { ...type, "transfer-encoding": "chunked" });
    const chunk = chunkOf(mib);
    const count = Math.ceil(limits.httpBodyBytesMax / mib) + 8;
    const pieces = [head, ...Array.from({ length: count }, () => chunk)];
    const stream = async () => {
      const { received, closedByPeer } = await exchange(broker.httpPort, pieces, 2_000);
      assert.ok(/^HTTP\/1\.1 413/.test(received) || (received === "" && closedByPeer), received);
    };
    // Each is kept up to the limit until it is known to be too long: the second round adds nothing.
    await Promise.all(Array.from({ length: oversizedAtOnce }, stream));
    const streamedBytes = await residentBytes(broker.pid);
    await Promise.all(Array.from({ length: oversizedAtOnce }, stream));
    const grownBytes = await settledGrowth(broker.pid, streamedBytes);
    const grownMib = Math.round(grownBytes / mib);
    return `${announcements} announced refused within ${announcedMib} MiB, ` +
      `${2 * oversizedAtOnce} chunked refused, memory grew by ${grownMib} MiB`;
  });
}

function chunkOf(bytes: number): Uint8Array {
  const size = new TextEncoder().encode(`${bytes.toString(16)}\r\n`);
  return joined(size, new Uint8Array(bytes).fill(0x20), new TextEncoder().encode("\r\n"));
}

/** Long polls whose clients go away leave nothing parked. */
function vanishingPolls(): Promise<string> {
  return abused(async (broker) => {
    await askWell(broker.http, "PUT /v1/topics/silent", { queues: 2 });
    const body = new TextEncoder().encode('{"waitMs":50000}');
    const head = httpHead("POST /v1/topics/silent/groups/abusers/receive", {
      "content-type": "application/json",
      "content-length": String(body.length),
    });
    const sockets = await Promise.all(Array.from({ length: vanishing }, async () => {
      const socket = await openRaw(broker.httpPort);
      socket.write(joined(head, body));
      return socket;
    }));
    const parked = () => metricSum(broker.http, "curlew_shard_parked_polls");
    await until("all polls to be parked", 20_000, async () => (await parked()) >= vanishing);
    const beganMs = performance.now();
    for (const socket of sockets) socket.destroy();
    await until("no poll to be parked", 20_000, async () => (await parked()) === 0);
    const tookMs = Math.round(performance.now() - beganMs);
    return `${vanishing} polls vanished, 0 parked after ${tookMs} ms`;
  });
}
