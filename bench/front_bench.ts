/**
 * What a send costs the front thread, from its bytes to the bytes of its answer, by either
 * protocol: through the real door and link, to a shard that answers each batch in the next turn of
 * the event loop. The shard's own part (reading the batch, writing the answers) is measured along.
 *
 *     deno run -A bench/front_bench.ts [sends]
 *
 * @module
 */
import process from "node:process";
import type { Clock } from "../src/base/clock.ts";
import { limits } from "../src/base/limits.ts";
import { silentLog } from "../src/base/log.ts";
import { Metrics } from "../src/base/metrics.ts";
import { Door } from "../src/broker/door.ts";
import { RegistryView } from "../src/broker/registry_view.ts";
import { delayMsMaxDefault } from "../src/broker/send.ts";
import { ShardRouter } from "../src/broker/shard_router.ts";
import { LinkClient } from "../src/link/client.ts";
import { coordinatorOperations } from "../src/link/coordinator_messages.ts";
import { gathering } from "../src/link/departure.ts";
import { LinkServer } from "../src/link/server.ts";
import { shardOperations } from "../src/link/shard_messages.ts";
import { UniqueKeys } from "../src/model/message_id.ts";
import { permReadWrite, type Topic } from "../src/model/topic.ts";
import type { Connection } from "../src/ports/sockets.ts";
import { httpApp } from "../src/protocol/http/app.ts";
import { loopbackHostNames } from "../src/protocol/http/exchange.ts";
import { RemotingSessions } from "../src/protocol/remoting/sessions.ts";
import { runtimeName } from "../src/runtime/mod.ts";
import { systemTimers } from "../src/runtime/node/timers.ts";
import { plainInfo } from "../tests/support/request_info.ts";
import { portPair } from "../tests/support/thread_ports.ts";
import { sendsOnTheWire } from "./sends_on_the_wire.ts";

const realClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const [connections, inFlight] = [64, 8];
const httpConnections = 32;
const bodyBytes = 256;
const topicName = "BenchmarkTest";
const signer = { sign: () => "", verify: () => false };

/** The door of a broker whose one shard stores nothing. */
function openDoor(): Door {
  const view = new RegistryView();
  const router = new ShardRouter(1);
  const [ours, theirs] = portPair();
  let position = 1;
  const server = new LinkServer(shardOperations, theirs, () => {
    for (const { name, id, request } of server.take()) {
      if (name !== "append") throw new Error(`asked for ${name}`);
      const place = { firstOffset: position, firstPosition: position, storedMs: Date.now() };
      server.answer("append", id, { ...place, repeats: [] });
      position += request.records.length;
    }
    systemTimers.immediate(() => server.post());
  });
  const departure = gathering(systemTimers);
  router.connect(
    0,
    new LinkClient(shardOperations, ours, limits.linkRequestsMax, () => {}, undefined, departure),
  );
  const coordinator = new LinkClient(coordinatorOperations, portPair()[0], 10, () => {});
  const door = new Door({
    ...{ view, router, coordinator, signer, clock: realClock, timers: systemTimers },
    uniqueKeys: new UniqueKeys(realClock, new Uint8Array(10)),
    settings: {
      ...{ autoCreateTopics: false, autoCreateGroups: true, dedupeWindowMs: 600_000 },
      ...{ delayMsMax: delayMsMaxDefault, transactionFirstCheckMs: 6_000 },
      ...{ transactionCheckIntervalMs: 30_000, webhookHosts: null, clusterName: "bench" },
      traceTopic: false,
    },
    log: silentLog,
    webhook: null,
  });
  view.putTopic(topic);
  return door;
}

const topic: Topic = {
  name: topicName,
  version: 1,
  settings: {
    ...{ queues: 4, durability: "power-loss", retentionMs: 86_400_000, retentionBytes: null },
    ...{ deleteUnread: false, ordered: false, messageTtlMs: null, dedupe: "explicit" },
    ...{ perm: permReadWrite, attributes: {} },
  },
  queueRefs: [1, 2, 3, 4].map((queueKey) => ({ queueKey, shard: 0 })),
  timerQueues: 4,
  formerQueues: [],
  system: false,
  createdMs: 0,
};

/** A client that sends its next chunk when the last one was answered, until `left` is used up. */
class Client implements Connection {
  readonly local = { host: "127.0.0.1", port: 9876 };
  readonly remote = { host: "127.0.0.1", port: 50_000 };
  readonly bufferedBytes = 0;
  readonly #onAnswers: () => void;
  #answers = 0;

  constructor(onAnswers: () => void) {
    this.#onAnswers = onAnswers;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) this.#answers += framesIn(chunk);
    if (this.#answers < inFlight) return true;
    this.#answers -= inFlight;
    systemTimers.immediate(this.#onAnswers);
    return true;
  }

  listen() {}
  pause() {}
  resume() {}
  end() {}
  destroy() {}
}

function framesIn(chunk: Uint8Array): number {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  let count = 0;
  for (let at = 0; at < chunk.length; at += 4 + view.getUint32(at)) count++;
  return count;
}

/** So many sends over remoting. */
function remotingSends(door: Door): (count: number) => Promise<void> {
  const sessions = new RemotingSessions({
    broker: door,
    settings: {
      ...{ clusterName: "DefaultCluster", brokerName: "curlew", advertise: null },
      ...{ autoCreateTopics: true, region: "DefaultRegion", traceOn: true },
    },
    ...{ clock: realClock, timers: systemTimers, log: silentLog, bootMs: 0 },
  });
  const chunk = sendsOnTheWire(topicName, inFlight, bodyBytes);
  let [left, busy] = [0, 0];
  let onEnd: () => void = () => {};
  const feeds = Array.from({ length: connections }, (_, number) => {
    const feed = () => {
      if (left <= 0) {
        if (--busy === 0) onEnd();
        return;
      }
      left -= inFlight;
      // A socket hands over memory of its own each time.
      session.feed(chunk.slice());
    };
    const session = sessions.open(number + 1, new Client(feed));
    return feed;
  });
  return (count) => {
    [left, busy] = [count, feeds.length];
    feeds.forEach((feed) => systemTimers.immediate(feed));
    return new Promise((resolve) => onEnd = resolve);
  };
}

/** So many sends as single JSON messages; the making of the request is in the figure. */
function httpSends(door: Door): (count: number) => Promise<void> {
  const app = httpApp({
    broker: door,
    ...{ clock: realClock, metrics: new Metrics(), log: silentLog, version: "0", signer },
    settings: {
      hostNames: loopbackHostNames,
      nameServers: () => [],
      storeHost: { ip: "127.0.0.1", port: 9876 },
      ...{ queuesPerNewTopic: 4, heartbeatMs: 15_000, requestIdPrefix: "bench" },
    },
  });
  const body = JSON.stringify({ body: "x".repeat(bodyBytes) });
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  const arrived = new TextEncoder().encode(body);
  // Deno's server has a small body at once, Bun's has not.
  const info = { ...plainInfo, bodyAtOnce: () => runtimeName === "deno" ? arrived : null };
  const url = `http://127.0.0.1:8080/v1/topics/${topicName}/messages`;
  return async (count) => {
    let left = count;
    await Promise.all(Array.from({ length: httpConnections }, async () => {
      while (left-- > 0) {
        const response = await app.fetch(new Request(url, { method: "POST", headers, body }), info);
        if (response.status !== 200) throw new Error(await response.text());
      }
    }));
  };
}

/** Processor time for one of so many, the runtime's helping threads included. */
async function measure(name: string, run: (count: number) => Promise<void>): Promise<void> {
  await run(sends / 4);
  const start = process.cpuUsage();
  await run(sends);
  const { user, system } = process.cpuUsage(start);
  const microseconds = Number(((user + system) / sends).toFixed(2));
  process.stdout.write(`${JSON.stringify({ bench: `front_${name}`, sends, microseconds })}\n`);
}

const sends = Number(process.argv[2] ?? 200_000);
await measure("remoting", remotingSends(openDoor()));
await measure("http", httpSends(openDoor()));
process.exit(0);
