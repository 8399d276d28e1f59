/**
 * Failing fsyncs and writes, injected by `strace` into every thread of the broker. The shard stops
 * to acknowledge, says so, opens its store again, and serves when the disk is well.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ask, askWell } from "../../support/broker_api.ts";
import { pause, until } from "../../support/until.ts";
import { isInstalled } from "../../interop/children.ts";
import { type ProofOptions, SkippedError } from "../report.ts";
import { judge, type Scene, sceneTopic, startAgain, untilSending, withScene } from "../scene.ts";

const stopTimeoutMs = 60_000;

/** The disk fails to sync for a while. */
export function fsyncErrors({ seed }: ProofOptions): Promise<string> {
  // Counted by thread: more than the start and the coordinator need, so it hits a shard under load.
  return failing(seed, "fsync,fdatasync", "error=EIO:when=40..44");
}

/** The disk fails to write for a while. */
export function writeErrors({ seed }: ProofOptions): Promise<string> {
  return failing(seed, "pwrite64", "error=EIO:when=400..420");
}

async function failing(seed: number, calls: string, fault: string): Promise<string> {
  if (!(await isInstalled("strace", "--version"))) throw new SkippedError("strace is absent");
  const wrap = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "--seccomp-bpf"];
  wrap.push("-e", `trace=${calls}`, "-e", `inject=${calls}:${fault}`);
  return await withScene({ seed, start: { wrap } }, (scene) => ride(scene));
}

async function ride(scene: Scene): Promise<string> {
  const { broker, load } = scene;
  load.start(1, 1);
  const reason = await until("the shard to stop", stopTimeoutMs, async () => {
    const { status, json } = await ask(broker.http, "GET /readyz");
    if (status === 200) return undefined;
    const [shard] = json.shards;
    return shard?.state === "stopped" && json.problems.length > 0 ? shard.reason : undefined;
  });
  const stoppedMs = performance.now();
  const whileStopped = load.acked;
  await assertRefused(broker.http);
  assert.equal(load.acked, whileStopped, "a stopped shard acknowledged something");
  await until("the shard to serve again", stopTimeoutMs, async () => {
    return (await ask(broker.http, "GET /readyz")).status === 200;
  });
  const recoverySeconds = ((performance.now() - stoppedMs) / 1000).toFixed(1);
  await untilSending(scene);
  await load.stop();
  broker.kill("SIGKILL");
  await broker.ended;
  await startAgain(scene);
  const ready = await askWell(scene.broker.http, "GET /readyz");
  assert.deepEqual(ready.json.problems, []);
  const figures = await judge(scene);
  return `stopped by "${reason}", served again after ${recoverySeconds} s; ${figures}`;
}

/** One send while the shard is stopped; it may be opened again meanwhile, then nothing is shown. */
async function assertRefused(http: string): Promise<void> {
  await pause(1);
  const { status, json } = await ask(http, `POST /v1/topics/${sceneTopic}/messages`, {
    body: "never sent before",
    queueId: 0,
  });
  assert.equal(status, 503, `a send to a stopped shard was answered ${JSON.stringify(json)}`);
  assert.equal(json.code, "storage_failed");
}
