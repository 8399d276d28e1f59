/**
 * Figures of several rounds, told as a table: medians, the range they came from, and what they are
 * of the first peer's.
 *
 * @module
 */

/** One run of one load against one peer. */
export type Figure = {
  readonly load: string;
  readonly peer: string;
  readonly perSecond: number;
  /** Requests that were refused, or never answered. */
  readonly failed: number;
  /** Absent where the load does not measure it. */
  readonly p99Ms?: number;
};

/** The middle of some numbers; between the two in the middle when there is no one. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
}

/** Medians by load and peer, as the history of benches keeps them. */
export function mediansOf(figures: readonly Figure[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    groupsOf(figures).map(([first, runs]) => [`${first.load}, ${first.peer}`, middle(runs)]),
  );
}

/** A table for each load, peers in the order in which they were measured. */
export function tablesOf(
  figures: readonly Figure[],
  answers: ReadonlyMap<string, string>,
): string {
  const loads = new Set(figures.map((each) => each.load));
  return [...loads].map((load) => {
    const groups = groupsOf(figures.filter((each) => each.load === load));
    const base = groups[0];
    const rows = groups.map(([{ peer }, runs]) => [
      peer,
      answers.get(peer) ?? "",
      count(middle(runs)),
      `${count(Math.min(...rates(runs)))} to ${count(Math.max(...rates(runs)))}`,
      base === undefined ? "" : (middle(runs) / middle(base[1])).toFixed(2),
      p99Of(runs),
      count(runs.reduce((sum, each) => sum + each.failed, 0)),
    ]);
    return `${load}\n\n${aligned([heads, heads.map(() => "---"), ...rows])}\n`;
  }).join("\n");
}

const heads = ["peer", "answers", "messages/s", "of runs", "ratio", "p99 ms", "failed"];

/** The runs of each load and peer, with the first of them. */
function groupsOf(figures: readonly Figure[]): readonly (readonly [Figure, readonly Figure[]])[] {
  const groups = Map.groupBy(figures, (each) => `${each.load}\n${each.peer}`);
  return [...groups.values()].flatMap((runs) => runs[0] ? [[runs[0], runs] as const] : []);
}

function rates(runs: readonly Figure[]): readonly number[] {
  return runs.map((each) => each.perSecond);
}

function middle(runs: readonly Figure[]): number {
  return median(rates(runs));
}

function p99Of(runs: readonly Figure[]): string {
  const known = runs.flatMap((each) => each.p99Ms ?? []);
  return known.length === 0 ? "" : median(known).toFixed(1);
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Columns of one width, in the form of a Markdown table. */
function aligned(rows: readonly (readonly string[])[]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      cell === "---" ? "-".repeat(width(column)) : cell.padEnd(width(column))
    );
    return `| ${cells.join(" | ")} |\n`;
  }).join("");
}
