/** Where groups go on at the target: their places, translated by what was copied. @module */
import { WireError } from "../../model/errors.ts";
import { RefusedError, UnreachableError } from "../failure.ts";
import type { GroupPlace } from "./facts.ts";
import { targetOffsetOf } from "./offset_map.ts";
import type { GroupPlan } from "./plan.ts";
import { queueName, type QueueState } from "./state.ts";
import type { Target } from "./target.ts";

/** A place of the source, with the broker it is on. */
export type SourcePlace = GroupPlace & { readonly broker: string };

/** What became of one place. */
export type PlaceReport = {
  readonly group: string;
  readonly topic: string;
  readonly broker: string;
  readonly queueId: number;
  readonly targetQueueId: number;
  readonly sourceOffset: number;
  readonly targetOffset: number;
  /**
   * `set`: it stands there. `copying`: at the end of what is copied; the group read further, and
   * another run moves it on. `kept`: the target's place is another one, and was not moved back.
   */
  readonly outcome: "set" | "copying" | "kept" | "failed";
  readonly problem?: string;
};

/** Sets the places of one group. A place whose queue was not begun is left out. */
export async function setPlaces(
  group: GroupPlan,
  places: readonly SourcePlace[],
  states: ReadonlyMap<string, QueueState>,
  target: Pick<Target, "commit" | "place">,
): Promise<PlaceReport[]> {
  const reports: PlaceReport[] = [];
  for (const place of places) {
    const state = states.get(queueName(place));
    if (place.group !== group.name || state === undefined) continue;
    reports.push(await setPlace(place, state, target));
  }
  return reports;
}

async function setPlace(
  place: SourcePlace,
  state: QueueState,
  target: Pick<Target, "commit" | "place">,
): Promise<PlaceReport> {
  const { group, topic, broker, queueId, offset: sourceOffset } = place;
  const { targetQueueId, stretches, targetNext, next } = state;
  const wanted = targetOffsetOf(stretches, sourceOffset, targetNext);
  const queue = { topic, queueId: targetQueueId };
  const head = { group, topic, broker, queueId, targetQueueId, sourceOffset };
  try {
    const before = await target.place(group, queue);
    if (before === undefined || before < wanted) await target.commit(group, queue, wanted);
    const after = await target.place(group, queue);
    if (after === wanted) {
      const outcome = sourceOffset > next ? "copying" : "set";
      return { ...head, targetOffset: wanted, outcome };
    }
    return { ...head, targetOffset: after ?? wanted, outcome: "kept" };
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    return { ...head, targetOffset: wanted, outcome: "failed", problem: thrown.message };
  }
}

/** Whether something failed that is no bug of ours. */
export function isFailure(thrown: unknown): thrown is Error {
  return thrown instanceof RefusedError || thrown instanceof UnreachableError ||
    thrown instanceof WireError;
}
