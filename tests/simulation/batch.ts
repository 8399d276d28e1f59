/**
 * Many seeds as tests: a batch lies in one test file, and files run side by side.
 *
 * @module
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { addCoverage, type Coverage, expectedFeatures, uncovered } from "./features.ts";
import { drawOptions } from "./options.ts";
import { runSimulation } from "./run.ts";

/** Seeds of one test: few enough for a test runner's patience on a slow machine. */
const seedsPerTest = 25;
/** The runtimes run the same code: the second one checks that, on fewer seeds. */
const seedsOnBun = 50;
const isBun = process.versions["bun"] !== undefined;

/** The faults of these seeds, each with how to see it again. */
export async function faultsOf(seeds: Iterable<number>, coverage: Coverage): Promise<string[]> {
  const faults: string[] = [];
  for (const seed of seeds) {
    const result = await runSimulation(drawOptions(seed));
    addCoverage(coverage, result.coverage);
    const again = `deno task sim --seed ${seed}`;
    faults.push(...result.faults.map((fault) => `${again}: ${fault}`));
  }
  return faults;
}

/** Registers the tests of `count` seeds from `first` on, and of what they exercised together. */
export function testBatch(first: number, count: number): void {
  const coverage: Coverage = new Map();
  const end = first + (isBun ? Math.min(count, seedsOnBun) : count);
  for (let from = first; from < end; from += seedsPerTest) {
    const length = Math.min(seedsPerTest, end - from);
    const seeds = Array.from({ length }, (_, at) => from + at);
    test(`the simulation keeps every promise in the seeds from ${from}`, async () => {
      assert.deepEqual(await faultsOf(seeds, coverage), []);
    });
  }
  test(`the seeds from ${first} to ${end - 1} exercise every feature and fault`, () => {
    process.stdout.write(`${coverageTable(coverage)}\n`);
    // Fifty seeds may miss what is rare.
    if (!isBun) assert.deepEqual(uncovered(coverage), []);
  });
}

/** A line for each feature: how often it was exercised. */
export function coverageTable(coverage: Coverage): string {
  const names = new Set([...expectedFeatures, ...coverage.keys()]);
  return [...names].sort().map((name) => {
    return `${String(coverage.get(name) ?? 0).padStart(9)}  ${name}`;
  }).join("\n");
}
