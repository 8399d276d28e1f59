/**
 * The simulation in the gate: former failures, 200 seeds, the same journal twice, planted faults.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CodeMistake, drawOptions, type SimOptions } from "./options.ts";
import { runSimulation } from "./run.ts";
import { formerFailures } from "./seeds.ts";
import type { StoreMistake } from "./sim_store.ts";

const seedsInGate = 200;
/** Seeds of one test: few enough for a test runner's patience on a slow machine. */
const seedsPerTest = 20;
/** Seeds within which a planted fault is to be found. */
const seedsToCatch = 25;

/** The faults of these seeds, each with how to see it again. */
async function faultsOf(seeds: Iterable<number>): Promise<string[]> {
  const faults: string[] = [];
  for (const seed of seeds) {
    const result = await runSimulation(drawOptions(seed));
    const again = `deno task sim --seed ${seed}`;
    faults.push(...result.faults.map((fault) => `${again}: ${fault}`));
  }
  return faults;
}

/** The first seed in which a planted fault shows, and what it showed as. */
async function firstCaught(
  planted: Partial<SimOptions>,
  expected: RegExp,
): Promise<{ seed: number; fault: string } | null> {
  for (let seed = 1; seed <= seedsToCatch; seed++) {
    const { faults } = await runSimulation(drawOptions(seed, planted));
    const fault = faults.find((text) => expected.test(text));
    if (fault !== undefined) return { seed, fault };
  }
  return null;
}

test("the simulation keeps every promise in the seeds that once broke one", async () => {
  assert.deepEqual(await faultsOf(formerFailures.keys()), []);
});

for (let first = 1; first <= seedsInGate; first += seedsPerTest) {
  const seeds = Array.from({ length: seedsPerTest }, (_, at) => first + at);
  test(`the simulation keeps every promise in the seeds from ${first}`, async () => {
    assert.deepEqual(await faultsOf(seeds), []);
  });
}

test("a seed gives the same journal twice, and another one gives another", async () => {
  const hashes: string[] = [];
  for (const seed of [3, 3, 4]) hashes.push((await runSimulation(drawOptions(seed))).hash);

  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

/** Storms in which each planted fault has its occasion. */
const crashing = { faults: { full: 0, io: 0, crash: 0.03, powerShare: 0 }, stormMs: 20_000 };
const failing = { faults: { full: 0, io: 0.05, crash: 0, powerShare: 0 }, stormMs: 20_000 };
const filling = { faults: { full: 0.2, io: 0, crash: 0, powerShare: 0 }, stormMs: 20_000 };
const dying = { deathRate: 0.3, attemptsMax: 2, invisibleMs: 1_000, stormMs: 20_000 };

const storeMistakes: [StoreMistake, Partial<SimOptions>, RegExp][] = [
  ["acknowledges before it commits", crashing, /is lost|names|went back/],
  ["loses its last turn in a crash", crashing, /is lost|names|went back|after it was finished/],
  ["forgets open deliveries when opened", { ...failing, deathRate: 0.3 }, /not consumed/],
  ["moves offsets of a refused turn", filling, /not consumed/],
  ["releases delayed messages early", { sendBackRate: 0.4, pullers: 2 }, /since .* due/],
];
for (const [storeMistake, storm, expected] of storeMistakes) {
  test(`the simulation catches a store that ${storeMistake}`, async () => {
    assert.ok(await firstCaught({ ...storm, storeMistake }, expected), storeMistake);
  });
}

const codeMistakes: [CodeMistake, Partial<SimOptions>, RegExp][] = [
  ["acknowledges by an old receipt", { invisibleMs: 200 }, /finished it while/],
  ["hands out before the time is over", dying, /leased until/],
  ["never buries the dead", dying, /in the dead letters \d+ times/],
];
for (const [codeMistake, storm, expected] of codeMistakes) {
  test(`the simulation catches a shard that ${codeMistake}`, async () => {
    assert.ok(await firstCaught({ ...storm, codeMistake }, expected), codeMistake);
  });
}
