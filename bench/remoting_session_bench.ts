/**
 * What the remoting protocol costs the front thread: V2 sends with JSON headers through a session,
 * over a broker that does nothing. One figure: requests a second on one thread.
 *
 *     deno run -A bench/remoting_session_bench.ts [requests]
 *
 * @module
 */
import process from "node:process";
import { ManualClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import type { Broker, SendRequest } from "../src/broker/broker.ts";
import type { SendReceipt } from "../src/model/message.ts";
import type { Connection } from "../src/ports/sockets.ts";
import { encodeCommand } from "../src/protocol/remoting/command_frames.ts";
import type { RemotingSession } from "../src/protocol/remoting/session.ts";
import { RemotingSessions } from "../src/protocol/remoting/sessions.ts";
import { MemoryBroker } from "../tests/conformance/remoting/memory_broker.ts";
import { ManualTimers } from "../tests/support/manual_timers.ts";

const framesPerChunk = 64;

/** Answers sends without storing anything; the rest is the memory broker's. */
function idleBroker(): Broker {
  const broker = new MemoryBroker();
  broker.addTopic("BenchmarkTest", { queues: 8 });
  let sent = 0;
  const receipt = (request: SendRequest): SendReceipt[] => [{
    messageId: "7F0000010DC818B4AAC20A1B2C3D0001",
    queueId: request.queueId ?? 0,
    offset: sent++,
    physicalOffset: sent * 256,
    storedMs: 1_700_000_000_000,
    survived: "power-loss",
    repeated: false,
  }];
  return Object.assign(broker, {
    send: (request: SendRequest) => Promise.resolve(receipt(request)),
  });
}

function chunkOfSends(): Uint8Array {
  const body = new Uint8Array(128).fill(120);
  const frames: Uint8Array[] = [];
  for (let opaque = 0; opaque < framesPerChunk; opaque++) {
    const command = {
      ...{ code: 310, language: "JAVA", version: 479, opaque, flag: 0, remark: undefined },
      extFields: {
        ...{ a: "please_rename_unique_group_name", b: "BenchmarkTest", c: "TBW102", d: "4" },
        ...{ e: "3", f: "0", g: "1700000000000", h: "0", j: "0", k: "false", m: "false" },
        i: "KEYS\x01order-1234\x02UNIQ_KEY\x017F0000010DC818B4AAC20A1B2C3D0001\x02" +
          "WAIT\x01true\x02TAGS\x01TagA\x02",
        n: "curlew",
      },
      serializer: "json",
    } as const;
    frames.push(...encodeCommand(command, body));
  }
  return new Uint8Array(frames.flatMap((frame) => [...frame]));
}

/** A socket that counts. */
function countingConnection(counts: { bytes: number; writes: number }): Connection {
  return {
    local: { host: "127.0.0.1", port: 9876 },
    remote: { host: "127.0.0.1", port: 50_000 },
    bufferedBytes: 0,
    listen: () => {},
    write: (chunks) => {
      counts.writes++;
      for (const chunk of chunks) counts.bytes += chunk.length;
      return true;
    },
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  };
}

/**
 * Milliseconds of processor time: on a shared machine the clock on the wall measures others, too.
 */
async function run(session: RemotingSession, chunk: Uint8Array, requests: number): Promise<number> {
  const start = process.cpuUsage();
  for (let sent = 0; sent < requests; sent += framesPerChunk) {
    session.feed(chunk);
    // The answers of a chunk are written before the next one comes, as with a socket.
    for (let hop = 0; hop < 8; hop++) await undefined;
  }
  return process.cpuUsage(start).user / 1000;
}

const requests = Number(process.argv[2] ?? 400_000);
const counts = { bytes: 0, writes: 0 };
const clock = new ManualClock();
const sessions = new RemotingSessions({
  broker: idleBroker(),
  settings: {
    ...{ clusterName: "DefaultCluster", brokerName: "curlew", advertise: null },
    ...{ autoCreateTopics: true, region: "DefaultRegion", traceOn: true },
  },
  clock,
  timers: new ManualTimers(clock),
  log: silentLog,
  bootMs: 0,
});
const session = sessions.open(1, countingConnection(counts));
const chunk = chunkOfSends();
await run(session, chunk, 100_000);
counts.writes = 0;
const tookMs = await run(session, chunk, requests);
process.stdout.write(
  JSON.stringify({
    bench: "remoting_session",
    requests,
    requestsPerSecond: Math.round(requests / tookMs * 1000),
    microsecondsPerRequest: Number((tookMs * 1000 / requests).toFixed(2)),
    answersPerWrite: Number((requests / counts.writes).toFixed(1)),
  }) + "\n",
);
