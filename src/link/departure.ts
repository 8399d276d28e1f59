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
  /** Questions with which a batch leaves while another one is under way. */
  readonly secondItemsMin: number;
  /** Questions with which a batch leaves at once when so many were open together lately. */
  readonly enoughOf: (crowd: number) => number;
};

/** Leaves with the microtask that follows the first question. */
export const atOnce: Departure = {
  later: queueMicrotask,
  quietTurnsMin: 0,
  itemsEnough: 1,
  secondItemsMin: 1,
  enoughOf: () => Infinity,
};

/** A crowd of so many is worth two commits: half of a smaller one does not fill a commit's time. */
const crowdOfTwo = 16;

/**
 * Gathers until half of a crowd is there, so that one half is read while the other is committed; or
 * over turns of the event loop: two quiet ones, because a request over HTTP needs two from its head
 * to its question. A second batch leaves only when it is worth a commit of its own: with few
 * senders it would take the next batch's questions away from it. The figures are measured, see
 * `docs/decisions/link-departure.md`.
 */
export function gathering(timers: Timers): Departure {
  return {
    later: (fn) => void timers.immediate(fn),
    quietTurnsMin: 2,
    itemsEnough: 256,
    secondItemsMin: 48,
    enoughOf: (crowd) => crowd < crowdOfTwo ? crowd : Math.ceil(crowd / 2),
  };
}
