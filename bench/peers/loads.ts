/**
 * The loads: each is the same for every peer that understands it.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sendLoad, type SendLoadSpec } from "../../src/cli/bench/send_load.ts";
import type { LoadReport } from "../../src/cli/bench/tally.ts";
import { processHost } from "../../src/runtime/node/process_host.ts";
import { createTopic } from "../../tests/interop/topics.ts";
import { javaConsumer, javaProducer } from "./java_load.ts";
import type { Peer, RunningPeer } from "./peer.ts";
import { redisLoad } from "./redis_load.ts";
import type { Figure } from "./table.ts";

const bodyBytes = 256;
const queues = 8;
const threads = 64;
const [connections, inFlight] = [64, 8];
/** Long enough for a JVM to compile what is hot, within reason. */
const warmupSecondsMax = 5;

/** How long, and where its files may go. */
export type LoadPlan = { readonly seconds: number; readonly directory: string };

/** What one run came to. */
export type LoadFigure = Pick<Figure, "perSecond" | "failed" | "p99Ms"> & {
  /** What refused requests were told, where the load can tell. */
  readonly reasons?: readonly string[];
};

/** A load with a name of its own. */
export type Load = {
  readonly name: string;
  readonly what: "sent" | "consumed";
  readonly speaks: readonly Peer["speaks"][];
  /** Whether the load itself is a Java program. */
  readonly java?: boolean;
  readonly run: (peer: RunningPeer, plan: LoadPlan) => Promise<LoadFigure>;
};

/**
 * All loads, in the order in which a peer takes them: first the one that begins unmeasured, which
 * also warms what runs on a JVM.
 */
export const loads: readonly Load[] = [
  {
    name: `${connections} connections, ${inFlight} in flight, ${bodyBytes} B`,
    what: "sent",
    speaks: ["remoting", "redis"],
    run: async (peer, plan) => {
      const { seconds } = plan;
      const load = { protocol: "remoting", address: peer.address, connections, inFlight };
      const warmup = Math.min(seconds, warmupSecondsMax);
      const spec = { ...load, topic: "pipelined", queues, bodyBytes, batch: 1, seconds, warmup };
      return figureOf(await pipelined(peer, spec));
    },
  },
  {
    name: `RocketMQ's Producer, ${threads} threads, ${bodyBytes} B`,
    what: "sent",
    speaks: ["remoting"],
    java: true,
    run: (peer, plan) => withTopic(peer, plan, "produced", javaSend),
  },
  {
    name: `RocketMQ's Consumer beside that Producer`,
    what: "consumed",
    speaks: ["remoting"],
    java: true,
    run: (peer, plan) => withTopic(peer, plan, "consumed", sendAndConsume),
  },
];

type JavaPlan = LoadPlan & { readonly topic: string; readonly home: string };

async function withTopic(
  peer: RunningPeer,
  plan: LoadPlan,
  topic: string,
  run: (peer: RunningPeer, plan: JavaPlan) => Promise<LoadFigure>,
): Promise<LoadFigure> {
  await makeTopic(peer, topic);
  const home = join(plan.directory, "clients");
  await mkdir(home, { recursive: true });
  return run(peer, { ...plan, topic, home });
}

function javaSend(peer: RunningPeer, plan: JavaPlan): Promise<LoadFigure> {
  return javaProducer(peer, { ...plan, threads, bodyBytes });
}

async function sendAndConsume(peer: RunningPeer, plan: JavaPlan): Promise<LoadFigure> {
  const [sent, consumed] = await Promise.all([javaSend(peer, plan), javaConsumer(peer, plan)]);
  return { perSecond: consumed.perSecond, failed: consumed.failed + sent.failed };
}

async function pipelined(peer: RunningPeer, spec: SendLoadSpec): Promise<LoadReport> {
  const host = processHost();
  if (peer.nameServer === undefined) return redisLoad(host, spec);
  await makeTopic(peer, spec.topic);
  return sendLoad(host, spec);
}

async function makeTopic({ nameServer }: RunningPeer, topic: string): Promise<void> {
  if (nameServer === undefined) throw new Error(`Cannot create ${topic}: no name server to ask`);
  await createTopic({ nameServer, stop: () => Promise.resolve() }, topic, queues);
}

function figureOf({ perSecond, p99Ms, errors }: LoadReport): LoadFigure {
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  // RocketMQ says how long its queue is: that is one reason, not many.
  const reasons = Object.keys(errors).map((reason) => reason.replace(/\d+/g, "N"));
  return { perSecond, p99Ms, failed, reasons: [...new Set(reasons)] };
}
