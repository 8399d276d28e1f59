/**
 * When a batch of questions leaves. A batch costs the other thread a turn and a commit, whatever it
 * carries: one that leaves with the first question of many makes all the others wait for its
 * commit. So a batch gathers while the turns of the event loop still bring questions.
 *
 * @module
 */
import type { Timers } from "../ports/timers.ts";

/** The rule by which batches leave. */
export type Departure = {
  /** Calls `fn` when what has already happened was handled. */
  readonly later: (fn: () => void) => void;
  /** Turns in a row that brought no question before a batch leaves; 0: it leaves with the first. */
  readonly quietTurnsMin: number;
  /** Questions with which a batch leaves, whatever the turns bring. */
  readonly itemsEnough: number;
  /** Questions with which a batch leaves beside another one, where `enoughOf` asks for more. */
  readonly secondItemsMin: number;
  /** Questions with which a batch leaves at once when so many were open together lately. */
  readonly enoughOf: (crowd: number) => number;
  /** From so many on they are waited for by time, not by turns. */
  readonly crowdMin: number;
  /** Calls `fn` when a crowd had time enough to ask. */
  readonly late: (fn: () => void) => void;
};

/** Leaves with the microtask that follows the first question. */
export const atOnce: Departure = {
  later: queueMicrotask,
  quietTurnsMin: 0,
  itemsEnough: 1,
  secondItemsMin: 1,
  enoughOf: () => Infinity,
  crowdMin: Infinity,
  late: queueMicrotask,
};

/** A crowd of so many is worth two commits: half of a smaller one does not fill a commit's time. */
const crowdOfTwo = 16;
/** Beyond so many questions a commit of their own costs each of them next to nothing. */
const plenty = 128;
/** Half of a crowd is there in this time, or not soon. */
const crowdMs = 1;

/**
 * Gathers until half of a crowd is there, so that one half is read while the other is committed.
 * The thread sleeps meanwhile: on a small host those who are to ask may need its processor. Fewer
 * gather over turns of the event loop: two quiet ones, because a request over HTTP may need two
 * from its head to its question. A second batch leaves beside the first when it holds half of the
 * crowd too, or is worth a commit of its own anyway: smaller, it would take questions from the one
 * after it. The figures are measured, see `docs/decisions/link-departure.md`.
 */
export function gathering(timers: Timers): Departure {
  return {
    later: (fn) => void timers.immediate(fn),
    quietTurnsMin: 2,
    itemsEnough: plenty,
    secondItemsMin: 48,
    enoughOf: (crowd) => crowd < crowdOfTwo ? crowd : Math.min(plenty, Math.ceil(crowd / 2)),
    crowdMin: crowdOfTwo,
    late: (fn) => void timers.setTimer(crowdMs, fn),
  };
}
