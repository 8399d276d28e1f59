/**
 * Figures of benches, kept: one JSON line a run in `bench/history/<name>.jsonl`.
 *
 * A bench is a program of its own that prints lines. Its figures are read from them: fields of JSON
 * lines, and lines of text that begin with a name and hold a rate ("json: read a send  812 ns
 * 1,231,527/s"). All figures are rates or are named by their unit.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The figures of one run, and where they come from. */
export type BenchRecord = {
  readonly bench: string;
  readonly commit: string;
  readonly runtime: string;
  readonly cpuModel: string;
  readonly cores: number;
  readonly date: string;
  readonly figures: Readonly<Record<string, number>>;
};

/** Reads the figures out of what a bench printed. */
export function figuresOf(output: string): Readonly<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const line of output.split("\n")) {
    if (line.startsWith("{")) Object.assign(figures, jsonFigures(line));
    const found = /^\s*(\S.*?)[\s:]{1,}[^a-z]*?(?:[\d,.]+ \S+ +)?([\d,]+(?:\.\d+)?) ?([kM]?)\/s/
      .exec(line);
    if (found) figures[found[1]!] = Number(found[2]!.replaceAll(",", "")) * scales[found[3]!]!;
  }
  return figures;
}

const scales: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6 };

function jsonFigures(line: string): Record<string, number> {
  const value: unknown = JSON.parse(line);
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(entries.filter(([, each]) => typeof each === "number"));
}

/** All kept runs of a bench, oldest first. */
export function readHistory(bench: string): readonly BenchRecord[] {
  const path = historyPath(bench);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").trim().split("\n").filter(Boolean).map((line) =>
    JSON.parse(line)
  );
}

/** Adds a run. */
export function appendHistory(record: BenchRecord): void {
  const path = historyPath(record.bench);
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(record)}\n`);
}

/**
 * The last kept run of the same runtime on the same processor: others say nothing about a change.
 */
export function lastAlike(
  history: readonly BenchRecord[],
  { runtime, cpuModel }: Pick<BenchRecord, "runtime" | "cpuModel">,
): BenchRecord | undefined {
  return history.findLast((one) => one.runtime === runtime && one.cpuModel === cpuModel);
}

/** Every figure of `now` with its ratio to `before`, one a line. */
export function ratioLines(
  before: Readonly<Record<string, number>> | undefined,
  now: Readonly<Record<string, number>>,
): readonly string[] {
  const width = Math.max(0, ...Object.keys(now).map((name) => name.length));
  return Object.entries(now).map(([name, figure]) => {
    const old = before?.[name];
    const ratio = old ? `${(figure / old).toFixed(2)} x ${old.toLocaleString("en")}` : "new";
    return `  ${name.padEnd(width)}  ${figure.toLocaleString("en").padStart(14)}  ${ratio}`;
  });
}

/** The commit under measure; a mark says that files differ from it. */
export function commitNow(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  return git("rev-parse", "--short", "HEAD") + (changed ? "+changes" : "");
}

function historyPath(bench: string): string {
  return fileURLToPath(new URL(`./history/${bench}.jsonl`, import.meta.url));
}
