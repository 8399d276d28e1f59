/** Dropping in steps, and what the registry does not have any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  appendOf,
  codeOf,
  leasesOf,
  names,
  receiveOf,
  ShardBench,
  standing,
} from "../../tests/support/shard_bench.ts";
import { SimDisk } from "../../tests/simulation/sim_store.ts";
import type { ExistingNews } from "../../src/link/coordinator_messages.ts";

const { queueKey, otherQueueKey, groupKey } = names;

/** What the registry knows: queues 8 and 20, of 30 keys ever given, and group 3 of 5. */
const existing: ExistingNews = {
  kind: "existing",
  queueKeys: [otherQueueKey, otherQueueKey, 20, 20],
  queueKeyMax: 30,
  groupKeys: [groupKey, groupKey],
  groupKeyMax: 5,
};

/** A disk that drops queues in so many steps, and tells of each before it is taken. */
function slowDisk(steps: number, onStep: () => void): SimDisk {
  const disk = new SimDisk();
  const open = disk.open.bind(disk);
  disk.open = () => {
    const store = open();
    const drop = store.dropQueues.bind(store);
    let left = steps;
    store.dropQueues = (queueKeys) => {
      onStep();
      return --left > 0 || drop(queueKeys);
    };
    return store;
  };
  return disk;
}

test("Shard answers a drop after its last step, and does other work between", async () => {
  const seen: string[] = [];
  let state = { now: "" };
  let sent = { now: "" };
  const bench = new ShardBench(slowDisk(3, () => {
    seen.push(`${state.now}, ${sent.now}`);
    // Asked in the middle: nobody can have sent it before the next step.
    if (seen.length === 1) sent = standing(bench.client.ask("append", appendOf(["b"], 9)));
  }));
  await bench.send(["a"]);
  state = standing(bench.client.ask("dropQueues", { queueKeys: [queueKey] }));
  await bench.pass();
  assert.deepEqual(seen.map((each) => each.slice(0, 7)), ["pending", "pending", "pending"]);
  assert.deepEqual([state.now, sent.now], ["done", "done"]);
  assert.deepEqual([await bench.bodies(), await bench.bodies(9)], [[], ["b"]]);
  assert.equal(await codeOf(bench.send(["late"])), "topic_not_found");
});

test("Shard drops the queues the registry does not have, and nothing newer", async () => {
  const bench = new ShardBench();
  for (const key of [queueKey, otherQueueKey, 30, 31]) await bench.send(["a"], key);
  await bench.receive({ queueKeys: [queueKey, otherQueueKey, 30, 31] });
  bench.shard.heard(existing);
  await bench.pass();

  const bodies = await Promise.all([queueKey, otherQueueKey, 30, 31].map((key) => {
    return bench.bodies(key);
  }));
  assert.deepEqual(bodies, [[], ["a"], [], ["a"]]);
  const places = await bench.ask("places", { groupKey, queueKeys: [queueKey, otherQueueKey] });
  assert.deepEqual(places.map(({ next }) => next), [null, 1]);
});

test("Shard drops the groups the registry does not have, so that retention goes on", async () => {
  const bench = new ShardBench();
  await bench.send(["a"], otherQueueKey);
  for (const key of [groupKey, 4, 6]) {
    const given = await bench.receive({ groupKey: key, queueKeys: [otherQueueKey] });
    await bench.ask("ack", { ...leasesOf(given), groupKey: key });
  }
  bench.shard.heard(existing);
  await bench.pass();
  const next = async (key: number) => {
    const ask = { groupKey: key, queueKeys: [otherQueueKey] };
    return (await bench.ask("places", ask))[0]?.next;
  };
  assert.deepEqual([await next(groupKey), await next(4), await next(6)], [1, null, 1]);
  const deleted = bench.ask("receive", receiveOf({ groupKey: 4, queueKeys: [otherQueueKey] }));
  assert.equal(await codeOf(deleted), "group_not_found");
});

test("Shard drops many orphans a few at a time", async () => {
  const bench = new ShardBench();
  const drops: number[] = [];
  for (let key = 100; key < 300; key++) await bench.send(["a"], key);
  bench.disk.fateOf = (operation) => {
    if (operation.kind === "drop-queues") drops.push(operation.queueKeys.length);
    return "done";
  };
  bench.shard.heard({ ...existing, queueKeyMax: 299 });
  await bench.pass();
  assert.deepEqual(drops, [64, 64, 64, 8]);
});

test("Shard looks for orphans again when there was no room to drop them", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  bench.disk.fateOf = (operation) => operation.kind === "drop-queues" ? "full" : "done";
  bench.shard.heard(existing);
  await bench.pass();
  assert.equal(await codeOf(bench.ask("dropQueues", { queueKeys: [20] })), "disk_full");
  assert.deepEqual(await bench.bodies(), ["a"]);

  bench.disk.fateOf = () => "done";
  await bench.pass(11_000);
  await bench.pass();
  assert.deepEqual(await bench.bodies(), []);
});

test("Shard goes on dropping once its store was opened again after a failed write", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  bench.disk.fateOf = (operation) => operation.kind === "drop-queues" ? "io-before" : "done";
  bench.shard.heard(existing);
  await bench.pass();
  bench.disk.fateOf = () => "done";
  await bench.pass(2_000);
  await bench.pass();
  assert.equal(bench.opened, 2);
  assert.deepEqual(await bench.bodies(), []);
});
