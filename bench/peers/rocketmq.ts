/**
 * Apache RocketMQ as a peer: name server and broker from Maven, with default settings but for
 * addresses, directories, the flush, and a heap that leaves room for the load beside it.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isInstalled, runChild } from "../../tests/interop/children.ts";
import { spawnHere, stopChild } from "../../tests/support/broker_process.ts";
import { findMaster } from "../../tests/interop/topics.ts";
import { freePorts, type Peer } from "./peer.ts";

const javaFolder = fileURLToPath(new URL("./java/", import.meta.url));
const jars = join(javaFolder, "target", "lib");
const buildTimeoutMs = 10 * 60_000;
const startTimeoutMs = 90_000;
const registrationPollMs = 200;
/** The broker maps files and reaches into the JDK's buffers, as its own start script allows. */
const jvmOpenings = [
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
];

/** RocketMQ's two ways of answering a send. */
export type Flush = "ASYNC_FLUSH" | "SYNC_FLUSH";

/** RocketMQ with one of its two ways of flushing. */
export function rocketMqPeer(flush: Flush): Peer {
  return {
    name: `RocketMQ ${flush}`,
    answers: flush === "SYNC_FLUSH" ? "after fsync" : "before it is on disk",
    speaks: "remoting",
    missing: fetchRocketMq,
    start: (directory) => startRocketMq(directory, flush),
  };
}

/** Copies the jars together, once. Returns why that cannot be done, if so. */
async function fetchRocketMq(): Promise<string | undefined> {
  if (!(await isInstalled("java", "-version"))) return "java is absent";
  if (!(await isInstalled("mvn", "-v"))) return "mvn is absent";
  if (existsSync(jars)) return undefined;
  const words = ["-q", "-B", "process-resources"];
  const build = { command: "mvn", words, cwd: javaFolder, timeoutMs: buildTimeoutMs };
  const end = await runChild(build);
  return end.status === 0 ? undefined : `its jars cannot be fetched: ${end.output}`;
}

async function startRocketMq(home: string, flush: Flush) {
  const [nameServerPort = 0, port = 0, fastPort = 0, haPort = 0] = await freePorts(4);
  const nameServer = `127.0.0.1:${nameServerPort}`;
  await mkdir(home, { recursive: true });
  const directory = await startJava({
    main: "org.apache.rocketmq.namesrv.NamesrvStartup",
    heapMiB: 128,
    home,
    settings: { listenPort: nameServerPort, bindAddress: "127.0.0.1" },
  });
  const broker = await startJava({
    main: "org.apache.rocketmq.broker.BrokerStartup",
    heapMiB: 512,
    home,
    settings: {
      ...{ brokerClusterName: "DefaultCluster", brokerName: "broker-a", brokerId: 0 },
      ...{ namesrvAddr: nameServer, bindAddress: "127.0.0.1", brokerIP1: "127.0.0.1" },
      ...{ listenPort: port, fastListenPort: fastPort, haListenPort: haPort },
      ...{ storePathRootDir: join(home, "store") },
      ...{ storePathCommitLog: join(home, "store", "commitlog"), flushDiskType: flush },
    },
  });
  const stop = async () => {
    await broker();
    await directory();
  };
  // It registers some seconds after it says that it is ready.
  const deadlineMs = performance.now() + startTimeoutMs;
  while (await findMaster(nameServer) === undefined) {
    if (performance.now() > deadlineMs) {
      await stop();
      throw new Error("Cannot start BrokerStartup: its name server does not know it");
    }
    await new Promise((resolve) => setTimeout(resolve, registrationPollMs));
  }
  return { nameServer, address: { host: "127.0.0.1", port }, stop };
}

type JavaStart = {
  readonly main: string;
  readonly heapMiB: number;
  readonly home: string;
  readonly settings: Readonly<Record<string, string | number>>;
};

/** Starts one of the two, and waits until it says that it has. Returns what stops it. */
async function startJava(start: JavaStart): Promise<() => Promise<void>> {
  const name = start.main.slice(start.main.lastIndexOf(".") + 1);
  const file = join(start.home, `${name}.properties`);
  const lines = Object.entries(start.settings).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(file, lines.join(""));
  const heap = [`-Xms${start.heapMiB}m`, `-Xmx${start.heapMiB}m`];
  const homes = [`-Duser.home=${start.home}`, `-Drocketmq.home.dir=${start.home}`];
  const words = ["java", ...heap, ...homes, ...jvmOpenings, "-cp", join(jars, "*"), start.main];
  const { child, ended, log } = spawnHere([...words, "-c", file], "ignore");
  let late: ReturnType<typeof setTimeout> | undefined;
  const ready = await Promise.race([
    new Promise<"ready">((resolve) => {
      if (child.stdout === null) return;
      // Read on after that line, so that the pipe never fills.
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.includes("boot success")) resolve("ready");
      });
    }),
    ended.then(() => "ended" as const),
    new Promise<"late">((resolve) => late = setTimeout(() => resolve("late"), startTimeoutMs)),
  ]);
  clearTimeout(late);
  const stop = async () => void await stopChild(child, ended);
  if (ready === "ready") return stop;
  await stop();
  throw new Error(`Cannot start ${name}: it is ${ready}\n${log()}`);
}
