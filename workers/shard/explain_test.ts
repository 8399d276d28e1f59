import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceFacts } from "../../src/model/explanation.ts";
import { groupKey, GroupTurns, queueKey } from "../../tests/support/group_turns.ts";
import { recordOf, ShardTurns } from "../../tests/support/shard_turns.ts";
import { explainPlace } from "./explain.ts";
import { planOffsets, planUndo } from "./plan_places.ts";
import { planSendBack } from "./plan_send_back.ts";

const retryQueueKey = 3;

test("explainPlace() tells what undoing a reset puts a group back to", () => {
  const group = new GroupTurns({ ordered: false, attemptsMax: 1 });
  group.send("1", "2", "3", "4");
  const [, two] = group.receive({ max: 3 });
  group.ack(two);
  reset(group, 0);
  for (const given of group.receive()) group.ack(given);

  undo(group);

  // 1 and 3 were in hand before the reset, and 4 had not been looked at.
  assert.deepEqual([0, 1, 2, 3].map((offset) => movesAt(group, offset)), [
    ["undo puts it back", "reset"],
    ["undo", "reset"],
    ["undo puts it back", "reset"],
    ["undo puts it back", "reset"],
  ]);
});

test("explainPlace() tells of the retry of this copy, not of another one of its id", () => {
  const shard = new ShardTurns();
  for (const body of ["first", "second"]) {
    shard.turn((draft) => draft.append(queueKey, 0, recordOf(body, "id-1")));
  }
  sendBack(shard, 1);

  const times = [0, 1].map((offset) => explained(shard, offset).retry?.times ?? null);

  assert.deepEqual(times, [null, 1]);
});

test("explainPlace() knows a copy among the retries that was sent back again", () => {
  const shard = new ShardTurns();
  shard.turn((draft) => draft.append(queueKey, 0, recordOf("body", "id-1")));
  sendBack(shard, 0);
  const [row] = shard.store.delayedDue(shard.nowMs, 1);
  assert.ok(row !== undefined);
  shard.turn((draft) => draft.release(row));
  sendBack(shard, 0, retryQueueKey);

  assert.equal(explained(shard, 0).retry?.times, 2);
  assert.equal(explained(shard, 0, retryQueueKey).retry?.times, 2);
});

function explained(
  { state, store }: ShardTurns,
  offset: number,
  key: number = queueKey,
): PlaceFacts {
  const about = { groupKey, queueKey: key, offset, retryQueueKey };
  return explainPlace(state, store, { ...about, ordered: false, ttlMs: null, filters: [] });
}

function movesAt({ shard }: GroupTurns, offset: number): string[] {
  return explained(shard, offset).moves
    .map(({ kind, putBack }) => putBack ? `${kind} puts it back` : kind);
}

function reset({ shard }: GroupTurns, offset: number): void {
  const move = { kind: "reset", by: "ops", startFrom: "earliest" } as const;
  const ask = { groupKey, offsets: [{ queueKey, offset }], reset: move };
  shard.turn((draft) => planOffsets(shard.state, draft, shard.store, ask));
}

function undo({ shard }: GroupTurns): void {
  const ask = { groupKey, queueKeys: [queueKey], by: "ops" };
  shard.turn((draft) => planUndo(shard.state, draft, shard.store, ask));
}

/** Gives the message at `offset` back, to be tried again at once. */
function sendBack(shard: ShardTurns, offset: number, key: number = queueKey): void {
  const [entry] = shard.store.entries(key, offset, 1);
  assert.ok(entry !== undefined);
  const ask = {
    position: entry.position,
    delayMs: 0,
    retriesMax: 16,
    retry: { retryDelaysMs: [0], retryBackoff: null },
    retryTopic: "%RETRY%billing",
    retryQueueKey,
    deadLetterTopic: "%DLQ%billing",
    deadLetterQueueKey: 4,
  };
  shard.turn((draft) => planSendBack(draft, shard.store, 0, ask));
}
