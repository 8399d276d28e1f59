import assert from "node:assert/strict";
import { test } from "node:test";
import { groupOf, ScriptedShards, topicIn } from "../../tests/support/scripted_shards.ts";
import { codeOf } from "../../tests/support/shard_bench.ts";
import { Offsets, queuesByShard } from "./offsets.ts";

/** Topic "t" with queues 1, 2, 3 in shards 0, 1, 0; a queue's places are told by its key. */
function places(next: number | null = 5, openDeliveries = 0) {
  const committed: string[] = [];
  const shards = new ScriptedShards(2, {
    places: ({ queueKeys }) =>
      queueKeys.map((queueKey) => ({
        queueKey,
        next,
        committed: next,
        openDeliveries,
        unmatched: 0,
        expired: 0,
        minOffset: queueKey,
        maxOffset: 10 + queueKey,
      })),
    ranges: ({ queueKeys }) =>
      queueKeys.map((queueKey) => ({ queueKey, minOffset: queueKey, maxOffset: 10 + queueKey })),
    commitOffsets: ({ groupKey, offsets, reset }, shard) => {
      const moves = offsets.map(({ queueKey, offset }) => `${queueKey} to ${offset}`);
      committed.push(`${shard}: group ${groupKey}, ${moves}${reset ? ", reset" : ""}`);
      return null;
    },
    offsetAtTime: ({ queueKey, ms }) => queueKey + ms,
  });
  shards.view.putTopic(topicIn("t", [0, 1, 0]));
  shards.view.putGroup(groupOf("g", 3));
  return { offsets: new Offsets(shards.view, shards.router), committed, shards };
}

test("queuesByShard() gathers the keys of each shard", () => {
  assert.deepEqual([...queuesByShard(topicIn("t", [0, 1, 0]))], [[0, [1, 3]], [1, [2]]]);
});

test("places() answers by queue id, whichever shard a queue is in", async () => {
  const { offsets } = places(5, 2);
  const answer = await offsets.places("g", "t");

  assert.deepEqual(answer.map(({ queueId, minOffset }) => [queueId, minOffset]), [
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  assert.deepEqual(answer.map(({ lag }) => lag), [11 - 5 + 2, 12 - 5 + 2, 13 - 5 + 2]);
});

test("places() counts what a group without a place has before it", async () => {
  const [first] = await places(null).offsets.places("g", "t");
  assert.deepEqual([first?.committedOffset, first?.lag], [null, 10]);
});

test("places() of all topics leaves out where the group never was", async () => {
  assert.deepEqual(await places(null).offsets.places("g", null), []);
  assert.equal((await places(5).offsets.places("g", null)).length, 3);
});

test("commit() goes to the queue's own shard, and is no reset", async () => {
  const { offsets, committed } = places();
  await offsets.commit("g", "t", 1, 9);
  assert.deepEqual(committed, ["1: group 3, 2 to 9"]);
  assert.equal(await codeOf(offsets.commit("g", "t", 3, 9)), "queue_not_found");
});

test("reset() finds each queue's own offset", async () => {
  const targets = [
    { kind: "earliest" },
    { kind: "latest" },
    { kind: "time", ms: 100 },
    { kind: "offset", queueId: 2, offset: 3 },
  ] as const;
  const moves: string[] = [];
  for (const target of targets) {
    const { offsets, committed } = places();
    await offsets.reset("g", "t", target, "somebody");
    moves.push(committed.map((line) => line.replace(/.*, (.*), reset/, "$1")).sort().join("; "));
  }
  assert.deepEqual(moves, [
    "1 to 1; 2 to 2; 3 to 3",
    "1 to 11; 2 to 12; 3 to 13",
    "1 to 101; 2 to 102; 3 to 103",
    "3 to 3",
  ]);
});

test("reset() to an offset takes both ends of the queue, and nothing beyond", async () => {
  const { offsets, committed } = places();
  const to = (offset: number) =>
    codeOf(offsets.reset("g", "t", { kind: "offset", queueId: 0, offset }, "somebody"));

  assert.deepEqual([await to(1), await to(11)], ["none", "none"]);
  assert.equal(committed.length, 2);
  assert.deepEqual([await to(0), await to(12)], ["invalid_argument", "invalid_argument"]);
  assert.equal(committed.length, 2);
});

test("ranges() answers by queue id", async () => {
  const ranges = await places().offsets.ranges("t");
  assert.deepEqual(ranges.map(({ minOffset, maxOffset }) => [minOffset, maxOffset]), [
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
});
