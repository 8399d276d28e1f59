/**
 * A broker with one loaded topic in a folder of its own: where every fault begins, and is judged.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askWell } from "../support/broker_api.ts";
import { type BrokerProcess, type BrokerStart, startBroker } from "../support/broker_process.ts";
import { until } from "../support/until.ts";
import { check, faultsOf } from "./checker.ts";
import { Load, loadQueues } from "./load.ts";

/** The scene's topic; its group is the load's. */
export const sceneTopic = "faulted";
const resumeTimeoutMs = 30_000;
const faultsShown = 5;

/** What a fault works with. `broker` is replaced by who starts it again. */
export type Scene = {
  readonly folder: string;
  readonly start: BrokerStart;
  broker: BrokerProcess;
  readonly load: Load;
};

/** Sets the scene, runs `act`, and clears away whatever came of it. */
export async function withScene(
  options: { readonly seed: number; readonly start?: Partial<BrokerStart> },
  act: (scene: Scene) => Promise<string>,
): Promise<string> {
  return await withFolder(async (folder) => {
    const start = { data: join(folder, "data"), settings: ["--shards", "1"], ...options.start };
    const broker = await startBroker(start);
    const load = new Load(broker, sceneTopic, folder, options.seed);
    const scene: Scene = { folder, start, broker, load };
    try {
      await askWell(broker.http, `PUT /v1/topics/${sceneTopic}`, { queues: loadQueues });
      await askWell(broker.http, "PUT /v1/groups/chaos", {});
      return await act(scene);
    } finally {
      scene.broker.kill("SIGCONT");
      scene.broker.kill("SIGKILL");
      await scene.broker.ended;
      await load.stop();
    }
  });
}

/** An empty folder that is gone afterwards. */
export async function withFolder<T>(act: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "curlew-fault-"));
  try {
    return await act(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the scene's broker again, where it was. */
export async function startAgain(scene: Scene): Promise<void> {
  const { httpPort, remotingPort } = scene.broker;
  scene.broker = await startBroker({ ...scene.start, wrap: [], httpPort, remotingPort });
}

/** Waits until the load is acknowledged something it sent after now. */
export async function untilSending({ load }: Scene): Promise<void> {
  const before = load.acked;
  await until("sends to be acknowledged", resumeTimeoutMs, () => load.acked > before);
}

/** Ends the load and checks what it left. Answers the figures. */
export async function judge({ load, broker }: Scene): Promise<string> {
  await load.stop();
  const evidence = await load.evidence(broker.http);
  const findings = check(evidence);
  assert.deepEqual(faultsOf(findings).slice(0, faultsShown), []);
  assert.deepEqual(load.undead.slice(0, faultsShown), [], "acknowledged messages came again");
  const { ledger, delivered } = evidence;
  assert.ok(ledger.acks.length > 0, "something was acknowledged");
  return `acked ${ledger.acks.length}, lost 0, duplicates ${findings.duplicates}, ` +
    `delivered ${delivered.length}`;
}
