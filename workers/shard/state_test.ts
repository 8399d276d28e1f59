import assert from "node:assert/strict";
import { test } from "node:test";
import { SimDisk } from "../../tests/simulation/sim_store.ts";
import { turn } from "../../tests/contract/shard_store_contract.ts";
import { ShardState } from "./state.ts";

/** A state, and a store that takes its writes. */
function begun() {
  const disk = new SimDisk();
  const store = disk.open();
  const state = new ShardState(store);
  const commit = () => store.commit(turn(store, [], state.takeWrites()));
  return { state, store, commit };
}

test("reload() finds what was committed, and forgets what was not", () => {
  const { state, store, commit } = begun();
  const deliveries = state.begin(3, 7, 5);
  deliveries.leaseFresh(1_000, 1);
  commit();
  deliveries.leaseFresh(1_000, 2);
  state.touch(3, 7, deliveries);
  state.begin(3, 8, 0);
  state.reload(store);

  const found = state.deliveries(3, 7);
  assert.deepEqual([found?.next, found?.openCount, state.openCount()], [6, 1, 1]);
  assert.equal(state.deliveries(3, 8), undefined);
});

test("takeWrites() names each place once, however often it changed, and then nothing", () => {
  const { state } = begun();
  const deliveries = state.begin(3, 7, 0);
  for (let lease = 1; lease <= 3; lease++) {
    deliveries.leaseFresh(1_000, lease);
    state.touch(3, 7, deliveries);
  }
  const { offsets, inflight } = state.takeWrites();

  assert.deepEqual(offsets, [{ groupKey: 3, queueKey: 7, next: 3 }]);
  assert.deepEqual(inflight.map(({ chunk }) => chunk), [0]);
  assert.deepEqual(state.takeWrites(), { offsets: [], inflight: [] });
});

test("floor() is where the slowest group stands, open messages included", () => {
  const { state } = begun();
  assert.equal(state.floor(7), null);
  state.begin(3, 7, 9);
  const slow = state.begin(4, 7, 4);
  slow.leaseFresh(1_000, 1);
  assert.equal(state.floor(7), 4);
  slow.acknowledge(4, 1);
  assert.equal(state.floor(7), 5);
  state.dropGroup(4);
  assert.equal(state.floor(7), 9);
});

test("takeDueQueues() names a queue when a lease ends, once, and not a millisecond before", () => {
  const { state } = begun();
  const deliveries = state.begin(3, 7, 0);
  deliveries.leaseFresh(1_000, 1);
  state.touch(3, 7, deliveries);
  state.takeWrites();

  assert.equal(state.nextDueMs(), 1_000);
  assert.deepEqual([...state.takeDueQueues(999)], []);
  assert.deepEqual([...state.takeDueQueues(1_000)], [7]);
  assert.deepEqual([...state.takeDueQueues(1_000)], []);
});

test("takeDueQueues() waits for the new end of a lease that was extended", () => {
  const { state } = begun();
  const deliveries = state.begin(3, 7, 0);
  deliveries.leaseFresh(1_000, 1);
  state.touch(3, 7, deliveries);
  state.takeWrites();
  deliveries.extend(0, 1, 3_000);
  state.touch(3, 7, deliveries);
  state.takeWrites();

  assert.deepEqual([...state.takeDueQueues(1_000)], []);
  assert.equal(state.nextDueMs(), 3_000);
  assert.deepEqual([...state.takeDueQueues(3_000)], [7]);
});

test("newLease() gives no number twice, in one millisecond or after a reload", () => {
  const { state, store } = begun();
  const leases = Array.from({ length: 3_000 }, () => state.newLease(50, "client"));
  state.reload(store);
  leases.push(state.newLease(49, "client"));
  assert.equal(new Set(leases).size, leases.length);
  assert.ok(leases.every(Number.isSafeInteger));
});

test("ShardState remembers who was dropped, also when it reads its tables again", () => {
  const { state, store } = begun();
  state.begin(3, 7, 0);
  state.dropGroup(3);
  state.dropQueues([7]);
  state.reload(store);

  assert.throws(() => state.needGroup(3), { code: "group_not_found" });
  state.needGroup(4);
  assert.deepEqual([state.isDropped(7), state.isDropped(8)], [true, false]);
});
