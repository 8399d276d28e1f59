/**
 * Apache RocketMQ itself, a name server and a broker, as processes of this machine. Both are small:
 * files of 1 MiB, so that the broker deletes old ones when it is asked to.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnHere, stopChild } from "../../support/broker_process.ts";
import { runChild } from "../children.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
const buildTimeoutMs = 10 * 60_000;
const portTriesMax = 50;
const heap = "-Xmx512m";

/** A running RocketMQ. */
export type RocketServer = {
  readonly nameServerPort: number;
  readonly brokerPort: number;
  stop(): Promise<void>;
};

/** Fetches the jars, if they are not here yet. @throws {Error} Maven failed. */
export async function fetchServer(version: string): Promise<void> {
  if (existsSync(libraryOf(version))) return;
  const words = ["-q", "-B", `-Dserver.version=${version}`, "compile"];
  const child = { command: "mvn", cwd: home, timeoutMs: buildTimeoutMs };
  // What was fetched once need not be asked for again.
  if ((await runChild({ ...child, words: ["-o", ...words] })).status === 0) return;
  const online = await runChild({ ...child, words });
  if (online.status !== 0) throw new Error(`Cannot fetch Apache RocketMQ:\n${online.output}`);
}

function libraryOf(version: string): string {
  return join(home, "target", version, "lib");
}

/** Starts both. They are ready some seconds later: ask until they answer. */
export async function startServer(folder: string, version: string): Promise<RocketServer> {
  const nameServerPort = await freePorts([0]);
  // A broker listens beside its port for those in a hurry and for replicas.
  const brokerPort = await freePorts([-2, 0, 1]);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "namesrv.conf"), `listenPort=${nameServerPort}\n`);
  const store = join(folder, "store");
  await writeFile(
    join(folder, "broker.conf"),
    settingsText({
      brokerClusterName: "DefaultCluster",
      brokerName: "broker-x",
      brokerId: 0,
      brokerIP1: "127.0.0.1",
      listenPort: brokerPort,
      haListenPort: brokerPort + 1,
      namesrvAddr: `127.0.0.1:${nameServerPort}`,
      storePathRootDir: store,
      storePathCommitLog: join(store, "commitlog"),
      mappedFileSizeCommitLog: 1024 * 1024,
      // What is deleted on request is whatever is not in the newest file.
      fileReservedTime: 0,
      destroyMapedFileIntervalForcibly: 1000,
      cleanResourceInterval: 2000,
      autoCreateTopicEnable: false,
      transactionTimeOut: 600_000,
      // A machine that is busy with other things is no reason to refuse a send.
      waitTimeMillsInSendQueue: 30_000,
      waitTimeMillsInTransactionQueue: 30_000,
      osPageCacheBusyTimeOutMills: 30_000,
    }),
  );
  const nameServer = start(version, folder, "namesrv.NamesrvStartup", "namesrv.conf");
  const broker = start(version, folder, "broker.BrokerStartup", "broker.conf");
  return {
    nameServerPort,
    brokerPort,
    stop: async () => {
      await stopChild(broker.child, broker.ended);
      await stopChild(nameServer.child, nameServer.ended);
    },
  };
}

function start(version: string, folder: string, main: string, settings: string) {
  const words = [
    "java",
    heap,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxDirectMemorySize=512m",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    `-Duser.home=${folder}`,
    `-Drocketmq.home.dir=${folder}`,
    "-cp",
    join(libraryOf(version), "*"),
    `org.apache.rocketmq.${main}`,
    "-c",
    join(folder, settings),
  ];
  const started = spawnHere(words, "ignore");
  // Nobody reads what it says; a full pipe would stop it.
  started.child.stdout?.resume();
  return started;
}

function settingsText(settings: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
}

/** A port that is free, as are those at the other distances from it. */
async function freePorts(distances: readonly number[]): Promise<number> {
  for (let tries = 0; tries < portTriesMax; tries++) {
    const port = await tryPort(0);
    if (port === undefined) continue;
    const tried = await Promise.all(distances.map((distance) => tryPort(port + distance)));
    if (tried.every((each) => each !== undefined)) return port;
  }
  throw new Error("Cannot find free ports for a broker");
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const found = (server.address() as AddressInfo).port;
      server.close(() => resolve(found));
    });
  });
}
