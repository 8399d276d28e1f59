/**
 * What a seed decides about a run: sizes, rates and faults, with features switched off at random.
 *
 * @module
 */
import { Prng } from "../../src/base/prng.ts";
import type { StoreMistake } from "./mistaken_record.ts";
import type { CodeMistake } from "./mistakes.ts";

/** Chances of each write, 0 to 1. */
export type FaultRates = {
  readonly full: number;
  readonly io: number;
  readonly crash: number;
  /** Of the crashes, how many take the power with them. */
  readonly powerShare: number;
};

/** Everything a run is made of. */
export type SimOptions = {
  readonly seed: number;
  readonly shards: number;
  readonly topics: number;
  readonly queuesPerTopic: number;
  readonly groups: number;
  readonly producers: number;
  readonly consumersPerGroup: number;
  readonly pullers: number;
  /** Sends of each producer in the first phase. */
  readonly sends: number;
  readonly batchMax: number;
  readonly bodyBytesMax: number;
  readonly attemptsMax: number;
  readonly invisibleMs: number;
  readonly retryDelayMs: number;
  /** How long the first phase lasts at most, simulated. */
  readonly stormMs: number;
  readonly lateMsMax: number;
  readonly faults: FaultRates;
  /** Chance a consumer dies with what it holds. */
  readonly deathRate: number;
  readonly nackRate: number;
  readonly extendRate: number;
  readonly sendBackRate: number;
  readonly resets: boolean;
  readonly topicChurn: boolean;
  /** One client has a topic of his own that grows, goes, and comes back under its name. */
  readonly keptTopic: boolean;
  readonly groupChurn: boolean;
  readonly retention: boolean;
  readonly processCrashTopics: boolean;
  readonly tags: boolean;
  readonly clockJumps: boolean;
  /** Clients that send timed messages, and call them off, move and replace them. */
  readonly timerClients: number;
  /** Producers that send in transactions. */
  readonly transactors: number;
  /** Between two questions about a half message; the first one comes as soon. */
  readonly checkIntervalMs: number;
  readonly checksMax: number;
  /** The first group consumes in order of sharding keys. */
  readonly ordered: boolean;
  /** In ordered groups the messages of one key always fail. */
  readonly failingKeys: boolean;
  /** Members of the last group want different things, by tag and by SQL. */
  readonly mixedFilters: boolean;
  /** One more group begins with what is new. */
  readonly latest: boolean;
  /** Of the messages, how many have a time to live of their own. */
  readonly ttlShare: number;
  /** The last topic gives its messages this long. */
  readonly topicTtlMs: number | null;
  /** Of the sends, how many are repeated under the same ids. */
  readonly repeatRate: number;
  /** One client resets, undoes and clones places nobody else moves. */
  readonly keptPlaces: boolean;
  /** Retries wait by a rule instead of a list. */
  readonly backoff: boolean;
  /** One operator sends dead letters back, and drops some. */
  readonly letterDesk: boolean;
  /** Clients of a broadcast group. */
  readonly screens: number;
  /** Of the transactions, some have their producers asked by webhook. */
  readonly webhooks: boolean;
  /** Producers of transactions are connected now and then, and are asked there. */
  readonly connections: boolean;
  /** Clients that ask, and wait for a reply. */
  readonly askers: number;
  /** One operator asks why messages were not delivered. */
  readonly inquirer: boolean;
  /** Threads of single shards end. */
  readonly shardLosses: boolean;
  /** At this write of the storm, counted over all disks, the process ends. */
  readonly crashAt:
    | { readonly write: number; readonly fate: "crash-before" | "crash-after" }
    | null;
  readonly storeMistake: StoreMistake | null;
  readonly codeMistake: CodeMistake | null;
};

const calm: FaultRates = { full: 0, io: 0, crash: 0, powerShare: 0 };

/** Draws a run. `fixed` takes the place of what was drawn. */
export function drawOptions(seed: number, fixed: Partial<SimOptions> = {}): SimOptions {
  const prng = new Prng(seed);
  const on = (chance: number) => prng.chance(chance);
  const rate = (chance: number, max: number) => on(chance) ? prng.float() * max : 0;
  return {
    seed,
    shards: prng.between(1, 3),
    topics: prng.between(1, 3),
    queuesPerTopic: prng.between(1, 4),
    groups: prng.between(1, 2),
    producers: prng.between(1, 4),
    consumersPerGroup: prng.between(1, 3),
    pullers: prng.between(0, 2),
    sends: prng.between(5, 40),
    batchMax: on(0.5) ? prng.between(2, 8) : 1,
    bodyBytesMax: on(0.2) ? 2_000 : 40,
    attemptsMax: prng.between(1, 4),
    invisibleMs: prng.pick([200, 1_000, 5_000]),
    retryDelayMs: prng.pick([0, 50, 1_000, 8_000]),
    stormMs: prng.pick([3_000, 8_000, 25_000]),
    lateMsMax: prng.pick([0, 1, 5, 40]),
    faults: on(0.2) ? calm : {
      full: rate(0.5, 0.1),
      io: rate(0.5, 0.04),
      crash: rate(0.6, 0.03),
      powerShare: prng.pick([0, 0.5, 1]),
    },
    deathRate: rate(0.6, 0.3),
    nackRate: rate(0.6, 0.4),
    extendRate: rate(0.5, 0.4),
    sendBackRate: rate(0.6, 0.4),
    resets: on(0.3),
    topicChurn: on(0.4),
    groupChurn: on(0.3),
    retention: on(0.3),
    processCrashTopics: on(0.4),
    tags: on(0.4),
    clockJumps: on(0.2),
    timerClients: on(0.5) ? prng.between(1, 2) : 0,
    transactors: on(0.5) ? prng.between(1, 2) : 0,
    checkIntervalMs: prng.pick([200, 1_000, 4_000]),
    checksMax: prng.between(1, 3),
    ordered: on(0.4),
    failingKeys: on(0.5),
    mixedFilters: on(0.3),
    latest: on(0.25),
    ttlShare: rate(0.3, 0.5),
    topicTtlMs: on(0.15) ? prng.pick([500, 5_000]) : null,
    repeatRate: rate(0.4, 0.5),
    keptPlaces: on(0.3),
    backoff: on(0.3),
    shardLosses: on(0.4),
    ...drawDesks(prng),
    crashAt: null,
    storeMistake: null,
    codeMistake: null,
    ...fixed,
  };
}

/** What stands beside the road of a message. */
function drawDesks(prng: Prng) {
  const on = (chance: number) => prng.chance(chance);
  return {
    letterDesk: on(0.35),
    webhooks: on(0.5),
    connections: on(0.4),
    askers: on(0.3) ? prng.between(1, 2) : 0,
    inquirer: on(0.4),
    screens: on(0.3) ? prng.between(1, 2) : 0,
    keptTopic: on(0.35),
  };
}
