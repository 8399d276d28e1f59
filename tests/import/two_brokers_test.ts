import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deflateSync } from "node:zlib";
import type { Message } from "../../src/cli/import/message.ts";
import type { ImportReport } from "../../src/cli/import/report.ts";
import { askWell } from "../support/broker_api.ts";
import {
  type BrokerProcess,
  runWords,
  signalTo,
  spawnHere,
  startBroker,
} from "../support/broker_process.ts";
import { until } from "../support/until.ts";
import { clientOf, commitPlace, produce, type Produced, readAll } from "./source_side.ts";

const bornMs = 1_700_000_000_000;
const deadlineMs = 60_000;

let folder: string;
let source: BrokerProcess;
let target: BrokerProcess;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "curlew-import-"));
  [source, target] = await Promise.all([
    startBroker({ data: join(folder, "source"), settings: ["--shards", "2"] }),
    startBroker({ data: join(folder, "target"), settings: ["--shards", "1"] }),
  ]);
});

after(async () => {
  await Promise.all([source?.stop(), target?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

type Run = { readonly code: number | null; readonly out: string; readonly err: string };

/** Starts the command; `ended` is what came of it. */
function start(work: string, ...words: readonly string[]) {
  const address = `rocketmq://127.0.0.1:${source.remotingPort}`;
  const where = ["--url", target.http, "--work", join(folder, work)];
  const command = [...runWords("src/cli/main.ts"), "import", address, ...where, ...words];
  const { child, ended, log } = spawnHere(command, "ignore");
  let out = "";
  child.stdout?.on("data", (chunk: Uint8Array | string) => out += chunk.toString());
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const run = async (): Promise<Run> => {
    const { code } = await ended;
    await closed;
    return { code, out, err: log() };
  };
  return { child, ended: run() };
}

async function importAll(work: string, ...words: readonly string[]): Promise<Run> {
  return await start(work, ...words).ended;
}

async function makeTopic(broker: BrokerProcess, name: string, queues: number): Promise<void> {
  await askWell(broker.http, `PUT /v1/topics/${name}`, { queues });
}

/** What has to be the same on both sides. */
function shown({ queueId, flag, sysFlag, bornMs, reconsumeTimes, body, properties }: Message) {
  const text = Buffer.from(body).toString("base64");
  return { queueId, flag, sysFlag, bornMs, reconsumeTimes, text, properties };
}

async function assertSame(topic: string, queues: number): Promise<void> {
  const [from, to] = [clientOf(source.remotingPort), clientOf(target.remotingPort)];
  try {
    for (let queueId = 0; queueId < queues; queueId++) {
      const wanted = (await readAll(from, topic, queueId)).map(shown);
      const found = (await readAll(to, topic, queueId)).map(shown);
      assert.deepEqual(found, wanted, `queue ${queueId} of ${topic}`);
    }
  } finally {
    from.close();
    to.close();
  }
}

function many(count: number, queues: number): Produced[] {
  return Array.from({ length: count }, (_, at) => ({
    body: `message ${at}`,
    queueId: at % queues,
    bornMs: bornMs + at,
    properties: { UNIQ_KEY: `KEY${at}`, TAGS: at % 2 === 0 ? "even" : "odd" },
  }));
}

/** How many messages a broker's topic has had. */
async function heldBy(broker: BrokerProcess, topic: string): Promise<number> {
  const { json } = await askWell(broker.http, `GET /v1/topics/${topic}`);
  return json.queues.reduce((sum: number, queue: { maxOffset: number }) => {
    return sum + queue.maxOffset;
  }, 0);
}

function bodiesOf(letters: readonly { readonly message: { readonly body: string } }[]): string[] {
  return letters.map(({ message }) => message.body);
}

async function fill(topic: string, queues: number, messages: readonly Produced[]): Promise<void> {
  await makeTopic(source, topic, queues);
  const client = clientOf(source.remotingPort);
  try {
    await produce(client, topic, messages);
  } finally {
    client.close();
  }
}

test("import keeps all a producer said, queues and order; a preview writes nothing", async () => {
  const compressed = deflateSync(Buffer.alloc(10_000, "x"));
  await fill("kept", 3, [
    { body: "plain", queueId: 0, bornMs, properties: { UNIQ_KEY: "A", TAGS: "t", KEYS: "k1 k2" } },
    { body: new Uint8Array(compressed), queueId: 0, bornMs: bornMs + 1, sysFlag: 1, flag: 7 },
    { body: "", queueId: 1, bornMs: bornMs + 2, properties: { __SHARDINGKEY: "s", "größe": "ü" } },
    { body: "twice", queueId: 2, bornMs: bornMs + 3, properties: { UNIQ_KEY: "B" } },
    { body: "twice", queueId: 2, bornMs: bornMs + 3, properties: { UNIQ_KEY: "B" } },
  ]);

  const preview = await importAll("kept", "--topics", "kept", "--preview");
  const before = await askWell(target.http, "GET /v1/topics");
  const run = await importAll("kept", "--topics", "kept", "--verify", "contents", "--json");

  assert.equal(preview.code, 0, preview.err);
  assert.match(preview.out, /^kept +3 +5 +about /m);
  assert.match(preview.out, /Nothing was written: 5 messages would be copied/);
  assert.deepEqual(before.json.topics, []);
  assert.equal(run.code, 0, run.err + run.out);
  const report: ImportReport = JSON.parse(run.out);
  assert.equal(report.outcome, "done");
  assert.deepEqual(report.queues.map(({ copied, verified }) => [copied, verified]), [
    [2, "contents"],
    [1, "contents"],
    [2, "contents"],
  ]);
  await assertSame("kept", 3);
});

test("import killed in the middle goes on, and copies no message twice", async () => {
  await fill("killed", 4, many(8000, 4));
  const words = ["--topics", "killed", "--rate", "2000", "--jobs", "2"];
  const first = start("killed", ...words);
  await until("something is copied", deadlineMs, async () => {
    return await heldBy(target, "killed") > 1000;
  });
  signalTo(first.child, "SIGKILL");
  await first.ended;
  const atDeath = await heldBy(target, "killed");

  const second = start("killed", ...words);
  await until("more is copied", deadlineMs, async () => {
    return await heldBy(target, "killed") > atDeath;
  });
  signalTo(second.child, "SIGINT");
  const interrupted = await second.ended;
  const last = await importAll("killed", "--topics", "killed", "--verify", "contents", "--json");

  assert.ok(atDeath < 8000, "the first run was killed before its end");
  assert.equal(interrupted.code, 130, interrupted.err);
  assert.match(interrupted.out, /Interrupted\. The same command goes on/);
  assert.equal(last.code, 0, last.err + last.out);
  await assertSame("killed", 4);
});

test("import puts places where the copies stand, and moves them on when run again", async () => {
  await fill("moved", 1, many(300, 1));
  await askWell(source.http, "PUT /v1/groups/readers", {});
  await askWell(target.http, "PUT /v1/topics/moved", { queues: 1 });
  const [from, to] = [clientOf(source.remotingPort), clientOf(target.remotingPort)];
  try {
    // What was at the target before shifts every offset.
    await produce(to, "moved", many(7, 1));
    await commitPlace(from, "readers", "moved", 0, 120);
    const refused = await importAll("moved", "--topics", "moved");
    const words = ["--topics", "moved", "--append", "--json"];
    const first = await importAll("moved", ...words);
    await produce(from, "moved", many(50, 1));
    await commitPlace(from, "readers", "moved", 0, 340);
    const second = await importAll("moved", ...words);

    assert.equal(refused.code, 1);
    assert.match(refused.out, /had 7 messages: --append copies behind them/);
    assert.equal(first.code, 0, first.err + first.out);
    const [place] = (JSON.parse(first.out) as ImportReport).places;
    assert.equal(place?.outcome, "set");
    assert.equal(place?.targetOffset, 127);
    const report: ImportReport = JSON.parse(second.out);
    assert.equal(report.copiedNow, 50);
    const { json } = await askWell(target.http, "GET /v1/groups/readers/offsets?topic=moved");
    assert.equal(json.places[0].committedOffset, 347);
    const [wanted, found] = [await readAll(from, "moved", 0), await readAll(to, "moved", 0)];
    assert.deepEqual(found.slice(7).map(shown), wanted.map(shown));
  } finally {
    from.close();
    to.close();
  }
});

test("import brings dead letters, settings and permissions along", async () => {
  await fill("closed", 1, [{ body: "poison", queueId: 0, bornMs }]);
  await askWell(source.http, "PUT /v1/groups/fragile", { attemptsMax: 1, retryDelaysMs: [1000] });
  const receive = "POST /v1/topics/closed/groups/fragile/receive";
  const { json } = await askWell(source.http, receive, { waitMs: 10_000, invisibleMs: 10_000 });
  const receipts = json.messages.map(({ receipt }: { receipt: string }) => receipt);
  const nack = "POST /v1/topics/closed/groups/fragile/nack";
  await askWell(source.http, nack, { receipts, delayMs: 0 });
  await until("the message is a dead letter", deadlineMs, async () => {
    await askWell(source.http, receive, {});
    return await heldBy(source, "%25DLQ%25fragile") === 1;
  });
  await askWell(source.http, "PATCH /v1/topics/closed", { perm: "read-only" });

  const words = ["--topics", "closed", "--groups", "fragile", "--dead-letters"];
  const run = await importAll("closed", ...words);
  const again = await importAll("closed", ...words, "--json");

  assert.equal(run.code, 0, run.err + run.out);
  const topic = await askWell(target.http, "GET /v1/topics/closed");
  assert.equal(topic.json.settings.perm, "read-only");
  const group = await askWell(target.http, "GET /v1/groups/fragile");
  assert.equal(group.json.settings.attemptsMax, 1);
  assert.deepEqual(group.json.settings.retryDelaysMs, [1000]);
  const dead = await askWell(target.http, "GET /v1/groups/fragile/dead-letters");
  assert.deepEqual(bodiesOf(dead.json.deadLetters), ["poison"]);
  assert.equal((JSON.parse(again.out) as ImportReport).copiedNow, 0);
});

test("import goes on after its target was killed, without a gap or a repetition", async () => {
  await fill("restarted", 2, many(8000, 2));
  const run = start("restarted", "--topics", "restarted", "--rate", "3000", "--json");
  await until("something is copied", deadlineMs, async () => {
    return await heldBy(target, "restarted") > 1000;
  });
  target.kill("SIGKILL");
  await target.ended;
  const { httpPort, remotingPort } = target;
  target = await startBroker({
    data: join(folder, "target"),
    httpPort,
    remotingPort,
    settings: ["--shards", "1"],
  });

  const { code, out, err } = await run.ended;

  assert.equal(code, 0, err + out);
  await assertSame("restarted", 2);
});

test("import says what is wrong: no name server, no RocketMQ, a slip in a name", async () => {
  const slip = await importAll("wrong", "--topics", "nothing-of-this-name", "--preview");
  const http = [
    ...runWords("src/cli/main.ts"),
    "import",
    `rocketmq://127.0.0.1:${source.httpPort}`,
  ];
  const wrong = spawnHere([...http, "--url", target.http], "ignore");

  assert.equal(slip.code, 1);
  assert.match(slip.out, /nothing-of-this-name +the source has none of this name/);
  assert.equal((await wrong.ended).code, 1);
  assert.match(wrong.log(), /does not speak RocketMQ's protocol/);
  assert.equal(existsSync(join(folder, "wrong")), false);
});
