/** Where groups stand: commits forward, resets to anywhere, and taking a reset back. @module */
import type { Deliveries } from "../../src/core/deliveries.ts";
import type {
  CommitOffsetsAsk,
  PlaceReset,
  PreviewResetAnswer,
  PreviewResetAsk,
  UndoAnswer,
  UndoAsk,
} from "../../src/link/shard_messages.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { restoreSnapshot, snapshotOf } from "./place_snapshot.ts";
import type { ShardState } from "./state.ts";

/** How far back a reset is looked for when it is to be undone. */
const eventsLookedAt = 16;

/**
 * Moves committed offsets. Without `reset` they only go forward. A reset is noted with what it
 * threw away, so that it can be told and undone. A first place, which holds retention back from
 * then on, and a reset, which somebody decided, outlive a power cut.
 *
 * @throws {BrokerError} `group_not_found`: it was deleted meanwhile.
 */
export function planOffsets(
  state: ShardState,
  draft: TurnDraft,
  store: Pick<ShardStore, "minOffset" | "maxOffset">,
  ask: CommitOffsetsAsk,
): null {
  const { groupKey, reset } = ask;
  state.needGroup(groupKey);
  for (const { queueKey, offset } of ask.offsets) {
    if (state.isDropped(queueKey)) continue;
    const known = state.deliveries(groupKey, queueKey);
    if (reset !== null) {
      draft.mustSurvive("power-loss");
      // A group that never read is where it would have begun, so that undoing puts it there.
      const { startFrom } = reset;
      const start = startFrom === "earliest"
        ? store.minOffset(queueKey)
        : store.maxOffset(queueKey);
      const place = known ?? state.begin(groupKey, queueKey, start);
      resetPlace(state, draft, { groupKey, queueKey, place }, offset, reset);
    } else if (known === undefined) {
      draft.mustSurvive("power-loss");
      state.begin(groupKey, queueKey, offset);
    } else {
      state.notes.asked(known, draft.nowMs, "a pulling consumer");
      // Idle consumers say where they are every few seconds, and are there still.
      if (known.commit(offset)) state.touch(groupKey, queueKey, known);
    }
  }
  return null;
}

function resetPlace(
  state: ShardState,
  draft: TurnDraft,
  of: { readonly groupKey: number; readonly queueKey: number; readonly place: Deliveries },
  toOffset: number,
  { kind, by }: PlaceReset,
): void {
  const { groupKey, queueKey, place } = of;
  const before = snapshotOf(place);
  const fromOffset = place.committed;
  draft.note({ groupKey, queueKey, kind, by, fromOffset, toOffset, before });
  place.reset(toOffset);
  moved(state, groupKey, queueKey, place);
}

/** What resets to these offsets would do. Changes nothing. */
export function previewReset(
  state: ShardState,
  store: ShardStore,
  { groupKey, targets }: PreviewResetAsk,
): PreviewResetAnswer {
  return targets.map(({ queueKey, toOffset }) => {
    const minOffset = store.minOffset(queueKey);
    const deliveries = state.deliveries(groupKey, queueKey);
    const next = Math.max(deliveries?.next ?? minOffset, minOffset);
    let replayed = Math.max(0, next - Math.max(toOffset, minOffset));
    let skipped = Math.max(0, toOffset - next);
    for (const { offset, attempts } of deliveries?.all() ?? []) {
      if (offset < minOffset) continue;
      if (offset < toOffset) skipped++;
      else if (attempts === 0) replayed--;
    }
    return { replayed, skipped };
  });
}

/** Puts a group back to where the newest reset, or clone, of each queue found it. */
export function planUndo(
  state: ShardState,
  draft: TurnDraft,
  store: ShardStore,
  ask: UndoAsk,
): UndoAnswer {
  state.needGroup(ask.groupKey);
  const undone = ask.queueKeys.flatMap((queueKey) => {
    const known = state.deliveries(ask.groupKey, queueKey);
    const [newest] = store.events(ask.groupKey, queueKey, eventsLookedAt)
      .filter(({ kind }) => kind === "reset" || kind === "clone" || kind === "undo");
    if (known === undefined || newest === undefined || newest.kind === "undo") return [];
    const fromOffset = known.committed;
    restoreSnapshot(known, newest.before, newest.fromOffset);
    const toOffset = known.committed;
    const { groupKey, by } = ask;
    const before = new Uint8Array(0);
    draft.note({ groupKey, queueKey, kind: "undo", by, fromOffset, toOffset, before });
    moved(state, groupKey, queueKey, known);
    return [{ queueKey, fromOffset, toOffset }];
  });
  return { undone };
}

function moved(state: ShardState, groupKey: number, queueKey: number, known: Deliveries): void {
  state.forgetWindow(groupKey, queueKey);
  state.unblock(queueKey);
  state.touch(groupKey, queueKey, known);
}
