/**
 * Runs every bench beside this file, each in a process of its own, and prints its figures with
 * their ratio to the last kept run of the same runtime on the same processor.
 *
 *     deno task bench [--record] [name …]
 *
 * With `--record` the figures are kept in `bench/history/`, to be committed with the change they
 * measure.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { processHost } from "../src/runtime/node/process_host.ts";
import {
  appendHistory,
  type BenchRecord,
  commitNow,
  figuresOf,
  lastAlike,
  ratioLines,
  readHistory,
} from "./history.ts";

const suffix = "_bench.ts";
const outputBytesMax = 16 * 1024 * 1024;
const folder = fileURLToPath(new URL(".", import.meta.url));

const words = process.argv.slice(2);
const record = words.includes("--record");
const wanted = words.filter((word) => !word.startsWith("-"));
const all = readdirSync(folder).filter((file) => file.endsWith(suffix)).sort();
const files = all.filter((file) => wanted.length === 0 || wanted.includes(nameOf(file)));
if (files.length === 0) {
  process.stderr.write(`There is no such bench; there are ${all.map(nameOf).join(", ")}\n`);
  process.exit(2);
}
const failed = files.filter((file) => !runBench(file));
process.exit(failed.length === 0 ? 0 : 1);

function runBench(file: string): boolean {
  const bench = nameOf(file);
  process.stdout.write(`${bench}\n`);
  const isDeno = process.versions["deno"] !== undefined;
  const args = [...(isDeno ? ["run", "-A"] : []), `${folder}${file}`];
  const run = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: outputBytesMax,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(run.stdout ?? "");
  if (run.status !== 0) {
    process.stderr.write(`${bench} failed with exit code ${run.status}\n`);
    return false;
  }
  tell(bench, run.stdout);
  return true;
}

function tell(bench: string, output: string): void {
  const { runtime, cpuModel, cores } = processHost().machine;
  const figures = figuresOf(output);
  const before = lastAlike(readHistory(bench), { runtime, cpuModel });
  const than = before
    ? `against ${before.commit} of ${before.date}`
    : "nothing to compare with yet";
  process.stdout.write(`${[than, ...ratioLines(before?.figures, figures)].join("\n")}\n\n`);
  if (!record) return;
  const date = new Date().toISOString();
  const kept: BenchRecord = { bench, commit: commitNow(), runtime, cpuModel, cores, date, figures };
  appendHistory(kept);
}

function nameOf(file: string): string {
  return file.slice(0, -suffix.length);
}
