/**
 * Judges RocketMQ's own benchmark programs by the reports that they print:
 *
 *     Current Time: … | Send TPS: 2778 | Max RT(ms): 30 | … | Send Failed: 0 | Response Failed: 0
 *     [Complete] Send Total: 2000 Send Failed: 0 Response Failed: 0
 *
 * They end with status 0 whatever became of their messages, or not at all.
 *
 * @module
 */
import type { ChildEnd } from "./children.ts";
import type { Step } from "./programs.ts";

/** A report. */
export const report = /\b(?:Send|Consume) TPS: +\d+|^\[Complete\]/;
/** What must be nought in every report. */
const faults = /\b((?:\w+ )*(?:Failed|Fail|UnexpectedCheck|DuplicatedCheck)): +(\d+)/g;
/** What must have been more than nought once. */
const work = /\b(?:Send|Consume) (?:TPS|Total): +(\d+)/;
/** How Java ends when it is asked to by SIGTERM. */
const endedByRequest = 143;

/** Why a benchmark's run is not accepted. `undefined`: it did its work, and nothing failed. */
export function faultOfBenchmark(step: Step, { status, output }: ChildEnd): string | undefined {
  const wanted = step.reports === undefined ? 0 : endedByRequest;
  if (status !== wanted) return `status ${status} instead of ${wanted}`;
  const reports = output.split("\n").filter((line) => report.test(line));
  if (reports.length === 0) return "it printed no report";
  for (const line of reports) {
    for (const [, name, count] of line.matchAll(faults)) {
      if (count !== "0") return `it reported ${name}: ${count}`;
    }
  }
  const done = Math.max(...reports.map((line) => Number(work.exec(line)?.[1] ?? 0)));
  return done > 0 ? undefined : "it reported that nothing was sent or consumed";
}
