/** Sends: messages become visible with the turn's commit. @module */
import type { AppendAnswer, AppendRequest } from "../../src/link/shard_messages.ts";
import type { TurnDraft } from "./draft.ts";

/** Appends all messages of the request to its queue, in order. */
export function planAppend(draft: TurnDraft, request: AppendRequest): AppendAnswer {
  const { queueKey, tagHashes, records } = request;
  draft.mustSurvive(request.durability);
  let firstOffset = -1;
  let firstPosition = -1;
  for (let index = 0; index < records.length; index++) {
    const place = draft.append(queueKey, tagHashes[index] ?? 0, records[index]!);
    if (index > 0) continue;
    firstOffset = place.offset;
    firstPosition = place.position;
  }
  return { firstOffset, firstPosition, storedMs: draft.storedMs };
}
