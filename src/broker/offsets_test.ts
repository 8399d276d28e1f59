import assert from "node:assert/strict";
import { test } from "node:test";
import { groupOf, ScriptedShards, topicIn } from "../../tests/support/scripted_shards.ts";
import { codeOf } from "../../tests/support/shard_bench.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { PlacesMove } from "./broker.ts";
import { Offsets, queuesByShard } from "./offsets.ts";

/** Topic "t" with queues 1, 2, 3 in shards 0, 1, 0; a queue's places are told by its key. */
function places(next: number | null = 5, openDeliveries = 0, fullShard = -1) {
  const placeOf = (queueKey: number) => ({
    queueKey,
    next,
    committed: next,
    openDeliveries,
    unmatched: 0,
    expired: 0,
    minOffset: queueKey,
    maxOffset: 10 + queueKey,
  });
  const committed: string[] = [];
  const told: string[] = [];
  const tell = (what: string) => ({ group, topic, offsets }: PlacesMove) => {
    const where = offsets.map(({ queueId, offset }) => `${queueId} to ${offset}`);
    told.push(`${what} ${group} in ${topic}: ${where} after ${committed.length} commits`);
  };
  const shards = new ScriptedShards(2, {
    places: ({ queueKeys }) => queueKeys.map(placeOf),
    // Queue 99 belongs to a topic that is gone meanwhile.
    groupPlaces: ({ groupKeys }, shard) =>
      groupKeys.map((key) =>
        key !== 3 || next === null ? [] : (shard === 0 ? [3, 1, 99] : [2]).map(placeOf)
      ),
    undoReset: ({ queueKeys }) => ({
      undone: queueKeys.map((queueKey) => ({ queueKey, fromOffset: 5, toOffset: 5 })),
    }),
    ranges: ({ queueKeys }) =>
      queueKeys.map((queueKey) => ({ queueKey, minOffset: queueKey, maxOffset: 10 + queueKey })),
    commitOffsets: ({ groupKey, offsets, reset }, shard) => {
      if (shard === fullShard) throw new BrokerError("disk_full");
      for (const { queueKey, offset } of offsets) {
        const move = `${queueKey} to ${offset}${reset ? ", reset" : ""}`;
        committed.push(`${shard}: group ${groupKey}, ${move}`);
      }
      return null;
    },
    offsetAtTime: ({ queueKey, ms }) => queueKey + ms,
  });
  shards.view.putTopic(topicIn("t", [0, 1, 0]));
  shards.view.putGroup(groupOf("g", 3));
  const news = {
    placesMoving: tell("moving"),
    placesMoved: tell("moved"),
    placesStayed: tell("stayed"),
  };
  return { offsets: new Offsets(shards.view, shards.router, news), committed, shards, told };
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
  const { offsets, shards } = places(5);
  assert.deepEqual((await offsets.places("g", null)).map(({ queueId }) => queueId), [0, 1, 2]);
  assert.deepEqual(shards.asked, ["0 groupPlaces", "1 groupPlaces"]);
});

test("placesOfGroups() asks a shard once for many groups, and leaves out strangers", async () => {
  const { offsets, shards } = places();
  const others = Array.from({ length: limits.groupsPerPlacesAskMax }, (_, at) => `g${at}`);
  for (const [at, name] of others.entries()) shards.view.putGroup(groupOf(name, 10 + at));

  const found = await offsets.placesOfGroups(["g", ...others, "stranger"]);

  assert.deepEqual([found.get("g")?.length, found.get("g1")?.length], [3, 0]);
  assert.equal(found.has("stranger"), false);
  assert.deepEqual(shards.asked, [
    ...["0 groupPlaces", "1 groupPlaces"],
    ...["0 groupPlaces", "1 groupPlaces"],
  ]);
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

test("reset() of several queues is one move, told before the shards are and after", async () => {
  const { offsets, committed, told } = places();
  const moves = [{ queueId: 2, offset: 4 }, { queueId: 0, offset: 1 }];

  await offsets.reset("g", "t", { kind: "offsets", offsets: moves }, "somebody");

  assert.deepEqual(committed.sort(), ["0: group 3, 1 to 1, reset", "0: group 3, 3 to 4, reset"]);
  assert.deepEqual(told, [
    "moving g in t: 2 to 4,0 to 1 after 0 commits",
    "moved g in t: 2 to 4,0 to 1 after 2 commits",
  ]);
});

test("reset() that one shard refuses sends nobody on in its queues", async () => {
  const { offsets, told } = places(5, 0, 1);
  assert.equal(await codeOf(offsets.reset("g", "t", { kind: "latest" }, "somebody")), "disk_full");
  assert.deepEqual(told.map((line) => line.replace(/ after.*/, "")), [
    "moving g in t: 0 to 11,1 to 12,2 to 13",
    "stayed g in t: 1 to 12",
    "moved g in t: 0 to 11,2 to 13",
  ]);
});

test("clone() and undo() are told too", async () => {
  const { offsets, told, shards } = places();
  shards.view.putGroup(groupOf("h", 4));
  await offsets.clone("g", "h", "t", "somebody");
  await offsets.undo("g", "t", "somebody");
  const where = "0 to 5,1 to 5,2 to 5 after";
  assert.deepEqual(told, [
    `moving h in t: ${where} 0 commits`,
    `moved h in t: ${where} 3 commits`,
    `moving g in t: ${where} 3 commits`,
    `moved g in t: ${where} 3 commits`,
  ]);
});

test("ranges() answers by queue id", async () => {
  const ranges = await places().offsets.ranges("t");
  assert.deepEqual(ranges.map(({ minOffset, maxOffset }) => [minOffset, maxOffset]), [
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
});
