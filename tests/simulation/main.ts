/**
 * Runs seeds of the simulation:
 *
 *     deno task sim --seed 7            one seed, with its journal when it fails
 *     deno task sim --seeds 500         the seeds 1 to 500
 *     deno task sim --from 1000         1000 and on, until one fails
 *
 * @module
 */
import process from "node:process";
import { coverageTable } from "./batch.ts";
import { addCoverage, type Coverage } from "./features.ts";
import { drawOptions } from "./options.ts";
import { runSimulation } from "./run.ts";

/** Lines of a failed run's journal that are printed. */
const shownLinesMax = 50_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function numberAfter(flag: string): number | null {
  const at = process.argv.indexOf(flag);
  return at === -1 ? null : Number(process.argv[at + 1]);
}

/** Runs one seed aloud. Answers whether all promises were kept. */
async function runAloud(seed: number, isAlone: boolean): Promise<boolean> {
  // First of all: a run that ends the process has named its own replay.
  say(`seed ${seed}`);
  const options = drawOptions(seed);
  const result = await runSimulation(options);
  const { faults, lines, hash, events, simulatedMs } = result;
  addCoverage(coverage, result.coverage);
  if (isAlone || faults.length > 0) {
    say(`  ${JSON.stringify(options)}`);
    say(`  ${events} events in ${simulatedMs} simulated ms, journal ${hash}`);
  }
  if (faults.length === 0) return true;
  if (isAlone) { for (const line of lines.slice(-shownLinesMax)) say(`  ${line}`); }
  for (const fault of faults.slice(0, 20)) say(`  FAULT ${fault}`);
  say(`  again: deno task sim --seed ${seed}`);
  return false;
}

const coverage: Coverage = new Map();
const one = numberAfter("--seed");
const from = numberAfter("--from") ?? 1;
const count = numberAfter("--seeds") ?? (process.argv.includes("--from") ? Infinity : 200);
const failed: number[] = [];
if (one !== null) {
  if (!await runAloud(one, true)) failed.push(one);
} else {
  for (let seed = from; seed < from + count; seed++) {
    if (await runAloud(seed, false)) continue;
    failed.push(seed);
    if (count === Infinity) break;
  }
}
say(coverageTable(coverage));
say(failed.length === 0 ? "all promises were kept" : `failed: ${failed.join(" ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
