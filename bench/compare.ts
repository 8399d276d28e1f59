/**
 * Prints what changed between two kept runs of a bench.
 *
 *     deno task bench:compare NAME [COMMIT COMMIT]
 *
 * Without commits: the last run, and the one before it of the same runtime on the same processor.
 *
 * @module
 */
import process from "node:process";
import { type BenchRecord, lastAlike, ratioLines, readHistory } from "./history.ts";

const [bench = "", from, to] = process.argv.slice(2);
const history = readHistory(bench);
const now = to === undefined ? history.at(-1) : byCommit(to);
const before = from === undefined
  ? now && lastAlike(history.slice(0, history.indexOf(now)), now)
  : byCommit(from);
if (!now || !before) {
  process.stderr.write(
    `There are no two such runs of "${bench}"; \`deno task bench --record ${bench}\` keeps one\n`,
  );
  process.exit(2);
}
process.stdout.write(`${about(before)}\n${about(now)}\n`);
process.stdout.write(`${ratioLines(before.figures, now.figures).join("\n")}\n`);

function byCommit(commit: string): BenchRecord | undefined {
  return history.findLast((one) => one.commit.startsWith(commit));
}

function about({ commit, date, runtime, cpuModel, cores }: BenchRecord): string {
  return `${commit}  ${date}  ${runtime}, ${cores} cores of ${cpuModel}`;
}
