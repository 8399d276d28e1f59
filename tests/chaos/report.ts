/** What a chaos run says, and how it counts. @module */
import process from "node:process";

/** What a proof is told. */
export type ProofOptions = { readonly seed: number; readonly isReduced: boolean };

/** One proof: its name and what came of it. */
export type Verdict = {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Figures of a pass, reasons of the rest. */
  readonly says: string;
};

/** A proof that cannot be given on this machine: a tool or a right is missing. */
export class SkippedError extends Error {
  override readonly name = "SkippedError";
}

/** Prints one line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs one proof, tells what came of it, and never throws. */
export async function prove(name: string, run: () => Promise<string>): Promise<Verdict> {
  const beganMs = performance.now();
  const verdict = await verdictOf(name, run);
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  say(`${verdict.outcome.padEnd(7)} ${name} (${seconds} s): ${verdict.says}`);
  return verdict;
}

async function verdictOf(name: string, run: () => Promise<string>): Promise<Verdict> {
  try {
    return { name, outcome: "passed", says: await run() };
  } catch (thrown) {
    if (thrown instanceof SkippedError) return { name, outcome: "skipped", says: thrown.message };
    const says = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    return { name, outcome: "failed", says };
  }
}

/** The closing line, and the exit status it means. */
export function closeWith(verdicts: readonly Verdict[]): number {
  const count = (outcome: Verdict["outcome"]) =>
    verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const [passed, failed, skipped] = [count("passed"), count("failed"), count("skipped")];
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

/** The value below which `share` of all values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
