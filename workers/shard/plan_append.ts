/** Sends: messages become visible with the turn's commit. @module */
import type {
  AppendAnswer,
  AppendRequest,
  Repeat,
  RepeatRule,
} from "../../src/link/shard_messages.ts";
import { recordQueueId, recordTopic } from "../../src/model/record.ts";
import type { FirstPlace, TurnDraft } from "./draft.ts";
import { firstPlaceOf, type RepeatParts } from "./repeats.ts";

/** An answer, and what is remembered once the turn is committed. */
export type PlannedAppend = { readonly answer: AppendAnswer; readonly settle: () => void };

const noRepeats: readonly Repeat[] = [];
const nothingToSettle = () => {};

/** Appends the messages of the request to its queue, in order, but for those sent before. */
export function planAppend(parts: RepeatParts, request: AppendRequest): PlannedAppend {
  const { draft } = parts;
  draft.mustSurvive(request.durability);
  if (request.repeats !== null) return planUnique(parts, request, request.repeats);
  const { queueKey, tagHashes, records } = request;
  let firstOffset = -1;
  let firstPosition = -1;
  for (let index = 0; index < records.length; index++) {
    const place = draft.append(queueKey, tagHashes[index] ?? 0, records[index]!);
    if (index > 0) continue;
    firstOffset = place.offset;
    firstPosition = place.position;
  }
  const answer = { firstOffset, firstPosition, storedMs: draft.storedMs, repeats: noRepeats };
  return { answer, settle: nothingToSettle };
}

function planUnique(
  parts: RepeatParts,
  { queueKey, tagHashes, records }: AppendRequest,
  rule: RepeatRule,
): PlannedAppend {
  const { draft, state } = parts;
  // All reading before the first append: what fails here leaves the draft as it was.
  const topic = records[0] === undefined ? "" : recordTopic(records[0], 0);
  const places = rule.ids.map((id) => id === "" ? null : firstPlaceOf(id, topic, rule, parts));
  const repeats: Repeat[] = [];
  const fresh: { readonly id: string; readonly position: number }[] = [];
  let first: { readonly offset: number; readonly position: number } | null = null;
  records.forEach((record, index) => {
    const id = rule.ids[index] ?? "";
    const name = `${topic}\n${id}`;
    const known = places[index] ?? (id === "" ? undefined : draft.firstPlaces.get(name));
    if (known !== undefined && known !== null) {
      repeats.push({ index, ...known });
      return;
    }
    const place = draft.append(queueKey, tagHashes[index] ?? 0, record);
    first ??= place;
    if (id === "") return;
    fresh.push({ id, position: place.position });
    draft.firstPlaces.set(name, newPlace(record, place, draft));
  });
  const { offset: firstOffset, position: firstPosition } = first ?? { offset: -1, position: -1 };
  const { storedMs } = draft;
  const settle = () => {
    for (const { id, position } of fresh) {
      state.recentIds.add(id, position, storedMs, rule.windowMs);
    }
  };
  return { answer: { firstOffset, firstPosition, storedMs, repeats }, settle };
}

function newPlace(
  record: Uint8Array,
  place: { readonly offset: number; readonly position: number },
  draft: TurnDraft,
): FirstPlace {
  return { queueId: recordQueueId(record, 0), ...place, storedMs: draft.storedMs };
}
