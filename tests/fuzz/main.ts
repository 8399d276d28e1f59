/**
 * More of a fuzzer than the gate has time for: `deno task fuzz [name] [--seed N] [--runs N]`.
 * Without a name, all; `live` fuzzes the ports of a broker process.
 *
 * @module
 */
import process from "node:process";
import { randomSeed } from "../../src/runtime/mod.ts";
import { closeWith, prove, say, type Verdict } from "../chaos/report.ts";
import { fuzz, type Fuzzer } from "./fuzzer.ts";
import { liveProofs } from "./live.ts";
import { brokenFuzzer, fuzzers } from "./table.ts";

const runsUnlessTold = 100_000;

async function run(words: readonly string[]): Promise<number> {
  const names: string[] = [];
  const numbers = { "--seed": randomSeed() % 2 ** 31, "--runs": runsUnlessTold };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--seed" || word === "--runs") numbers[word] = Number(words[++at]);
    else names.push(word);
  }
  const [seed, runs] = [numbers["--seed"], numbers["--runs"]];
  const table: Readonly<Record<string, Fuzzer>> = { ...fuzzers, broken: brokenFuzzer };
  const unknown = names.filter((name) => name !== "live" && table[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(`Cannot fuzz ${unknown}: there are ${Object.keys(table).join(", ")}, live`);
  }
  say(`seed ${seed}`);
  const verdicts: Verdict[] = [];
  const chosen = names.length > 0 ? names : [...Object.keys(fuzzers), "live"];
  for (const name of chosen) {
    const fuzzer = table[name];
    if (fuzzer !== undefined) verdicts.push(await prove(name, () => runOne(fuzzer, seed, runs)));
    else {
      for (const [proofName, proof] of Object.entries(liveProofs)) {
        verdicts.push(await prove(proofName, () => proof({ seed, isReduced: false })));
      }
    }
  }
  return closeWith(verdicts);
}

async function runOne(fuzzer: Fuzzer, seed: number, runs: number): Promise<string> {
  const outcome = await fuzz(fuzzer, { seed, runs });
  if (outcome.kind === "broken") {
    say(`broken by --seed ${outcome.seed} --runs 1`);
    throw outcome.thrown;
  }
  return `${runs} cases, ${Math.round(runs / outcome.seconds)}/s`;
}

process.exit(await run(process.argv.slice(2)));
