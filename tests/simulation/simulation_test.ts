/**
 * The simulation in the gate: former failures, the same journal twice, planted faults. The seeds
 * are in files of their own beside this one.
 *
 * @module
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { faultsOf } from "./batch.ts";
import type { CodeMistake } from "./mistakes.ts";
import { drawOptions, type SimOptions } from "./options.ts";
import { runSimulation } from "./run.ts";
import { formerFailures } from "./seeds.ts";
import type { StoreMistake } from "./mistaken_record.ts";

/** Seeds within which a planted fault is to be found. */
const seedsToCatch = 100;

/** The first seed in which a planted fault shows, and what it showed as. */
async function firstCaught(
  planted: Partial<SimOptions>,
  expected: RegExp,
): Promise<{ seed: number; fault: string } | null> {
  for (let seed = 1; seed <= seedsToCatch; seed++) {
    const { faults } = await runSimulation(drawOptions(seed, planted));
    const fault = faults.find((text) => expected.test(text));
    if (fault === undefined) continue;
    process.stdout.write(`caught in seed ${seed}: ${fault.slice(0, 100)}\n`);
    return { seed, fault };
  }
  return null;
}

test("the simulation keeps every promise in the seeds that once broke one", async () => {
  assert.deepEqual(await faultsOf(formerFailures.keys(), new Map()), []);
});

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
/** What is passed over is buried too: a shard that never buries would do it over and over. */
const plain = { ordered: false, mixedFilters: false, ttlShare: 0, topicTtlMs: null, latest: false };
const dying = {
  ...plain,
  clockJumps: false,
  resets: false,
  deathRate: 0.3,
  attemptsMax: 2,
  invisibleMs: 1_000,
  stormMs: 20_000,
};

/** Many letters, and somebody who sends them back. */
const lettered = { letterDesk: true, attemptsMax: 1, nackRate: 0.4 };
/** Transactions whose producers are asked in every way. */
const asked = { transactors: 2, webhooks: true, connections: true };
const storeMistakes: [StoreMistake, Partial<SimOptions>, RegExp][] = [
  ["acknowledges before it commits", crashing, /is lost|names|went back/],
  ["loses its last turn in a crash", crashing, /is lost|names|went back|after it was finished/],
  ["forgets open deliveries when opened", { ...failing, deathRate: 0.3 }, /not consumed/],
  ["moves offsets of a refused turn", filling, /not consumed/],
  ["releases delayed messages early", { sendBackRate: 0.4, pullers: 2 }, /since .* due/],
  ["is due a tick early", { timerClients: 2 }, /timer .* is visible since .* due/],
  ["forgets what was called off", { timerClients: 2 }, /was called off and is visible/],
  ["forgets verdicts", { transactors: 2 }, /transaction .* (was decided twice|is there)/],
  ["forgets which letters went back", { ...lettered, ...crashing }, /letters are gone, .* more/],
  ["forgets who has places of his own", { screens: 2, ...crashing }, /attempt 1 after it was/],
  ["counts questions nobody was asked", { transactors: 2 }, /questions count/],
];
for (const [storeMistake, storm, expected] of storeMistakes) {
  test(`the simulation catches a store that ${storeMistake}`, async () => {
    assert.ok(await firstCaught({ ...storm, storeMistake }, expected), storeMistake);
  });
}

const codeMistakes: [CodeMistake, Partial<SimOptions>, RegExp][] = [
  ["acknowledges by an old receipt", { invisibleMs: 200 }, /finished it while/],
  ["hands out before the time is over", dying, /leased until/],
  ["lets a second message of a key out", { ordered: true }, /was let out while/],
  ["drops held messages when it reads its tables", { ordered: true, ...failing }, /not consumed/],
  ["never buries the dead", dying, /in the dead letters \d+ times/],
  ["hands out what has expired", { topicTtlMs: 500 }, /was handed .* over since/],
  ["hands out what nobody wants", { tags: true, groups: 2 }, /which it does not want/],
  ["gives a new group everything", { latest: true }, /began with what is new/],
  ["keeps polls beyond their time", { pullers: 2 }, /a pull that may wait/],
  ["gives all screens one place", { screens: 3 }, /not consumed.*screens/],
  ["counts webhooks that reached nobody", asked, /questions count/],
  ["hears the opposite of a webhook's verdict", asked, /which nobody asked for|nobody committed/],
  ["counts questions over connections nobody has", asked, /questions count/],
  ["explains without looking who has it", { inquirer: true }, /explained as/],
  ["explains a rollback as undecided", { inquirer: true, transactors: 2 }, /explained as/],
  ["explains without looking at moves", { inquirer: true, keptPlaces: true }, /explained as/],
  ["takes a second reply", { askers: 2 }, /request .* took .*, and then/],
  ["gives a reply to another request", { askers: 2 }, /which nobody said to it/],
  ["waits for replies beyond their time", { askers: 2 }, /a request that may wait/],
  ["clones to the beginning", { keptPlaces: true }, /after its clone/],
  ["leads timer keys by the number of queues", { keptTopic: true, shards: 3 }, /kept topic: re/],
  ["asks no former place", { keptTopic: true, shards: 3 }, /kept topic: again/],
  [
    "keeps to its place when the topic grew meanwhile",
    { keptTopic: true, shards: 3 },
    /kept topic: again/,
  ],
  ["looks for no pending timer", { keptTopic: true, shards: 3 }, /kept topic: count/],
  ["takes what it has begun to drop for dropped", { keptTopic: true }, /belong to no topic/],
  ["forgets the ids it has seen", { repeatRate: 0.5 }, /again when it was repeated/],
  ["drops letters it is to send back", lettered, /letters are gone, .* lost|redrives say/],
  ["sends letters back faster than it was told", lettered, /letters in \d+ ms/],
];
for (const [codeMistake, storm, expected] of codeMistakes) {
  test(`the simulation catches a shard that ${codeMistake}`, async () => {
    assert.ok(await firstCaught({ ...storm, codeMistake }, expected), codeMistake);
  });
}
