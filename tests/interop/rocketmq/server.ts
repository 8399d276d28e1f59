/**
 * Apache RocketMQ itself, a name server and a broker, as processes of this machine. Their jars come
 * from Maven. They are ready when the broker answers and its name server knows it; one that ends
 * before tells why.
 *
 * A broker binds its last port at the end of its start, half a minute after it was chosen on a busy
 * machine. Should somebody have taken it, both are started again on others.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { brokersOf } from "../../../src/cli/import/facts.ts";
import { requestCodes } from "../../../src/protocol/remoting/codes.ts";
import { clientOf } from "../../import/source_side.ts";
import { type Ended, signalTo, spawnHere } from "../../support/broker_process.ts";
import { freePort } from "../../support/free_ports.ts";
import { until } from "../../support/until.ts";
import { isInstalled, runChild } from "../children.ts";

const home = fileURLToPath(new URL(".", import.meta.url));
const buildTimeoutMs = 10 * 60_000;
const startTimeoutMs = 150_000;
const startsMax = 3;
const tailLines = 30;
/** The logs that say why a start failed. */
const telling = /^(all|namesrv|broker|store|storeerror|remoting)\.log$/;
/** The broker maps files and reaches into the JDK's buffers, as its own start script allows. */
const jvmOpenings = [
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
];

/** Lines of a settings file. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** A certificate and its key, both in PEM files, for a source that speaks nothing but TLS. */
export type ServerTls = { readonly certificatePath: string; readonly keyPath: string };

/** What is started. */
export type ServerStart = {
  readonly version: string;
  /** Empty, and theirs alone. */
  readonly folder: string;
  /** The broker's, beside its addresses and directories. */
  readonly settings: Settings;
  /** Words for the broker's JVM: its heap, its compilers. */
  readonly jvm: readonly string[];
  /** Both speak TLS only. Absent: plain, and TLS to those who begin so. */
  readonly tls?: ServerTls;
};

/** A running RocketMQ. */
export type RocketServer = {
  readonly nameServerPort: number;
  readonly brokerPort: number;
  /** How one of the two ended that nobody stopped, and what it said; `undefined` while they run. */
  fault(): Promise<string | undefined>;
  stop(): Promise<void>;
};

/** Why it cannot be started on this machine at all; `undefined` if it can. */
export async function missingForServer(): Promise<string | undefined> {
  if (!(await isInstalled("java", "-version"))) return "java is absent";
  if (!(await isInstalled("mvn", "-v"))) return "mvn is absent";
  return undefined;
}

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

/** Starts both, and waits until they are ready. @throws {Error} They are not. */
export async function startServer(start: ServerStart): Promise<RocketServer> {
  for (let starts = 1;; starts++) {
    try {
      return await startBoth(start, join(start.folder, String(starts)));
    } catch (thrown) {
      const isOver = !(thrown instanceof StartError) || !thrown.isPortTaken;
      if (isOver || starts === startsMax) throw thrown;
    }
  }
}

async function startBoth(start: ServerStart, folder: string): Promise<RocketServer> {
  const nameServerPort = await freePort();
  const nameServer = await startPart({
    ...{ name: "namesrv.NamesrvStartup", version: start.version, folder: join(folder, "names") },
    settings: { listenPort: nameServerPort, bindAddress: "127.0.0.1" },
    jvm: ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", ...tlsWords(start)],
    isReady: () => Promise.resolve(true),
  });
  try {
    // A broker listens beside its port for those in a hurry and for replicas.
    const brokerPort = await freePort([-2, 1]);
    const broker = await startPart({
      ...{ name: "broker.BrokerStartup", version: start.version, folder: join(folder, "broker") },
      settings: brokerSettings(start.settings, folder, nameServerPort, brokerPort),
      jvm: [...start.jvm, ...tlsWords(start)],
      isReady: () => isRegistered(start, nameServerPort, brokerPort),
    });
    return {
      nameServerPort,
      brokerPort,
      fault: async () => await broker.fault() ?? await nameServer.fault(),
      stop: async () => void await Promise.all([broker.stop(), nameServer.stop()]),
    };
  } catch (thrown) {
    await nameServer.stop();
    throw thrown;
  }
}

function brokerSettings(wanted: Settings, folder: string, nameServerPort: number, port: number) {
  const store = join(folder, "broker", "store");
  return {
    ...{ brokerClusterName: "DefaultCluster", brokerName: "broker-x", brokerId: 0 },
    // RocketMQ 4 listens everywhere whatever it is told, as the port for replicas does in 5 too.
    ...{ bindAddress: "127.0.0.1", brokerIP1: "127.0.0.1" },
    ...{ namesrvAddr: `127.0.0.1:${nameServerPort}`, listenPort: port, haListenPort: port + 1 },
    ...{ storePathRootDir: store, storePathCommitLog: join(store, "commitlog") },
    ...wanted,
  };
}

function tlsWords({ tls }: ServerStart): string[] {
  if (tls === undefined) return [];
  return [
    "-Dtls.server.mode=enforcing",
    "-Dtls.test.mode.enable=false",
    `-Dtls.server.certPath=${tls.certificatePath}`,
    `-Dtls.server.keyPath=${tls.keyPath}`,
    // The broker is a client of its name server.
    "-Dtls.enable=true",
  ];
}

async function isRegistered(
  { tls }: ServerStart,
  nameServerPort: number,
  brokerPort: number,
): Promise<boolean> {
  const trust = tls && { kind: "any" as const };
  const [names, broker] = [clientOf(nameServerPort, trust), clientOf(brokerPort, trust)];
  try {
    await broker.ask({ code: requestCodes.getBrokerRuntimeInfo });
    const { body } = await names.ask({ code: requestCodes.getBrokerClusterInfo });
    return brokersOf(body).some(({ address }) => address.port === brokerPort);
  } finally {
    names.close();
    broker.close();
  }
}

/** One of the two. */
type PartStart = {
  readonly name: "namesrv.NamesrvStartup" | "broker.BrokerStartup";
  readonly version: string;
  readonly folder: string;
  readonly settings: Settings;
  readonly jvm: readonly string[];
  /** Asked once it says that it has started. What it throws counts as "not yet". */
  readonly isReady: () => Promise<boolean>;
};

type Part = { fault(): Promise<string | undefined>; stop(): Promise<void> };

/** A process that did not become ready. */
class StartError extends Error {
  override readonly name = "StartError";
  readonly isPortTaken: boolean;

  constructor(message: string) {
    super(message);
    this.isPortTaken = /Address already in use|Failed to bind/.test(message);
  }
}

/** @throws {StartError} It ended, or is late. */
async function startPart(start: PartStart): Promise<Part> {
  const { name, version, folder, settings } = start;
  await writeFiles(folder, settings);
  const own = [`-Duser.home=${folder}`, `-Drocketmq.home.dir=${folder}`];
  const main = ["-cp", join(libraryOf(version), "*"), `org.apache.rocketmq.${name}`];
  const words = ["java", ...start.jvm, ...own, ...jvmOpenings, ...main];
  const spawned = spawnHere([...words, "-c", join(folder, "settings")], "ignore");
  const { child, ended, log } = spawned;
  const stop = async () => {
    // Its files are thrown away: there is nothing to be put in order first.
    signalTo(child, "SIGKILL");
    await ended;
  };
  const beganMs = performance.now();
  const outcome = await outcomeOf(start, spawned);
  const afterS = ((performance.now() - beganMs) / 1000).toFixed(1);
  if (outcome !== "ready") {
    await stop();
    const what = `${name} of Apache RocketMQ ${version}`;
    const said = await toldBy(folder, log());
    throw new StartError(`Cannot start ${what}: ${howOf(outcome)} after ${afterS} s\n${said}`);
  }
  let end: Ended | undefined;
  void ended.then((result) => end = result);
  const fault = async () => end && `${name} ${howOf(end)}\n${await toldBy(folder, log())}`;
  return { fault, stop };
}

async function outcomeOf(
  { isReady }: PartStart,
  { child, ended }: ReturnType<typeof spawnHere>,
): Promise<Ended | "ready" | "late"> {
  let isOver = false;
  let late: ReturnType<typeof setTimeout> | undefined;
  const said = new Promise<void>((resolve) => {
    if (child.stdout === null) return;
    // Read on after that line, so that the pipe never fills.
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.includes("boot success")) resolve();
    });
  });
  const ready = said.then(() => until("readiness", startTimeoutMs, () => isOver || isReady()));
  try {
    return await Promise.race([
      ready.then(() => "ready" as const, () => "late" as const),
      ended,
      new Promise<"late">((resolve) => late = setTimeout(() => resolve("late"), startTimeoutMs)),
    ]);
  } finally {
    isOver = true;
    clearTimeout(late);
  }
}

function howOf(outcome: Ended | "late"): string {
  if (outcome === "late") return "it is not ready";
  return `it ended with ${outcome.signal ?? `status ${outcome.code}`}`;
}

async function writeFiles(folder: string, settings: Settings): Promise<void> {
  await mkdir(join(folder, "conf"), { recursive: true });
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, "settings"), lines.join(""));
  // RocketMQ 4 does not start without them; 5 does not read them.
  for (const each of ["logback_namesrv.xml", "logback_broker.xml"]) {
    await writeFile(join(folder, "conf", each), logbackText);
  }
}

const logbackText = `<configuration>
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>\${user.home}/logs/rocketmqlogs/all.log</file>
    <encoder><pattern>%d %p %t - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
`;

/** The ends of what it wrote: on its error output, and into its logs. */
async function toldBy(folder: string, errors: string): Promise<string> {
  const logs = join(folder, "logs", "rocketmqlogs");
  const files = existsSync(logs) ? (await readdir(logs)).filter((each) => telling.test(each)) : [];
  const parts = [["standard error", errors]];
  for (const file of files.sort()) parts.push([file, await readFile(join(logs, file), "utf8")]);
  return parts.filter(([, text]) => text !== "").map(([name, text = ""]) => {
    return `== the end of ${name}\n${text.trimEnd().split("\n").slice(-tailLines).join("\n")}`;
  }).join("\n");
}
