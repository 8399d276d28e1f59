/**
 * Proves `curlew import` with Apache RocketMQ as the source: starts RocketMQ and Curlew, fills the
 * one, copies to the other, compares.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { deflateSync } from "node:zlib";
import { utf8 } from "../../../src/base/bytes.ts";
import { carriedProperties, type Message } from "../../../src/cli/import/message.ts";
import type { RemotingClient } from "../../../src/cli/import/remoting_client.ts";
import type { ImportReport } from "../../../src/cli/import/report.ts";
import { runtime } from "../../../src/runtime/mod.ts";
import { requestCodes } from "../../../src/protocol/remoting/codes.ts";
import {
  clientOf,
  commitPlace,
  produce,
  type Produced,
  rangeOf,
  readAll,
} from "../../import/source_side.ts";
import { askWell } from "../../support/broker_api.ts";
import { type BrokerProcess, runWords, startBroker } from "../../support/broker_process.ts";
import { until } from "../../support/until.ts";
import { runChild } from "../children.ts";
import { fetchServer, type RocketServer, type ServerTls, startServer } from "./server.ts";

const startMs = 120_000;
const importMs = 180_000;
const bornMs = 1_700_000_000_000;
const manyMessages = 6000;
const dayMs = 86_400_000;

/** Files of 1 MiB, so that the broker deletes old ones when it is asked to. */
const brokerSettings = {
  mappedFileSizeCommitLog: 1024 * 1024,
  // What is deleted on request is whatever is not in the newest file.
  fileReservedTime: 0,
  destroyMapedFileIntervalForcibly: 1000,
  cleanResourceInterval: 2000,
  autoCreateTopicEnable: false,
  // The undecided one is old: the first check would give it up.
  transactionCheckInterval: 3_600_000,
  // A machine that is busy with other things is no reason to refuse a send.
  waitTimeMillsInSendQueue: 30_000,
  waitTimeMillsInTransactionQueue: 30_000,
  osPageCacheBusyTimeOutMills: 30_000,
};
const brokerJvm = [
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:MaxDirectMemorySize=512m",
];

type World = {
  readonly folder: string;
  readonly rocket: RocketServer;
  readonly curlew: BrokerProcess;
  readonly source: RemotingClient;
  readonly target: RemotingClient;
  /** What the command is told of the source, beside its address. */
  readonly words: readonly string[];
  /** RocketMQ 4 knows the topic of the undecided once it has looked after them: never, here. */
  readonly tellsUndecided: boolean;
};

/** Takes what is told, line by line. */
export type Say = (line: string) => void;

/** What is copied from. */
export type ImportSource = {
  readonly version: string;
  /** Whether it speaks TLS, and nothing else. */
  readonly tls: boolean;
};

/** The sources that are always tried: the newer protocol and the older, plain and behind TLS. */
export const importSources: readonly ImportSource[] = [
  { version: "5.4.0", tls: false },
  { version: "4.9.7", tls: true },
];

/** How it is called. */
export function nameOf({ version, tls }: ImportSource): string {
  return `Import from RocketMQ ${version}${tls ? " TLS" : ""}`;
}

async function runImport(world: World, words: readonly string[]) {
  const [command = "", ...rest] = runWords("src/cli/main.ts");
  const address = `rocketmq://127.0.0.1:${world.rocket.nameServerPort}`;
  const where = ["--url", world.curlew.http, "--work", join(world.folder, "work")];
  return await runChild({
    command,
    words: [...rest, "import", address, ...where, ...world.words, ...words],
    cwd: process.cwd(),
    timeoutMs: importMs,
  });
}

async function makeTopic(client: RemotingClient, topic: string, queues: number): Promise<void> {
  const counts = { readQueueNums: String(queues), writeQueueNums: String(queues) };
  const fixed = { defaultTopic: "TBW102", topicFilterType: "SINGLE_TAG", topicSysFlag: "0" };
  const fields = { topic, ...fixed, ...counts, perm: "6", order: "false" };
  await client.ask({ code: requestCodes.updateAndCreateTopic, fields });
}

async function makeGroup(client: RemotingClient, groupName: string): Promise<void> {
  const body = utf8(JSON.stringify({ groupName, consumeEnable: true, retryMaxTimes: 5 }));
  await client.ask({ code: requestCodes.updateAndCreateSubscriptiongroup, body });
}

/** Everything a message can have, and what is not to come along. */
const kinds: readonly Produced[] = [
  { body: "plain", queueId: 0, bornMs, properties: { UNIQ_KEY: "A1", TAGS: "paid", KEYS: "a b" } },
  { body: "e", queueId: 0, bornMs: bornMs + 1, flag: 3, properties: { UNIQ_KEY: "A2" } },
  {
    body: new Uint8Array(deflateSync(Buffer.alloc(20_000, "z"))),
    queueId: 1,
    bornMs: bornMs + 2,
    sysFlag: 1,
    properties: { UNIQ_KEY: "A3", __SHARDINGKEY: "s-1", "größe": "ü" },
  },
  { body: "twice", queueId: 1, bornMs: bornMs + 3, properties: { UNIQ_KEY: "A4" } },
  { body: "twice", queueId: 1, bornMs: bornMs + 3, properties: { UNIQ_KEY: "A4" } },
  { body: "soon", queueId: 1, bornMs: bornMs + 4, properties: { UNIQ_KEY: "A5", DELAY: "1" } },
];

/** Pending in places of RocketMQ's own: to be told, and to stay. */
const pending: readonly Produced[] = [
  { body: "later", queueId: 0, bornMs, properties: { UNIQ_KEY: "B1", DELAY: "18" } },
  {
    body: "half",
    queueId: 0,
    bornMs,
    sysFlag: 4,
    properties: { UNIQ_KEY: "B2", TRAN_MSG: "true", PGROUP: "producers" },
  },
];

function many(): Produced[] {
  return Array.from({ length: manyMessages }, (_, at) => ({
    body: `${at} `.repeat(200),
    queueId: at % 3,
    bornMs: bornMs + at,
    properties: { UNIQ_KEY: `M${at}`, TAGS: at % 2 === 0 ? "even" : "odd" },
  }));
}

async function fill({ source }: World): Promise<void> {
  for (const [topic, queues] of [["kinds", 2], ["many", 3], ["never_used", 1]] as const) {
    await makeTopic(source, topic, queues);
  }
  for (const group of ["readers", "idle"]) await makeGroup(source, group);
  await produce(source, "many", many());
  // Files are full now, and all but the newest go: the queue begins behind 0.
  await source.ask({ code: requestCodes.deleteExpiredCommitlog });
  await until("old files are deleted", startMs, async () => {
    return (await rangeOf(source, "many", 0)).minOffset > 0;
  });
  await produce(source, "kinds", kinds);
  await produce(source, "kinds", pending);
  await until("the delayed message is there", startMs, async () => {
    return (await rangeOf(source, "kinds", 1)).maxOffset === 4;
  });
}

/** What has to be the same on both sides. */
function shown({ queueId, flag, sysFlag, bornMs, body, properties }: Message) {
  const text = Buffer.from(body).toString("base64");
  return { queueId, flag, sysFlag, bornMs, text, properties: carriedProperties(properties) };
}

async function assertSame(
  world: World,
  say: Say,
  topic: string,
  queues: number,
): Promise<void> {
  for (let queueId = 0; queueId < queues; queueId++) {
    const { minOffset } = await rangeOf(world.source, topic, queueId);
    const wanted = (await readAll(world.source, topic, queueId, minOffset)).map(shown);
    const found = (await readAll(world.target, topic, queueId)).map(shown);
    assert.deepEqual(found, wanted, `queue ${queueId} of ${topic}`);
    say(`- ${found.length} messages of queue ${queueId} of ${topic} are the same`);
  }
}

async function prove(world: World, say: Say): Promise<void> {
  const { source, target } = world;
  await fill(world);
  const { minOffset, maxOffset } = await rangeOf(source, "many", 0);
  const place = Math.floor((minOffset + maxOffset) / 2);
  await commitPlace(source, "readers", "many", 0, place);
  await commitPlace(source, "readers", "kinds", 0, 1);

  const preview = await runImport(world, ["--preview"]);
  assert.equal(preview.status, 0, preview.output);
  assert.match(preview.output, /messages +SCHEDULE_TOPIC_XXXX +1 wait for their delay level/);
  if (world.tellsUndecided) {
    assert.match(preview.output, /messages +RMQ_SYS_TRANS_HALF_TOPIC +1 at most/);
  }
  say(preview.output.trimEnd());

  const first = await runImport(world, ["--verify", "contents"]);
  assert.equal(first.status, 0, first.output);
  say(first.output.trimEnd());
  await assertSame(world, say, "kinds", 2);
  await assertSame(world, say, "many", 3);
  await assertPlace(world, "many", place);
  const { json } = await askWell(world.curlew.http, "GET /v1/groups/readers");
  assert.equal(json.settings.attemptsMax, 6);
  const [wanted] = await readAll(source, "many", 0, place);
  const [next] = await readAll(target, "many", 0, place - minOffset);
  assert.ok(wanted !== undefined && next !== undefined);
  assert.deepEqual(shown(next), shown(wanted));
  say("- the group's next message is the one it was at the source");

  await produce(source, "many", many().slice(0, 300));
  await commitPlace(source, "readers", "many", 0, maxOffset + 50);
  const second = await runImport(world, ["--json", "--topics", "many"]);
  assert.equal(second.status, 0, second.output);
  const line = second.output.split("\n").find((each) => each.startsWith("{")) ?? "{}";
  assert.equal((JSON.parse(line) as ImportReport).copiedNow, 300);
  await assertSame(world, say, "many", 3);
  await assertPlace(world, "many", maxOffset + 50);
  say("- run again, it copied what had come since, and nothing else");
}

/** The group's place stands as far behind the queue's beginning as at the source. */
async function assertPlace(world: World, topic: string, offset: number): Promise<void> {
  const { minOffset } = await rangeOf(world.source, topic, 0);
  const { json } = await askWell(
    world.curlew.http,
    `GET /v1/groups/readers/offsets?topic=${topic}`,
  );
  assert.equal(json.places[0].committedOffset, offset - minOffset);
}

async function open(folder: string, { version, tls }: ImportSource): Promise<World> {
  const certified = tls ? await makeCertificate(folder) : undefined;
  const rocket = await startServer({
    version,
    folder: join(folder, "rocketmq"),
    settings: brokerSettings,
    jvm: brokerJvm,
    ...(certified && { tls: certified }),
  });
  try {
    const curlew = await startBroker({ data: join(folder, "curlew") });
    const source = clientOf(rocket.brokerPort, certified && { kind: "any" });
    return {
      ...{ folder, rocket, curlew, source, target: clientOf(curlew.remotingPort) },
      tellsUndecided: !version.startsWith("4."),
      words: certified === undefined ? [] : ["--tls", certified.certificatePath],
    };
  } catch (thrown) {
    await rocket.stop();
    throw thrown;
  }
}

/** A certificate that signed itself, for brokers and to be trusted. */
async function makeCertificate(folder: string): Promise<ServerTls> {
  const nowMs = runtime.clock.wallMs();
  const { certificatePem, keyPem } = runtime.tls.selfSign({
    names: ["localhost"],
    addresses: [],
    fromMs: nowMs - dayMs,
    untilMs: nowMs + dayMs,
  });
  const certificatePath = join(folder, "certificate.pem");
  const keyPath = join(folder, "key.pem");
  await writeFile(certificatePath, certificatePem);
  await writeFile(keyPath, keyPem);
  return { certificatePath, keyPath };
}

/** Copies from such a source. @throws {Error} Something is not as it should be. */
export async function proveImport(source: ImportSource, say: Say): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "curlew-interop-import-"));
  try {
    await fetchServer(source.version);
    const world = await open(folder, source);
    try {
      await prove(world, say);
    } catch (thrown) {
      const fault = await world.rocket.fault();
      throw fault === undefined ? thrown : new Error(fault, { cause: thrown });
    } finally {
      world.source.close();
      world.target.close();
      await world.curlew.stop();
      await world.rocket.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
