/**
 * A full disk: a small file system in memory, and a filler. Sends are refused in clear words,
 * reading and acknowledging go on, also for a group with a message that should go to the dead
 * letters, and sending resumes by itself when the filler is gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { runChild } from "../../interop/children.ts";
import { ask, askWell, type ReadMessage } from "../../support/broker_api.ts";
import { until } from "../../support/until.ts";
import { type ProofOptions, SkippedError } from "../report.ts";
import { judge, type Scene, sceneTopic, untilSending, withFolder, withScene } from "../scene.ts";

const diskBytes = 96 * 1024 * 1024;
const fillerBytes = 60 * 1024 * 1024;
const reserveBytes = 8 * 1024 * 1024;
const fullTimeoutMs = 90_000;
/** The topic and group whose first message has failed as often as it may. */
const [doomedTopic, doomedGroup] = [`${sceneTopic}-doomed`, "doomed"];
const buriedTimeoutMs = 30_000;
const largeBody = "x".repeat(1_000_000);

/** The guard sees it coming: small messages creep up to the reserve. */
export function diskFillsUp({ seed }: ProofOptions): Promise<string> {
  return filled(seed, (scene) => {
    scene.load.start(4, 1);
    return Promise.resolve();
  });
}

/** The disk is full before anyone looked: large messages jump over the reserve. */
export function diskFillsAtOnce({ seed }: ProofOptions): Promise<string> {
  return filled(seed, async (scene) => {
    scene.load.start(1, 1);
    // All at once, and not in the ledger: what comes of them does not matter here.
    const sends = Array.from({ length: 40 }, () => sendLarge(scene.broker.http));
    await Promise.allSettled(sends);
  });
}

async function filled(seed: number, fill: (scene: Scene) => Promise<void>): Promise<string> {
  return await withFolder(async (folder) => {
    const disk = join(folder, "disk");
    await mkdir(disk);
    await mountOrSkip(disk);
    try {
      const filler = join(disk, "filler");
      await writeFile(filler, new Uint8Array(fillerBytes));
      const settings = ["--shards", "1", "--disk-reserve-bytes", String(reserveBytes)];
      const start = { data: join(disk, "data"), settings };
      return await withScene({ seed, start }, (scene) => ride(scene, filler, fill));
    } finally {
      await runChild({ command: "umount", words: ["-l", disk], cwd: "/", timeoutMs: 10_000 });
    }
  });
}

async function mountOrSkip(path: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new SkippedError("mounting a small disk needs root");
  const words = ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", path];
  const { status, output } = await runChild({
    command: "mount",
    words,
    cwd: "/",
    timeoutMs: 10_000,
  });
  if (status !== 0) throw new SkippedError(`mount failed: ${output.trim()}`);
}

async function ride(
  scene: Scene,
  filler: string,
  fill: (scene: Scene) => Promise<void>,
): Promise<string> {
  const { broker: { http } } = scene;
  // Beside the load, so that the ledger's queues hold nothing but the ledger's messages.
  await askWell(http, `PUT /v1/topics/${sceneTopic}-large`, { queues: 1 });
  await doom(http);
  await fill(scene);
  const refusal = await until("a refused send", fullTimeoutMs, async () => {
    const { status, json } = await sendLarge(http);
    return status >= 300 ? { status, ...json } : undefined;
  });
  assert.equal(refusal.code, "disk_full", JSON.stringify(refusal));
  assert.match(refusal.detail, /bytes are free|no room|full/);
  const consumed = await consumeOne(http);
  await consumeBehindDoomed(http);
  const health = await ask(http, "GET /readyz");
  assert.equal(health.json.shards[0].state, "refusing", JSON.stringify(health.json));
  await rm(filler);
  await untilSending(scene);
  // It would fill the disk a second time before the doomed message is tried again.
  await scene.load.stop();
  await until("the doomed message among the dead letters", buriedTimeoutMs, async () => {
    await askWell(http, `POST ${doomedPath}/receive`, { max: 1, waitMs: 0 });
    const { json } = await askWell(http, `GET /v1/groups/${doomedGroup}/dead-letters`);
    return json.total === 1;
  });
  const figures = await judge(scene);
  return `refused with ${refusal.status} "${refusal.detail}"; ${consumed} consumed meanwhile; ` +
    `resumed by itself; ${figures}`;
}

const doomedPath = `/v1/topics/${doomedTopic}/groups/${doomedGroup}`;

/** One message whose only attempt is over, and two behind it. */
async function doom(http: string): Promise<void> {
  await askWell(http, `PUT /v1/topics/${doomedTopic}`, { queues: 1 });
  await askWell(http, `PUT /v1/groups/${doomedGroup}`, { attemptsMax: 1 });
  const send = (body: string) =>
    askWell(http, `POST /v1/topics/${doomedTopic}/messages`, { messages: [{ body }] });
  await send("doomed");
  const { json } = await askWell(http, `POST ${doomedPath}/receive`, { max: 1, waitMs: 2000 });
  const receipts = json.messages.map(({ receipt }: ReadMessage) => receipt);
  await askWell(http, `POST ${doomedPath}/nack`, { receipts, delayMs: 0 });
  await send("behind");
  await send("behind");
}

/** What lies behind it is received and acknowledged: none of it waits for room. */
async function consumeBehindDoomed(http: string): Promise<void> {
  for (let left = 2; left > 0; left--) {
    const { status, json } = await ask(http, `POST ${doomedPath}/receive`, { max: 1, waitMs: 0 });
    assert.equal(status, 200, JSON.stringify(json));
    const messages: readonly ReadMessage[] = json.messages;
    assert.deepEqual(messages.map(({ body }) => body), ["behind"]);
    const receipts = messages.map(({ receipt }) => receipt);
    const settled = await ask(http, `POST ${doomedPath}/ack`, { receipts });
    assert.equal(settled.status, 200, JSON.stringify(settled.json));
  }
}

function sendLarge(http: string) {
  return ask(http, `POST /v1/topics/${sceneTopic}-large/messages`, { body: largeBody }, 30_000);
}

/** Receives and acknowledges while sends are refused, for a group that has read nothing yet. */
async function consumeOne(http: string): Promise<number> {
  const path = `/v1/topics/${sceneTopic}/groups/latecomer`;
  const received = await ask(http, `POST ${path}/receive`, { max: 16, waitMs: 2000 });
  assert.equal(received.status, 200, JSON.stringify(received.json));
  const messages: readonly ReadMessage[] = received.json.messages;
  assert.ok(messages.length > 0, "nothing could be received from a full disk");
  const receipts = messages.map(({ receipt }) => receipt);
  const { status, json } = await ask(http, `POST ${path}/ack`, { receipts });
  assert.equal(status, 200, JSON.stringify(json));
  assert.ok(json.verdicts.every(({ verdict }: { verdict: string }) => verdict === "done"));
  return messages.length;
}
