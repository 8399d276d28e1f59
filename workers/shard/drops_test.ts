/** Dropping in steps, and what the registry does not have any more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  codeOf,
  leasesOf,
  names,
  pullOf,
  receiveOf,
  ShardBench,
  standing,
} from "../../tests/support/shard_bench.ts";
import { SimDisk } from "../../tests/simulation/sim_store.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ExistingNews } from "../../src/link/coordinator_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { Drops } from "./drops.ts";
import { ShardState } from "./state.ts";

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
    store.dropQueues = (queueKeys, rowsMax) => {
      onStep();
      return --left > 0 ? { rows: 2, more: true } : drop(queueKeys, rowsMax);
    };
    return store;
  };
  return disk;
}

/** What a queue holds, or "gone". */
async function held(bench: ShardBench, key = queueKey): Promise<readonly string[] | "gone"> {
  try {
    return await bench.bodies(key);
  } catch (thrown) {
    if (thrown instanceof BrokerError && thrown.code === "topic_not_found") return "gone";
    throw thrown;
  }
}

test("Shard answers a drop before it is done, and does other work between its steps", async () => {
  let steps = 0;
  const bench: ShardBench = new ShardBench(slowDisk(4, () => {
    steps++;
    bench.timers.clock.advance(5);
  }));
  await bench.send(["a"]);
  const state = standing(bench.client.ask("dropQueues", { queueKeys: [queueKey] }));
  await bench.pass();
  assert.deepEqual([state.now, steps], ["done", 1]);
  await bench.send(["b"], 9);
  assert.equal(steps, 1);
  await bench.pass(1_000);
  assert.equal(steps, 4);
  assert.deepEqual([await held(bench), await held(bench, 9)], ["gone", ["b"]]);
  assert.equal(await codeOf(bench.send(["late"])), "topic_not_found");
  const { dropping, dropped } = await bench.ask("stats", null);
  assert.deepEqual([dropping, dropped], [0, 6]);
});

test("Shard shows nothing of a queue that it drops, and tells how much is left", async () => {
  const bench: ShardBench = new ShardBench(slowDisk(1_000_000, () => {
    bench.timers.clock.advance(5);
  }));
  await bench.send(["a"]);
  await bench.receive();
  await bench.ask("dropQueues", { queueKeys: [queueKey] });
  const { dropping, dropped, openDeliveries } = await bench.ask("stats", null);
  assert.deepEqual([dropping, dropped > 0, openDeliveries], [1, true, 0]);
  assert.equal(await codeOf(bench.send(["late"])), "topic_not_found");
  assert.equal(await codeOf(bench.receive()), "topic_not_found");
  // What memory reads back from the tables does not bring it back.
  bench.disk.fateOf = (operation) => operation.kind === "turn" ? "io-before" : "done";
  await codeOf(bench.send(["b"], otherQueueKey));
  bench.disk.fateOf = () => "done";
  await bench.pass(2_000);
  assert.equal((await bench.ask("stats", null)).openDeliveries, 0);
});

test("Drops leaves most of the time to requests, while there are any", () => {
  const clock = new ManualClock();
  const drops = new Drops(clock, silentLog);
  const store = new SimDisk().open();
  const state = new ShardState(store);
  let steps = 0;
  store.dropQueues = () => {
    clock.advance(5);
    return { rows: 1, more: ++steps < 5 };
  };
  drops.ask(store, state, [queueKey]);
  const step = (isAsked: boolean) => drops.step(store, state, isAsked).more;
  assert.deepEqual([step(true), step(true), steps, drops.nextInMs()], [false, false, 1, 45]);
  clock.advance(44);
  assert.deepEqual([step(true), steps], [false, 1]);
  clock.advance(1);
  assert.deepEqual([step(true), steps], [false, 2]);
  drops.charge(2);
  assert.deepEqual([steps, drops.nextInMs()], [2, 63]);
  clock.advance(18);
  // A moment ago there was a request, and there will be another.
  assert.deepEqual([step(false), steps, drops.nextInMs()], [false, 2, 45]);
  clock.advance(500);
  assert.deepEqual([drops.nextInMs(), step(false), step(false), steps], [0, true, true, 4]);
  assert.deepEqual([step(false), drops.queuesLeft, drops.nextInMs()], [false, 0, null]);
});

test("Shard drops the queues the registry does not have, and nothing newer", async () => {
  const bench = new ShardBench();
  for (const key of [queueKey, otherQueueKey, 30, 31]) await bench.send(["a"], key);
  await bench.receive({ queueKeys: [queueKey, otherQueueKey, 30, 31] });
  bench.shard.heard(existing);
  await bench.pass();

  const bodies = await Promise.all([queueKey, otherQueueKey, 30, 31].map((key) => {
    return held(bench, key);
  }));
  assert.deepEqual(bodies, ["gone", ["a"], "gone", ["a"]]);
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
  assert.equal((await bench.ask("stats", null)).messages, 1);

  bench.disk.fateOf = () => "done";
  await bench.pass(11_000);
  await bench.pass();
  assert.equal((await bench.ask("stats", null)).messages, 0);
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
  assert.equal(await held(bench), "gone");
});

test("Drops goes on between turns that come one after the other, and sizes its steps", () => {
  const clock = new ManualClock();
  const drops = new Drops(clock, silentLog);
  const store = new SimDisk().open();
  const state = new ShardState(store);
  const sizes: number[] = [];
  store.dropQueues = (_queueKeys, rowsMax) => {
    sizes.push(rowsMax);
    clock.advance(rowsMax / 100);
    return { rows: rowsMax, more: true };
  };
  drops.ask(store, state, [queueKey]);
  while (clock.monotonicMs() < 1_000) {
    clock.advance(0.25);
    drops.committed(0.2);
    // Upkeep had nothing to do, as in nearly every turn.
    drops.charge(0);
    drops.step(store, state, true);
  }
  assert.deepEqual([sizes.slice(0, 5), sizes.at(-1)], [[16, 32, 64, 128, 200], 200]);
  // A tenth of the time, at a hundred rows a millisecond.
  const { rowsDropped } = drops;
  assert.ok(rowsDropped > 9_500 && rowsDropped < 10_500, `${rowsDropped} rows in a second`);
});

/** A pull, a receive and a watch of this queue that wait for a minute. */
async function waiting(bench: ShardBench, key: number, group = groupKey) {
  const { client } = bench;
  const queueKeys = [key];
  const asked = [
    client.ask("pull", { ...pullOf(0), queueKey: key, waitMs: 60_000 }),
    client.ask("receive", receiveOf({ queueKeys, groupKey: group, waitMs: 60_000 })),
    client.ask("watch", { queueKeys, groupKey: group, ordered: false, waitMs: 60_000 }),
  ].map(standing);
  await bench.pass();
  return () => asked.map(({ now }) => now);
}

test("Shard ends who waits for a topic as soon as it is deleted, and nobody else", async () => {
  const bench = new ShardBench();
  const [doomed, others] = [await waiting(bench, queueKey), await waiting(bench, otherQueueKey)];
  const still = others();
  await bench.ask("dropQueues", { queueKeys: [queueKey] });
  assert.deepEqual(doomed(), ["topic_not_found", "topic_not_found", "topic_not_found"]);
  assert.deepEqual(others(), still);
  assert.equal((await bench.ask("stats", null)).parked, 3);
});

test("Shard ends who waits for a topic that it hears is gone", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  await bench.ask("ack", leasesOf(await bench.receive()));
  const doomed = await waiting(bench, queueKey);
  bench.shard.heard(existing);
  await bench.pass();
  assert.deepEqual(doomed().slice(1), ["topic_not_found", "topic_not_found"]);
});

test("Shard ends who waits for a deleted group, also where the group has no place", async () => {
  const bench = new ShardBench();
  const [doomed, others] = [await waiting(bench, queueKey), await waiting(bench, queueKey, 4)];
  const still = others();
  await bench.ask("dropGroup", { groupKey });
  // A pull is of no group.
  assert.deepEqual(doomed(), [still[0], "group_not_found", "group_not_found"]);
  assert.deepEqual(others(), still);
});
