/** What a fuzzer is, and how a run of one goes. @module */
import { Prng } from "../../src/base/prng.ts";

/** One case: makes an input from `prng`, gives it to what is tested, throws when it misbehaves. */
export type Case = (prng: Prng) => void | Promise<void>;

/** A fuzzer. `begin` makes what its cases share. */
export type Fuzzer = {
  /** What must hold, in a sentence. */
  readonly claim: string;
  readonly begin: () => Case | Promise<Case>;
  /** Cases in the gate, where as many as of the others would take too long. */
  readonly gateRuns?: number;
};

/** What came of a run. A case's seed alone repeats it. */
export type FuzzOutcome =
  | { readonly kind: "held"; readonly runs: number; readonly seconds: number }
  | { readonly kind: "broken"; readonly seed: number; readonly thrown: unknown };

/** Runs `runs` cases; ends at the first that breaks. */
export async function fuzz(
  fuzzer: Fuzzer,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<FuzzOutcome> {
  const beganMs = performance.now();
  const one = await fuzzer.begin();
  for (let run = 0; run < runs; run++) {
    const caseSeed = seed + run;
    try {
      await one(new Prng(caseSeed));
    } catch (thrown) {
      return { kind: "broken", seed: caseSeed, thrown };
    }
  }
  return { kind: "held", runs, seconds: (performance.now() - beganMs) / 1000 };
}

/** Runs `act`; what it throws must be one of `allowed`. Answers its value, if it came to one. */
export function tolerate<T>(
  allowed: readonly (new (...args: never[]) => Error)[],
  act: () => T,
): T | undefined {
  try {
    return act();
  } catch (thrown) {
    if (allowed.some((kind) => thrown instanceof kind)) return undefined;
    throw thrown;
  }
}
