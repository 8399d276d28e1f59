/**
 * A crash at every single write of a run in which every feature has its part: before the write and
 * after it, with the power and without.
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawOptions, type SimOptions } from "./options.ts";
import { runSimulation } from "./run.ts";

/** The run; small, since it is begun anew for each of its writes. */
const seed = 1;
const small: Partial<SimOptions> = {
  shards: 2,
  topics: 1,
  queuesPerTopic: 2,
  groups: 2,
  producers: 1,
  consumersPerGroup: 1,
  pullers: 1,
  sends: 6,
  batchMax: 2,
  bodyBytesMax: 40,
  attemptsMax: 1,
  invisibleMs: 200,
  retryDelayMs: 50,
  stormMs: 4_000,
  lateMsMax: 1,
  deathRate: 0.2,
  nackRate: 0.3,
  extendRate: 0,
  sendBackRate: 0.3,
  resets: false,
  topicChurn: false,
  groupChurn: false,
  retention: false,
  processCrashTopics: false,
  clockJumps: false,
  timerClients: 1,
  transactors: 1,
  checkIntervalMs: 200,
  checksMax: 2,
  ordered: true,
  failingKeys: true,
  mixedFilters: true,
  latest: true,
  ttlShare: 0.1,
  topicTtlMs: null,
  repeatRate: 0.3,
  keptPlaces: false,
  shardLosses: false,
  letterDesk: true,
  webhooks: true,
  connections: true,
  askers: 1,
  inquirer: true,
  screens: 1,
};
/** More would mean that the run has grown beyond what can be begun anew so often. */
const writesMax = 600;

for (const fate of ["crash-before", "crash-after"] as const) {
  for (const powerShare of [0, 1]) {
    const what = powerShare === 1 ? "the power" : "the process";
    test(`a ${fate.replace("-", " of ")} any write is survived when ${what} goes`, async () => {
      const faults = { full: 0, io: 0, crash: 0, powerShare };
      const found: string[] = [];
      let write = 1;
      for (;; write++) {
        assert.ok(write < writesMax, "the run has an end");
        const options = drawOptions(seed, { ...small, faults, crashAt: { write, fate } });
        const { coverage, faults: broken } = await runSimulation(options);
        found.push(...broken.map((fault) => `write ${write}: ${fault}`));
        if (!coverage.has(`fault ${fate}`)) break;
      }

      assert.deepEqual(found, []);
      assert.ok(write > 60, `the run writes ${write - 1} times: too little happens in it`);
    });
  }
}
