import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueLocks } from "./queue_locks.ts";

const q0 = { topic: "orders", queueId: 0 };
const q1 = { topic: "orders", queueId: 1 };

test("QueueLocks.lock() grants what is free and leaves out what another client holds", () => {
  const locks = new QueueLocks();
  assert.deepEqual(locks.lock("g", "a", [q0], 0), [q0]);
  assert.deepEqual(locks.lock("g", "b", [q0, q1], 1), [q1]);
});

test("QueueLocks holds a queue for 60 s after the last LOCK, and not a millisecond more", () => {
  const locks = new QueueLocks();
  locks.lock("g", "a", [q0], 1_000);

  assert.deepEqual(locks.lock("g", "b", [q0], 60_999), []);
  assert.equal(locks.ownerOf("g", "orders", 0, 60_999), "a");
  assert.equal(locks.ownerOf("g", "orders", 0, 61_000), null);
  assert.deepEqual(locks.lock("g", "b", [q0], 61_000), [q0]);
});

test("QueueLocks.lock() by the owner begins the time anew", () => {
  const locks = new QueueLocks();
  locks.lock("g", "a", [q0], 0);
  assert.deepEqual(locks.lock("g", "a", [q0], 40_000), [q0]);

  assert.deepEqual(locks.lock("g", "b", [q0], 99_999), []);
  assert.deepEqual(locks.lock("g", "b", [q0], 100_000), [q0]);
});

test("QueueLocks.unlock() frees for the owner only", () => {
  const locks = new QueueLocks();
  locks.lock("g", "a", [q0], 0);

  locks.unlock("g", "b", [q0]);
  assert.equal(locks.ownerOf("g", "orders", 0, 1), "a");
  locks.unlock("g", "a", [q0]);
  assert.equal(locks.ownerOf("g", "orders", 0, 1), null);
});

test("QueueLocks tells groups apart", () => {
  const locks = new QueueLocks();
  locks.lock("g", "a", [q0], 0);
  assert.deepEqual(locks.lock("h", "b", [q0], 0), [q0]);
});

test("QueueLocks refuses a new lock when it is full, renews, and has room when one is over", () => {
  const locks = new QueueLocks(1);
  locks.lock("g", "a", [q0], 0);

  assert.deepEqual(locks.lock("g", "a", [q0, q1], 10_000), [q0]);
  assert.deepEqual(locks.lock("g", "b", [q1], 69_999), []);
  assert.deepEqual(locks.lock("g", "b", [q1], 70_000), [q1]);
  assert.equal(locks.size, 1);
});

test("QueueLocks.forgetGroup() and forgetTopic() free what belonged to them", () => {
  const locks = new QueueLocks();
  const other = { topic: "bills", queueId: 0 };
  locks.lock("g", "a", [q0, other], 0);
  locks.lock("h", "a", [q0], 0);

  locks.forgetGroup("h");
  assert.deepEqual(locks.lock("h", "b", [q0], 1), [q0]);
  locks.forgetTopic("orders");
  assert.equal(locks.ownerOf("g", "orders", 0, 1), null);
  assert.equal(locks.ownerOf("g", "bills", 0, 1), "a");
});
