/**
 * The kill loop: SIGKILL at random moments, also during the start, under load over both protocols,
 * with timers, transactions and ordered groups in the mix. Afterwards every acknowledged message is
 * at its place, no offset ever named two messages, and what the features promise held.
 *
 * A control comes last: the same evidence with one acknowledgement that nobody gave, or a promise
 * nobody kept, must be refused, or the checkers are blind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { askWell } from "../support/broker_api.ts";
import {
  type BrokerProcess,
  type BrokerStart,
  NotReadyError,
  signalTo,
  startBroker,
} from "../support/broker_process.ts";
import { pause, until } from "../support/until.ts";
import { check, type Evidence, faultsOf } from "./checker.ts";
import { judgeMixed } from "./features/judge.ts";
import { MixedLoad, mixedSettings } from "./features/mixed_load.ts";
import { Load, loadQueues } from "./load.ts";
import { percentile } from "./report.ts";

/** How many kills, and where the moments come from. */
export type KillLoopOptions = { readonly seed: number; readonly cycles: number };

/** A SIGKILL takes nothing that was written, so both must keep all. */
const durabilities = ["power-loss", "process-crash"] as const;
const startKillsShare = 0.4;
/** About the whole start: module loading, recovery, listeners. */
const startKillMsMax = 1500;
const settleTimeoutMs = 20_000;
/** For what was handed out to a consumer that forgot it, and for what the last kill held up. */
const drainMsMax = 30_000;
const faultsShown = 5;

/** Runs it. Answers its figures. */
export async function killLoop({ seed, cycles }: KillLoopOptions): Promise<string> {
  const prng = new Prng(seed);
  const folder = await mkdtemp(join(tmpdir(), "curlew-kill-loop-"));
  const start = { data: join(folder, "data"), settings: ["--shards", "2", ...mixedSettings] };
  let broker = await startBroker(start);
  const recoveryMs: number[] = [];
  let startKills = 0;
  let mixed: MixedLoad | null = null;
  try {
    const loads = await startLoads(broker, folder, prng);
    mixed = await MixedLoad.start(broker.http, folder, prng.int(2 ** 31));
    for (let cycle = 0; cycle < cycles; cycle++) {
      await pause(prng.between(200, 2000));
      broker.kill("SIGKILL");
      await broker.ended;
      const { httpPort, remotingPort } = broker;
      const again = { ...start, httpPort, remotingPort };
      if (prng.chance(startKillsShare)) startKills += await killInStart(again, prng);
      broker = await startBroker(again);
      recoveryMs.push(broker.readyMs);
    }
    for (const load of loads) {
      const before = load.acked;
      await until("sends after the last start", settleTimeoutMs, () => load.acked > before);
      await load.stop();
    }
    const says = judgeMixed(await mixed.finish(drainMsMax));
    for (const [at, load] of loads.entries()) {
      says.push(`${durabilities[at]}: ${judge(await load.evidence(broker.http), load)}`);
    }
    const [p50, p99] = [0.5, 0.99].map((share) => Math.round(percentile(recoveryMs, share)));
    return `${cycles} kills and ${startKills} during the start; ready again in ${p50} ms p50, ` +
      `${p99} ms p99; ${says.join("; ")}; the planted faults were caught`;
  } finally {
    mixed?.end();
    broker.kill("SIGKILL");
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function startLoads(broker: BrokerProcess, folder: string, prng: Prng): Promise<Load[]> {
  await askWell(broker.http, "PUT /v1/groups/chaos", {});
  return await Promise.all(durabilities.map(async (durability, at) => {
    const topic = `ledger-${at}`;
    await askWell(broker.http, `PUT /v1/topics/${topic}`, { queues: loadQueues, durability });
    const load = new Load(broker, topic, folder, prng.int(2 ** 31));
    load.start(1, 1);
    return load;
  }));
}

/** Kills a broker before it is ready. A machine may be too fast for it: then it is killed ready. */
async function killInStart(start: BrokerStart, prng: Prng): Promise<number> {
  const delayMs = prng.between(20, startKillMsMax);
  try {
    const broker = await startBroker({
      ...start,
      onSpawn: (child) => void setTimeout(() => signalTo(child, "SIGKILL"), delayMs),
    });
    await broker.ended;
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof NotReadyError)) throw thrown;
    assert.equal(thrown.ended?.signal, "SIGKILL", thrown.message);
    return 1;
  }
}

function judge(evidence: Evidence, load: Load): string {
  const findings = check(evidence);
  assert.deepEqual(faultsOf(findings).slice(0, faultsShown), []);
  assert.deepEqual(load.undead.slice(0, faultsShown), [], "acknowledged messages came again");
  const { ledger, stored, delivered } = evidence;
  assert.ok(ledger.acks.length > 0, "something was acknowledged");
  assertCatches(evidence);
  const unique = new Set(delivered.map(({ body }) => body)).size;
  return `acked ${ledger.acks.length}, stored ${stored.length}, lost 0, ` +
    `duplicates ${findings.duplicates}, delivered ${delivered.length} ` +
    `(${delivered.length - unique} again), undead 0`;
}

/** The planted fault. */
function assertCatches(evidence: Evidence): void {
  const { ledger } = evidence;
  const invented = { body: "nobody sent this", queueId: 0, offset: 2 ** 40 };
  const planted = { ...evidence, ledger: { ...ledger, acks: [...ledger.acks, invented] } };
  assert.equal(check(planted).lost.length, 1, "the checker does not see a planted loss");
}
