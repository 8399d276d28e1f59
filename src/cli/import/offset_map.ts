/**
 * Where the messages of a source's queue stand in the target's: stretches in which both offsets
 * grow by one.
 *
 *     source   5 6 7 │ 9 10 │ 11        8 was gone at the source; between 10 and 11
 *     target   0 1 2 │ 3  4 │  6        somebody else wrote to the target
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { limits } from "../../base/limits.ts";
import { RefusedError } from "../failure.ts";

/** First source offset, first target offset, how many. */
export type Stretch = [source: number, target: number, count: number];

/**
 * Notes that the message at `source` was stored at `target`.
 *
 * @throws {RefusedError} The queue has more stretches than are kept.
 */
export function addPair(stretches: Stretch[], source: number, target: number): void {
  const last = stretches.at(-1);
  if (last !== undefined) {
    const [lastSource, lastTarget, count] = last;
    assert(source >= lastSource + count, "the source's offsets grow");
    assert(target >= lastTarget + count, "the target's offsets grow");
    if (source === lastSource + count && target === lastTarget + count) {
      last[2]++;
      return;
    }
  }
  if (stretches.length === limits.importStretchesMax) {
    throw new RefusedError(
      "target_in_use",
      `Others wrote between the copied messages ${stretches.length} times: ` +
        "stop the target's producers of this topic until it is copied",
      false,
    );
  }
  stretches.push([source, target, 1]);
}

/**
 * The target's offset from which a group has to go on that stood at `source`: that of the first
 * copied message which is not before it. Behind the last one: `end`, the target's next offset.
 */
export function targetOffsetOf(
  stretches: readonly Stretch[],
  source: number,
  end: number,
): number {
  for (const [first, target, count] of stretches) {
    if (source < first + count) return target + Math.max(0, source - first);
  }
  return end;
}

/** How many messages were copied. */
export function pairsIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, [, , count]) => sum + count, 0);
}

/** What became of the offsets that were passed; `missing`: the source had no message there. */
export type Passed = { readonly copied: number; readonly missing: number; readonly others: number };

/** Counts what lies behind a queue's state. `others`: messages that are not ours at the target. */
export function passedOf(state: {
  readonly stretches: readonly Stretch[];
  readonly firstOffset: number;
  readonly next: number;
  readonly skipped: number;
  readonly targetBase: number;
  readonly targetNext: number;
}): Passed {
  const copied = pairsIn(state.stretches);
  return {
    copied,
    missing: state.next - state.firstOffset - copied - state.skipped,
    others: state.targetNext - state.targetBase - copied,
  };
}
