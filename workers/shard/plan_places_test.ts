import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { groupKey, GroupTurns, queueKey, shown } from "../../tests/support/group_turns.ts";
import { planOffsets, planUndo } from "./plan_places.ts";

test("planOffsets() moves a group forward by a commit, and never back", () => {
  const group = openGroup(["1", "2", "3"]);

  move(group, 2, null);
  move(group, 1, null);

  assert.equal(group.deliveries.committed, 2);
  assert.deepEqual(events(group), []);
});

test("planOffsets() resets to anywhere, and expires what is leased", () => {
  const group = openGroup(["1", "2", "3"]);
  const given = group.receive({ max: 2 });

  move(group, 0, "reset");

  assert.deepEqual(group.nack(given), ["expired", "expired"]);
  assert.equal(shown(group.receive()), "1#1 2#1 3#1");
  assert.deepEqual(events(group), ["reset by ops: 0 to 0"]);
});

test("planUndo() puts back what was open, with its attempts, and gives no lease back", () => {
  const group = openGroup(["1", "2", "3", "4"]);
  const [one, two, three] = group.receive({ max: 3 });
  group.ack(two);
  group.nack([three], 5_000);
  move(group, 4, "reset");
  assert.equal(shown(group.receive()), "");

  assert.deepEqual(undo(group), [{ queueKey, fromOffset: 4, toOffset: 0 }]);

  assert.deepEqual(group.nack([one]), ["expired"]);
  assert.equal(shown(group.receive()), "4#1");
  group.later(5_000);
  assert.equal(shown(group.receive()), "3#2");
  group.later(5_000);
  assert.equal(shown(group.receive({ max: 1 })), "4#2");
  assert.equal(shown(group.receive({ max: 1 })), "1#2");
  assert.deepEqual(events(group), ["undo by ops: 4 to 0", "reset by ops: 0 to 4"]);
});

test("planUndo() takes a clone back as well, also after a restart", () => {
  const group = openGroup(["1", "2"]);
  group.ack(...group.receive({ max: 1 }));
  move(group, 0, "clone");
  group.shard.restart();

  assert.deepEqual(undo(group), [{ queueKey, fromOffset: 0, toOffset: 1 }]);
  assert.equal(shown(group.receive()), "2#1");
});

test("planUndo() puts a group that never read back to where it would have begun", () => {
  for (const kind of ["reset", "clone"] as const) {
    for (const [startFrom, start] of [["earliest", 0], ["latest", 3]] as const) {
      const group = new GroupTurns({ ordered: false });
      group.send("1", "2", "3");
      move(group, 2, kind, startFrom);
      group.shard.restart();
      assert.equal(group.deliveries.next, 2);

      assert.deepEqual(undo(group), [{ queueKey, fromOffset: 2, toOffset: start }]);
      const expected = [`undo by ops: 2 to ${start}`, `${kind} by ops: ${start} to 2`];
      assert.deepEqual(events(group), expected);
      assert.deepEqual(undo(group), []);
    }
  }
});

test("planUndo() takes no commit back, and no group's own beginning", () => {
  const group = openGroup(["1", "2"]);
  group.receive({ max: 1 });
  move(group, 1, null);
  assert.deepEqual(undo(group), []);
});

test("planUndo() takes a reset back once", () => {
  const group = openGroup(["1", "2"]);
  assert.deepEqual(undo(group), []);
  move(group, 2, "reset");
  undo(group);

  assert.deepEqual(undo(group), []);
});

test("planUndo() keeps parked keys parked and what waits behind them in order", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1", "a2", "b1");
  const [, b1] = group.receive();
  group.ack(b1);
  group.later(10_000);
  group.receive();
  assert.deepEqual(group.parked(), ["a@0: 1, 1"]);
  move(group, 3, "reset");
  assert.deepEqual(group.parked(), []);

  undo(group);

  assert.deepEqual(group.parked(), ["a@0: 1, 1"]);
  assert.equal(shown(group.receive()), "");
});

test("planUndo() hands out again what was open beyond what a snapshot holds", () => {
  const bodies = Array.from({ length: limits.undoneOpenMax + 1 }, (_, index) => `${index}`);
  const group = openGroup(bodies);
  group.receive({ max: bodies.length });
  move(group, bodies.length, "reset");

  undo(group);

  assert.equal(group.deliveries.next, 0);
  assert.equal(shown(group.receive({ max: 1 })), "0#1");
});

function openGroup(bodies: readonly string[]): GroupTurns {
  const group = new GroupTurns({ ordered: false });
  group.send(...bodies);
  move(group, 0, null);
  return group;
}

function move(
  group: GroupTurns,
  offset: number,
  kind: "reset" | "clone" | null,
  startFrom: "earliest" | "latest" = "earliest",
): void {
  const reset = kind === null ? null : { kind, by: "ops", startFrom } as const;
  const ask = { groupKey, offsets: [{ queueKey, offset }], reset };
  const { state, store } = group.shard;
  group.shard.turn((draft) => planOffsets(state, draft, store, ask));
}

function undo(group: GroupTurns) {
  const { state, store } = group.shard;
  const ask = { groupKey, queueKeys: [queueKey], by: "ops" };
  return group.shard.turn((draft) => planUndo(state, draft, store, ask)).undone;
}

function events(group: GroupTurns): string[] {
  return group.shard.store.events(groupKey, queueKey, 10)
    .map(({ kind, by, fromOffset, toOffset }) => `${kind} by ${by}: ${fromOffset} to ${toOffset}`);
}
