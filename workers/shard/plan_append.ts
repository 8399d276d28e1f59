/** Sends: messages become visible with the turn's commit. @module */
import type { Repeat, RepeatRule } from "../../src/link/repeats.ts";
import type { AppendAnswer, AppendRequest } from "../../src/link/shard_messages.ts";
import { recordTopic } from "../../src/model/record.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { firstPlaceOf } from "./repeats.ts";
import type { ShardState } from "./state.ts";

/** What planning a send works on. */
export type AppendParts = {
  readonly draft: TurnDraft;
  readonly state: ShardState;
  readonly store: ShardStore;
};

const noRepeats: readonly Repeat[] = [];

/** Appends the messages of the request to its queue, in order, but for those sent before. */
export function planAppend(parts: AppendParts, request: AppendRequest): AppendAnswer {
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
  return { firstOffset, firstPosition, storedMs: draft.storedMs, repeats: noRepeats };
}

function planUnique(
  parts: AppendParts,
  { queueKey, tagHashes, records }: AppendRequest,
  rule: RepeatRule,
): AppendAnswer {
  const { draft, state, store } = parts;
  const search = { nowMs: draft.nowMs, state, store };
  // All reading before the first append: what fails here leaves the draft as it was.
  const topic = records[0] === undefined ? "" : recordTopic(records[0], 0);
  const places = rule.ids.map((id) => id === "" ? null : firstPlaceOf(id, topic, rule, search));
  const repeats: Repeat[] = [];
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
    draft.noteId(id, record, place, rule.windowMs);
  });
  const { offset: firstOffset, position: firstPosition } = first ?? { offset: -1, position: -1 };
  return { firstOffset, firstPosition, storedMs: draft.storedMs, repeats };
}
