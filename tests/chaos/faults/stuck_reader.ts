/**
 * A reader that stays: another process holds a read transaction on a shard's file, so that no
 * checkpoint can empty the WAL. Sends go on or are refused in clear words, the WAL stays within its
 * bound, and all is as before when the reader is gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { limits } from "../../../src/base/limits.ts";
import { ask, askWell } from "../../support/broker_api.ts";
import { runWords, signalTo, spawnHere } from "../../support/broker_process.ts";
import { until } from "../../support/until.ts";
import type { ProofOptions } from "../report.ts";
import { judge, type Scene, sceneTopic, untilSending, withScene } from "../scene.ts";

const topic = `${sceneTopic}-large`;
const body = "x".repeat(3_500_000);
const sendersCount = 3;
/** Within this of the bound the refusal must have come: what was under way is still written. */
const slackBytes = 128 * 1024 * 1024;
/** A reduced run sends as much as shows that nothing is held up. */
const reducedBytes = 96 * 1024 * 1024;
const growTimeoutMs = 240_000;
const shrinkTimeoutMs = 30_000;

/** Holds the WAL back and looks at what the broker does. */
export function stuckReader({ seed, isReduced }: ProofOptions): Promise<string> {
  return withScene({ seed }, async (scene) => {
    const { http } = scene.broker;
    await askWell(http, `PUT /v1/topics/${topic}`, { queues: 1 });
    scene.load.start(1, 1);
    await untilSending(scene);
    const path = join(scene.start.data, "shard-0.db");
    const reader = await startReader(path);
    try {
      const grown = await grow(scene, `${path}-wal`, isReduced ? reducedBytes : Infinity);
      signalTo(reader.child, "SIGKILL");
      await reader.ended;
      await until("the WAL to be emptied", shrinkTimeoutMs, async () => {
        await ask(http, `POST /v1/topics/${topic}/messages`, { body: "small" });
        return (await walBytes(`${path}-wal`)) <= 64 * 1024 * 1024 + slackBytes / 4;
      });
      await untilSending(scene);
      const leftMib = Math.round((await walBytes(`${path}-wal`)) / 2 ** 20);
      return `${grown}; ${leftMib} MiB after the reader had gone; ${await judge(scene)}`;
    } finally {
      signalTo(reader.child, "SIGKILL");
    }
  });
}

async function startReader(path: string) {
  const script = fileURLToPath(new URL("./hold_reader.ts", import.meta.url));
  const reader = spawnHere([...runWords(script), path], "pipe");
  const { stdout } = reader.child;
  assert.ok(stdout, "the reader has an output");
  const reading = new Promise<"reading">((resolve) => {
    createInterface({ input: stdout }).once("line", () => resolve("reading"));
  });
  const came = await Promise.race([reading, reader.ended]);
  assert.equal(came, "reading", reader.log());
  return reader;
}

/** Sends until it is refused, or `enoughBytes` were taken. Answers what was seen. */
async function grow(scene: Scene, walPath: string, enoughBytes: number): Promise<string> {
  const { http } = scene.broker;
  const endMs = performance.now() + growTimeoutMs;
  let sentBytes = 0;
  let refusal: { code: string; detail: string } | null = null;
  await Promise.all(Array.from({ length: sendersCount }, async () => {
    while (refusal === null && sentBytes < enoughBytes && performance.now() < endMs) {
      const { status, json } = await ask(
        http,
        `POST /v1/topics/${topic}/messages`,
        { body },
        30_000,
      );
      if (status < 300) sentBytes += body.length;
      else refusal = json;
    }
  }));
  const bytes = await walBytes(walPath);
  const mib = Math.round(bytes / 2 ** 20);
  assert.ok(bytes < limits.walBytesMax + slackBytes, `the WAL grew to ${mib} MiB`);
  if (enoughBytes < Infinity) {
    assert.equal(refusal, null, "a WAL within its bound refused a send");
    return `${Math.round(sentBytes / 2 ** 20)} MiB taken behind a reader, WAL ${mib} MiB`;
  }
  const { code, detail } = refusal ?? assert.fail(`no refusal at ${mib} MiB of WAL`);
  assert.match(detail, /reader/, `refused with ${code}: ${detail}`);
  return `refused at ${mib} MiB of WAL with ${code}: "${detail}"`;
}

async function walBytes(path: string): Promise<number> {
  return (await stat(path)).size;
}
