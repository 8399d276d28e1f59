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
import type { RemotingSession } from "../src/protocol/remoting/session.ts";
import { RemotingSessions } from "../src/protocol/remoting/sessions.ts";
import { MemoryBroker } from "../tests/conformance/remoting/memory_broker.ts";
import { ManualTimers } from "../tests/support/manual_timers.ts";
import { sendsOnTheWire } from "./sends_on_the_wire.ts";

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
const chunk = sendsOnTheWire("BenchmarkTest", framesPerChunk, 128);
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
