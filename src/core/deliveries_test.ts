import assert from "node:assert/strict";
import { test } from "node:test";
import { chunkOffsets, Deliveries } from "./deliveries.ts";

/** The places that count, as "next N, committed N, open N". */
function placesOf(deliveries: Deliveries): string {
  const { next, committed, openCount } = deliveries;
  return `next ${next}, committed ${committed}, open ${openCount}`;
}

/** Deliveries with the offsets 0 to `count` - 1 leased until 1000, 1001, …, leases 1, 2, … */
function leased(count: number): Deliveries {
  const deliveries = new Deliveries(0);
  for (let offset = 0; offset < count; offset++) deliveries.leaseFresh(1_000 + offset, offset + 1);
  return deliveries;
}

/** What a shard finds when it reads the stored rows again. */
function restored(from: Deliveries): Deliveries {
  const deliveries = new Deliveries(from.next);
  const chunks = from.takeDirtyChunks().sort((one, other) => one.chunk - other.chunk);
  for (const { chunk, entries } of chunks) {
    if (entries !== null) deliveries.restore(chunk, entries);
  }
  return deliveries;
}

test("leaseFresh() hands out the next offset, which is then open", () => {
  const deliveries = new Deliveries(5);
  deliveries.leaseFresh(1_000, 77);

  assert.equal(placesOf(deliveries), "next 6, committed 5, open 1");
  assert.deepEqual(deliveries.open(5), { offset: 5, attempts: 1, untilMs: 1_000, lease: 77 });
});

test("peekDue() names a lease that is over, and not a millisecond before", () => {
  const deliveries = leased(2);

  assert.equal(deliveries.peekDue(999), undefined);
  assert.equal(deliveries.peekDue(1_000)?.offset, 0);
  assert.equal(deliveries.peekDue(1_000)?.offset, 0);
  deliveries.lease(0, 2, 3_000, 9);
  assert.equal(deliveries.peekDue(1_000), undefined);
  assert.equal(deliveries.nextDueMs(), 1_001);
});

test("acknowledge() finishes by the newest lease only, and answers the same twice", () => {
  const deliveries = leased(1);
  deliveries.lease(0, 2, 2_000, 9);

  assert.equal(deliveries.acknowledge(0, 1), false);
  assert.equal(deliveries.acknowledge(0, 9), true);
  assert.equal(deliveries.acknowledge(0, 9), true);
  assert.equal(deliveries.acknowledge(1, 9), false);
  assert.equal(placesOf(deliveries), "next 1, committed 1, open 0");
});

test("committed is the smallest offset not finished, in whatever order they finish", () => {
  const deliveries = leased(4);
  const committed = [2, 0, 1, 3].map((offset) => {
    deliveries.acknowledge(offset, offset + 1);
    return deliveries.committed;
  });
  assert.deepEqual(committed, [0, 1, 3, 4]);
});

test("committed does not move when a message is handed out again", () => {
  const deliveries = leased(3);
  deliveries.lease(0, 2, 9_000, 10);
  deliveries.giveBack(0, 10, 500, 2);
  deliveries.postpone({ offset: 0, attempts: 2, untilMs: 500, lease: 0 }, 700);
  assert.equal(deliveries.committed, 0);
});

test("giveBack() sets the time of the next delivery and ends the lease", () => {
  const deliveries = leased(1);

  assert.equal(deliveries.giveBack(0, 2, 5_000, 1), false);
  assert.equal(deliveries.giveBack(0, 1, 5_000, 1), true);
  assert.equal(deliveries.peekDue(4_999), undefined);
  assert.deepEqual(deliveries.peekDue(5_000), {
    offset: 0,
    attempts: 1,
    untilMs: 5_000,
    lease: 0,
  });
  assert.equal(deliveries.acknowledge(0, 1), false);
  assert.equal(deliveries.giveBack(0, 1, 1, 1), false);
});

test("extend() moves the end of the newest lease, either way", () => {
  const deliveries = leased(1);

  assert.equal(deliveries.extend(0, 2, 9_000), false);
  assert.equal(deliveries.extend(0, 1, 9_000), true);
  assert.equal(deliveries.nextDueMs(), 9_000);
  assert.equal(deliveries.extend(0, 1, 500), true);
  assert.equal(deliveries.nextDueMs(), 500);
  deliveries.acknowledge(0, 1);
  assert.equal(deliveries.extend(0, 1, 9_000), false);
});

test("skipTo() finishes what nobody wants, and goes forward only", () => {
  const deliveries = new Deliveries(3);
  deliveries.skipTo(3);
  assert.equal(deliveries.takeNextMoved(), false);
  deliveries.skipTo(10);

  assert.equal(placesOf(deliveries), "next 10, committed 10, open 0");
  assert.throws(() => deliveries.skipTo(9), { name: "AssertionError" });
});

test("commit() never goes back, reset() does and forgets what is open", () => {
  const deliveries = leased(5);
  deliveries.commit(2);
  assert.equal(placesOf(deliveries), "next 5, committed 0, open 5");
  deliveries.commit(8);
  assert.equal(placesOf(deliveries), "next 8, committed 0, open 5");
  deliveries.reset(2);

  assert.equal(placesOf(deliveries), "next 2, committed 2, open 0");
  assert.equal(deliveries.acknowledge(3, 4), false);
  assert.equal(deliveries.nextDueMs(), null);
});

test("lease() refuses an offset that was never handed out", () => {
  assert.throws(() => leased(2).lease(2, 2, 1, 1), { name: "AssertionError" });
});

test("takeDirtyChunks() names each changed row once, and null when nothing of it is open", () => {
  const deliveries = leased(chunkOffsets + 1);
  const chunks = () =>
    deliveries.takeDirtyChunks().map(({ chunk, entries }) => `${chunk}: ${entries?.length}`);

  assert.deepEqual(chunks(), [`0: ${19 * chunkOffsets}`, "1: 19"]);
  assert.deepEqual(chunks(), []);
  deliveries.acknowledge(chunkOffsets, chunkOffsets + 1);
  deliveries.extend(0, 1, 1_000_000);
  assert.deepEqual(chunks().sort(), [`0: ${19 * chunkOffsets}`, "1: undefined"]);
  assert.equal(deliveries.takeNextMoved(), true);
  assert.equal(deliveries.takeNextMoved(), false);
});

test("restore() reads back what was stored: attempts, times and leases of several chunks", () => {
  const before = leased(3 * chunkOffsets);
  before.lease(70, 300, 1_700_000_000_123, 1_700_000_000_123 * 1024 + 5);
  before.giveBack(5, 6, 42, 1);
  before.acknowledge(0, 1);
  const after = restored(before);

  assert.equal(placesOf(after), placesOf(before));
  assert.deepEqual(
    [5, 70, 191].map((at) => after.open(at)),
    [5, 70, 191].map((at) => before.open(at)),
  );
  assert.deepEqual([after.nextDueMs(), after.committed], [42, 1]);
  assert.deepEqual(after.takeDirtyChunks(), []);
});

test("Deliveries stays right while a lease is extended ten thousand times", () => {
  const deliveries = leased(1);
  for (let round = 1; round <= 10_000; round++) {
    deliveries.extend(0, 1, 1_000 + round);
    assert.equal(deliveries.nextDueMs(), 1_000 + round);
  }
});

test("bury() finishes a message that nobody acknowledged", () => {
  const deliveries = leased(2);
  deliveries.bury(0);
  assert.equal(placesOf(deliveries), "next 2, committed 1, open 1");
  assert.equal(deliveries.peekDue(5_000)?.offset, 1);
});

test("giveBack() takes the count of attempts, so that one nobody saw is none", () => {
  const deliveries = leased(1);
  deliveries.giveBack(0, 1, 500, 0);

  assert.equal(deliveries.peekDue(500)?.attempts, 0);
  assert.equal(restored(deliveries).open(0)?.attempts, 0);
});
