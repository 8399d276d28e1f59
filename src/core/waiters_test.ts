import assert from "node:assert/strict";
import { test } from "node:test";
import { Waiters } from "./waiters.ts";

function parked(waitersMax = 100) {
  const waiters = new Waiters<string>(waitersMax);
  const park = (id: number, queueKeys: number[], deadlineMs = 1_000, sequence?: number) =>
    waiters.park({
      id,
      queueKeys,
      deadlineMs,
      sequence: sequence ?? waiters.nextSequence(),
      request: `request ${id}`,
    });
  return { waiters, park };
}

const ids = (taken: readonly { id: number }[]) => taken.map(({ id }) => id);

test("wake() takes everyone who names one of the queues, once, and nobody else", () => {
  const { waiters, park } = parked();
  park(1, [7, 8]);
  park(2, [9]);
  park(3, [8]);

  assert.deepEqual(ids(waiters.wake([7, 8])), [1, 3]);
  assert.deepEqual(ids(waiters.wake([7, 8])), []);
  assert.equal(waiters.size, 1);
});

test("wake() keeps the order of arrival for a waiter that is parked again", () => {
  const { waiters, park } = parked();
  park(1, [7]);
  park(2, [7]);
  const [first] = waiters.wake([7]);
  park(3, [7]);
  park(2, [7], 1_000, 2);
  park(1, [7], 1_000, first?.sequence);

  assert.deepEqual(ids(waiters.wake([7])), [1, 2, 3]);
});

test("expire() takes a waiter at its deadline, and not a millisecond before", () => {
  const { waiters, park } = parked();
  park(1, [7], 2_000);
  park(2, [7], 1_000);

  assert.deepEqual(ids(waiters.expire(999)), []);
  assert.deepEqual(ids(waiters.expire(1_000)), [2]);
  assert.equal(waiters.nextDeadlineMs(), 2_000);
  assert.deepEqual(ids(waiters.expire(5_000)), [1]);
  assert.deepEqual([waiters.nextDeadlineMs(), waiters.size], [null, 0]);
});

test("expire() does not take a waiter by the deadline of its place before", () => {
  const { waiters, park } = parked();
  park(1, [7], 1_000);
  waiters.wake([7]);
  park(1, [7], 3_000);

  assert.equal(waiters.nextDeadlineMs(), 3_000);
  assert.deepEqual(ids(waiters.expire(2_999)), []);
});

test("forget() takes the waiter once, and its queues wake nobody then", () => {
  const { waiters, park } = parked();
  park(1, [7, 8]);

  assert.equal(waiters.forget(1)?.request, "request 1");
  assert.equal(waiters.forget(1), undefined);
  assert.deepEqual([ids(waiters.wake([7, 8])), waiters.nextDeadlineMs()], [[], null]);
});

test("takeWhere() takes those whose request is meant, from queues and deadlines too", () => {
  const { waiters, park } = parked();
  park(1, [7]);
  park(2, [7, 8]);
  assert.deepEqual(ids(waiters.takeWhere((request) => request === "request 2")), [2]);
  assert.deepEqual(ids(waiters.takeWhere((request) => request === "request 2")), []);
  assert.deepEqual([ids(waiters.wake([7, 8])), waiters.nextDeadlineMs()], [[1], null]);
});

test("Waiters is full at waitersMax, and has room again after one left", () => {
  const { waiters, park } = parked(2);
  park(1, [7]);
  assert.equal(waiters.full, false);
  park(2, [7]);
  assert.equal(waiters.full, true);
  assert.throws(() => park(3, [7]), { name: "AssertionError" });
  waiters.forget(1);
  assert.equal(waiters.full, false);
});

test("park() refuses an id that waits already", () => {
  const { park } = parked();
  park(1, [7]);
  assert.throws(() => park(1, [8]), { name: "AssertionError" });
});

test("takeAll() empties the house", () => {
  const { waiters, park } = parked();
  park(1, [7]);
  park(2, [8]);
  assert.deepEqual(ids(waiters.takeAll()), [1, 2]);
  assert.deepEqual([waiters.size, ids(waiters.wake([7, 8]))], [0, []]);
});

test("Waiters stays right while the same few are woken and parked ten thousand times", () => {
  const { waiters, park } = parked();
  for (let round = 1; round <= 10_000; round++) {
    park(1, [7], round);
    assert.equal(waiters.nextDeadlineMs(), round);
    waiters.wake([7]);
  }
  assert.equal(waiters.nextDeadlineMs(), null);
});
