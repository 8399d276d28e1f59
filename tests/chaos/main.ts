/**
 * Proofs against real processes: `deno task chaos`, or the same under Bun.
 *
 *     main.ts [main-job | kill-loop | faults | live]...
 *             [--seed N] [--cycles N] [--lines N] [--only text]
 *
 * Without a name all run, at full size; `--reduced yes` is what every change runs. The last line
 * counts. A failure names its seed.
 *
 * @module
 */
import process from "node:process";
import { randomSeed } from "../../src/runtime/mod.ts";
import { liveProofs } from "../fuzz/live.ts";
import { closeWith, prove, say, type Verdict } from "./report.ts";
import { faultProofs } from "./faults.ts";
import { killLoop } from "./kill_loop.ts";
import { mainJob } from "./main_job.ts";

const names = ["main-job", "kill-loop", "faults", "live"] as const;
type Name = (typeof names)[number];

type Options = {
  names: Name[];
  seed: number;
  cycles: number;
  lines: number;
  isReduced: boolean;
  only: string;
};

function readOptions(words: readonly string[]): Options {
  const options: Options = {
    names: [],
    seed: randomSeed() % 2 ** 31,
    cycles: 50,
    lines: 210_000,
    isReduced: false,
    only: "",
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const name = names.find((each) => each === word);
    if (name !== undefined) {
      options.names.push(name);
      continue;
    }
    const value = words[++at];
    if (value === undefined) throw new Error(`Cannot start: ${word} is unknown or has no value`);
    if (word === "--seed") options.seed = Number(value);
    else if (word === "--cycles") options.cycles = Number(value);
    else if (word === "--lines") options.lines = Number(value);
    else if (word === "--only") options.only = value;
    else if (word === "--reduced") options.isReduced = value === "yes";
    else throw new Error(`Cannot start: unknown option ${word}`);
  }
  if (options.isReduced) Object.assign(options, { cycles: 8, lines: 30_000 });
  return options;
}

async function run(options: Options): Promise<number> {
  const { seed, cycles, lines, isReduced, only } = options;
  const chosen = options.names.length === 0 ? names : options.names;
  say(`seed ${seed}`);
  const verdicts: Verdict[] = [];
  if (chosen.includes("main-job")) {
    const job = { seed, lines, restarts: isReduced ? 2 : 5 };
    verdicts.push(await prove("main job", () => mainJob(job)));
  }
  if (chosen.includes("kill-loop")) {
    verdicts.push(await prove("kill loop", () => killLoop({ seed, cycles })));
  }
  const tables = { faults: faultProofs, live: liveProofs };
  for (const [name, table] of Object.entries(tables) as ["faults" | "live", typeof faultProofs][]) {
    if (!chosen.includes(name)) continue;
    for (const [title, proof] of Object.entries(table)) {
      if (title.includes(only)) verdicts.push(await prove(title, () => proof({ seed, isReduced })));
    }
  }
  return closeWith(verdicts);
}

process.exit(await run(readOptions(process.argv.slice(2))));
