import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "./delay_schedule.ts";

test("Alarms.due() names a shard at its time, not a millisecond before, and once", () => {
  const alarms = new Alarms(3);
  alarms.set(2, 5_000);

  assert.deepEqual(alarms.due(4_999), []);
  assert.deepEqual(alarms.due(5_000), [2]);
  assert.deepEqual(alarms.due(5_001), []);
});

test("Alarms.set() replaces a shard's alarm, and null takes it away", () => {
  const alarms = new Alarms(2);
  alarms.set(0, 100);
  alarms.set(0, 300);
  alarms.set(1, 200);
  assert.equal(alarms.nextDueMs(), 200);

  alarms.set(1, null);
  assert.equal(alarms.nextDueMs(), 300);
  assert.deepEqual(alarms.due(299), []);
});

test("Alarms.nextDueMs() is the earliest of all shards, null without one", () => {
  const alarms = new Alarms(3);
  assert.equal(alarms.nextDueMs(), null);
  alarms.set(0, 30);
  alarms.set(1, 10);
  alarms.set(2, 20);
  assert.equal(alarms.nextDueMs(), 10);
  assert.deepEqual(alarms.due(20), [1, 2]);
  assert.equal(alarms.nextDueMs(), 30);
});

test("Alarms.set() refuses a shard that is not there", () => {
  assert.throws(() => new Alarms(1).set(1, 0), /a shard of this broker/);
});
