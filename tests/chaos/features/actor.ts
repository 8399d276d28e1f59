/**
 * What every actor of the mixed load is: something that asks a broker over HTTP, writes down what
 * it asked before and what it heard after, and goes on while the broker is away.
 *
 * @module
 */
import type { Prng } from "../../../src/base/prng.ts";
import { ask } from "../../support/broker_api.ts";
import { pause } from "../../support/until.ts";
import type { Journal } from "./journal.ts";

const awayPauseMs = 30;
/** Between two steps: the mix is to be interleaved, not to fill the machine. */
const stepPauseMs = 5;

/** What an actor works with. */
export type Stage = {
  readonly http: string;
  readonly topic: string;
  readonly journal: Journal;
  readonly prng: Prng;
  /** Set once: actors end what they are at. */
  readonly ending: { isOver: boolean };
};

/** Asks, and takes nothing but a good answer: what else came of it is unknown. */
export async function asked(
  { http }: Stage,
  line: string,
  body?: unknown,
  // deno-lint-ignore no-explicit-any -- actors reach into answers, and fail where they are not so
): Promise<any> {
  const { status, json } = await ask(http, line, body);
  if (status >= 300) throw new RefusedError(status, JSON.stringify(json));
  return json;
}

/** An answer that says no. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;

  constructor(status: number, says: string) {
    super(`answered ${status}: ${says}`);
    this.status = status;
  }
}

/** Repeats a step to the end. One that fails tells nothing, and is not repeated. */
export async function keepOn({ ending }: Stage, step: () => Promise<void>): Promise<void> {
  while (!ending.isOver) {
    try {
      await step();
      await pause(stepPauseMs);
    } catch (thrown) {
      refuseMistakes(thrown);
      await pause(awayPauseMs);
    }
  }
}

/** A broker may be away or busy. A request it finds wrong is a mistake in this load. */
export function refuseMistakes(thrown: unknown): void {
  if (thrown instanceof RefusedError && (thrown.status < 409 || thrown.status === 422)) {
    throw thrown;
  }
}
