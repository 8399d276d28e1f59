/**
 * Damaged files: copies of a stopped broker's directory, each with one seeded injury. Started on
 * such a copy, a broker refuses, or says what is wrong, or has everything that was acknowledged.
 * What may not be is a broker that is well and has less.
 *
 * @module
 */
import assert from "node:assert/strict";
import { cp, open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { Prng } from "../../../src/base/prng.ts";
import { ask, readQueue } from "../../support/broker_api.ts";
import { type BrokerProcess, NotReadyError, startBroker } from "../../support/broker_process.ts";
import type { ProofOptions } from "../report.ts";
import type { Ack, LedgerEntries } from "../ledger.ts";
import { loadQueues } from "../load.ts";
import { type Scene, sceneTopic, untilSending, withScene } from "../scene.ts";

const files = ["shard-0.db", "shard-0.db-wal", "shard-0.mark", "meta.db", "meta.db-wal"] as const;
const damagesFull = 40;
const damagesReduced = 8;
const sendsMin = 1_500;
/** Brokers that start side by side. */
const lanes = 2;

/** What a broker made of its damaged files. */
type Outcome = "refused" | "reported" | "harmless" | "unnoticed";
type Injury = { readonly file: string; readonly says: string };

/** Damages copies and starts a broker on each. */
export function damagedFiles({ seed, isReduced }: ProofOptions): Promise<string> {
  return withScene({ seed }, async (scene) => {
    const entries = await leaveFiles(scene);
    const prng = new Prng(seed);
    const count = isReduced ? damagesReduced : damagesFull;
    const seeds = Array.from({ length: count }, () => prng.int(2 ** 31));
    const tally: Record<Outcome, number> = { refused: 0, reported: 0, harmless: 0, unnoticed: 0 };
    const unnoticed: string[] = [];
    await Promise.all(Array.from({ length: lanes }, async () => {
      for (let one = seeds.pop(); one !== undefined; one = seeds.pop()) {
        const { outcome, says } = await injureAndStart(scene, one, entries);
        tally[outcome]++;
        if (outcome === "unnoticed") unnoticed.push(says);
      }
    }));
    assert.deepEqual(unnoticed, [], "acknowledged messages are gone, and nobody says so");
    return `${count} damages: ${tally.refused} refused the start, ${tally.reported} reported, ` +
      `${tally.harmless} without loss, 0 unnoticed (of ${entries.acks.length} messages)`;
  });
}

/** Loads the scene, and leaves its files as a killed broker does. */
async function leaveFiles(scene: Scene): Promise<LedgerEntries> {
  const { load, broker } = scene;
  load.start(2, 1);
  while (load.acked < sendsMin) await untilSending(scene);
  await load.stop();
  const { ledger } = await load.evidence(broker.http);
  broker.kill("SIGKILL");
  await broker.ended;
  return ledger;
}

async function injureAndStart(
  scene: Scene,
  seed: number,
  { acks }: LedgerEntries,
): Promise<{ outcome: Outcome; says: string }> {
  const prng = new Prng(seed);
  const data = join(scene.folder, `damaged-${seed}`);
  await cp(scene.start.data, data, { recursive: true });
  const injury = await injure(data, prng);
  let broker: BrokerProcess;
  try {
    broker = await startBroker({ ...scene.start, data });
  } catch (thrown) {
    if (!(thrown instanceof NotReadyError) || thrown.ended === null) throw thrown;
    // A broker that gives up must say about what: the operator has nothing else.
    assert.match(thrown.message, /shard|meta/, `${injury.says}: ${thrown.message}`);
    return { outcome: "refused", says: injury.says };
  }
  try {
    const { outcome, says } = await examine(broker, acks);
    return { outcome, says: `${injury.says} (seed ${seed}): ${says}` };
  } finally {
    broker.kill("SIGKILL");
    await broker.ended;
  }
}

/** One file: cut, some bits flipped, or a piece of it overwritten with zeros. */
async function injure(data: string, prng: Prng): Promise<Injury> {
  const file = prng.pick(files);
  const path = join(data, file);
  const { size } = await stat(path);
  if (prng.int(3) === 0 || size === 0) {
    const bytes = prng.int(size + 1);
    await truncate(path, bytes);
    return { file, says: `${file} of ${size} bytes cut to ${bytes}` };
  }
  const at = prng.int(size);
  const piece = prng.int(2) === 0 ? 1 : Math.min(size - at, 4096);
  const handle = await open(path, "r+");
  try {
    const bytes = new Uint8Array(piece);
    await handle.read(bytes, 0, piece, at);
    if (piece === 1) bytes[0] = (bytes[0] ?? 0) ^ (1 << prng.int(8));
    else bytes.fill(0);
    await handle.write(bytes, 0, piece, at);
  } finally {
    await handle.close();
  }
  const what = piece === 1 ? "a bit flipped" : `${piece} bytes zeroed`;
  return { file, says: `${file} of ${size} bytes: ${what} at ${at}` };
}

/** A broker that runs: does it say what is wrong, or has it everything? */
async function examine(
  { http }: BrokerProcess,
  acks: readonly Ack[],
): Promise<{ outcome: Outcome; says: string }> {
  const health = await ask(http, "GET /readyz");
  if (health.status !== 200) {
    assert.ok(health.json.problems.length > 0, "not ready, and no problem named");
    const send = await ask(http, `POST /v1/topics/${sceneTopic}/messages`, { body: "new" });
    assert.ok(send.status >= 400, "a damaged shard took a message");
    return { outcome: "reported", says: health.json.problems.join("; ") };
  }
  const found = new Map<string, string>();
  for (let queueId = 0; queueId < loadQueues; queueId++) {
    try {
      for (const message of await readQueue(http, sceneTopic, queueId)) {
        found.set(`${message.queueId}/${message.offset}`, message.body ?? "");
      }
    } catch (thrown) {
      const says = thrown instanceof Error ? thrown.message : String(thrown);
      // A read that is refused because of a checksum is noticed, just later.
      if (says.includes("storage_damaged")) return { outcome: "reported", says };
      return { outcome: "unnoticed", says };
    }
  }
  const gone = acks.filter(({ body, queueId, offset }) => {
    return found.get(`${queueId}/${offset}`) !== body;
  });
  if (gone.length === 0) return { outcome: "harmless", says: "" };
  return { outcome: "unnoticed", says: `${gone.length} messages are gone` };
}
