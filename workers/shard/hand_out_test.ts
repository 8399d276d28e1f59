import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/base/limits.ts";
import { everything } from "../../src/model/subscription.ts";
import {
  GroupTurns,
  letterQueueKey,
  queueKey,
  shown,
  tagged,
} from "../../tests/support/group_turns.ts";

test("an ordered group has one message of a key out, and keys side by side", () => {
  const group = new GroupTurns();
  group.send("a1", "a2", "b1", "a3", "b2");

  assert.equal(shown(group.receive()), "a1#1 b1#1");
  assert.equal(shown(group.receive()), "");
});

test("an ordered group gets the next of a key when the one before is acknowledged", () => {
  const group = new GroupTurns();
  group.send("a1", "a2", "b1", "a3");
  const [a1] = group.receive();

  group.ack(a1);

  assert.equal(shown(group.receive()), "a2#1");
});

test("an ordered group never gets a later message of a key whose lease ran out", () => {
  const group = new GroupTurns();
  group.send("a1", "a2");
  const [late] = group.receive();
  group.later(10_000);

  assert.equal(shown(group.receive()), "a1#2");
  assert.deepEqual(group.ack(late), ["expired"]);
  assert.equal(shown(group.receive()), "");
});

test("messages without a key are one key of an ordered group", () => {
  const group = new GroupTurns();
  group.send("1", "2", "a1");

  assert.equal(shown(group.receive()), "1#1 a1#1");
});

test("an ordered group parks a key after attemptsMax, and the others go on", () => {
  const group = new GroupTurns({ attemptsMax: 2 });
  group.send("a1", "b1", "a2", "a3", "b2");
  const [a1, b1] = group.receive();
  group.ack(b1);
  group.nack([a1], 1);
  const b2 = group.receive();
  group.later(1);
  group.nack(group.receive());

  assert.equal(shown(b2), "b2#1");
  assert.equal(shown(group.receive()), "");
  assert.deepEqual(group.parked(), ["a@0: 2, 2"]);
  group.send("a4", "c1");
  assert.equal(shown(group.receive()), "c1#1");
  assert.deepEqual(group.parked(), ["a@0: 2, 3"]);
});

test("a parked key is not handed out by time alone, nor after a restart", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1", "a2");
  group.failAll();
  group.later(1_000_000_000);
  assert.equal(shown(group.receive()), "");

  group.shard.restart();

  assert.equal(shown(group.receive()), "");
  assert.deepEqual(group.parked(), ["a@0: 1, 1"]);
});

test("a retried key begins anew, and what waited behind it follows in order", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1", "a2", "a3");
  group.failAll();

  assert.equal(group.settle(0, "retry"), "done");

  assert.equal(drained(group), "a1#1 a2#1 a3#1");
  assert.deepEqual(group.parked(), []);
});

test("a skipped message is not delivered again; the key drains in order after a restart", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1", "a2", "b1", "a3");
  group.failAll();
  assert.deepEqual(group.parked(), ["a@0: 1, 2", "b@2: 1, 0"]);

  assert.equal(group.settle(0, "skip"), "done");
  group.shard.restart();

  assert.equal(drained(group), "a2#1 a3#1");
  assert.deepEqual(group.shard.bodies(letterQueueKey), []);
});

test("a buried message is in the dead letters once, and its key drains", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1", "a2");
  group.failAll();

  assert.equal(group.settle(0, "bury"), "done");
  assert.equal(group.settle(0, "bury"), "not-parked");

  assert.deepEqual(group.shard.bodies(letterQueueKey), ["a1"]);
  assert.equal(drained(group), "a2#1");
});

test("an operator's decision about a key that is not parked changes nothing", () => {
  const group = new GroupTurns();
  group.send("a1", "a2");
  group.receive();

  assert.equal(group.settle(0, "skip"), "not-parked");
  assert.equal(group.settle(99, "skip"), "not-parked");
  assert.equal(shown(group.receive()), "");
});

test("what an ordered group holds back is bounded, and goes on when the key moves", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  const bodies = Array.from({ length: limits.heldPerQueueMax + 10 }, (_, index) => `a${index}`);
  group.send(...bodies, "b1");
  group.failAll();

  assert.equal(group.deliveries.heldCount, limits.heldPerQueueMax);
  assert.equal(shown(group.receive()), "");
  group.settle(0, "skip");
  const [a1] = group.receive({ max: 1 });
  group.ack(a1);

  assert.equal(a1?.body, "a1");
  assert.equal(shown(group.receive({ max: 1 })), "a2#1");
  assert.equal(shown(group.receive()), "");
  assert.equal(group.deliveries.heldCount, limits.heldPerQueueMax);
});

test("what an ordered group holds back and leases is the same after a restart", () => {
  const group = new GroupTurns();
  group.send("a1", "a2", "b1", "a3");
  const [a1] = group.receive();

  group.shard.restart();

  assert.equal(shown(group.receive()), "");
  assert.deepEqual(group.ack(a1), ["done"]);
  assert.equal(shown(group.receive()), "a2#1");
});

test("a message goes to the member that wants it, and waits for it", () => {
  const group = new GroupTurns({ ordered: false });
  group.send("1:red", "2:blue", "3:red", "4:green");
  const [red, blue] = [tagged("red"), tagged("blue")];

  assert.equal(shown(group.receive({ filter: red, others: [blue] })), "1#1 3#1");
  assert.equal(shown(group.receive({ filter: blue, others: [red] })), "2#1");
});

test("what no member wants is passed over and counted", () => {
  const group = new GroupTurns({ ordered: false });
  group.send("1:red", "2:blue", "3:red", "4:green");
  group.receive({ filter: tagged("red"), others: [tagged("blue")] });

  assert.deepEqual(group.shard.state.passed(7, queueKey), { unmatched: 1, expired: 0 });
  assert.equal(shown(group.receive({ filter: everything })), "2#1");
});

test("of an ordered group a key waits for the member that wants its first message", () => {
  const group = new GroupTurns();
  group.send("a1:red", "a2:blue", "b1:blue");
  const [red, blue] = [tagged("red"), tagged("blue")];

  assert.equal(shown(group.receive({ filter: blue, others: [red] })), "b1#1");
  const [a1] = group.receive({ filter: red, others: [blue] });
  group.ack(a1);

  assert.equal(shown(group.receive({ filter: blue, others: [red] })), "a2#1");
});

test("a message that expired is passed over, by its own time to live or the topic's", () => {
  const group = new GroupTurns({ ordered: false, ttlMs: 5_000 });
  group.send("1", "2::9000", "3::1000");
  group.later(5_000);

  assert.equal(shown(group.receive()), "2#1");
  assert.deepEqual(group.shard.state.passed(7, queueKey), { unmatched: 0, expired: 2 });
});

test("a message that expires while it waits for its key is passed over in its turn", () => {
  const group = new GroupTurns();
  group.send("a1", "a2::1000", "a3");
  const [a1] = group.receive();
  group.later(1_000);
  group.ack(a1);

  assert.equal(drained(group), "a3#1");
  assert.equal(group.deliveries.committed, 3);
});

test("a group that is not ordered gives up into the dead letters after attemptsMax", () => {
  const group = new GroupTurns({ ordered: false, attemptsMax: 2 });
  group.send("a1", "a2");
  group.nack(group.receive({ max: 1 }));
  group.nack(group.receive({ max: 1 }));

  assert.equal(shown(group.receive()), "a2#1");
  assert.deepEqual(group.shard.bodies(letterQueueKey), ["a1"]);
  assert.equal(group.deliveries.open(0), undefined);
});

test("after the last attempt nothing is waited for: the dead letter is there at once", () => {
  const loose = new GroupTurns({ ordered: false, attemptsMax: 2 });
  loose.send("a1");
  loose.nack(loose.receive());
  loose.nack(loose.receive(), 7_200_000);
  const ordered = new GroupTurns({ attemptsMax: 1 });
  ordered.send("a1");
  ordered.nack(ordered.receive(), 7_200_000);

  assert.equal(shown(loose.receive()), "");
  assert.deepEqual(loose.shard.bodies(letterQueueKey), ["a1"]);
  assert.equal(shown(ordered.receive()), "");
  assert.deepEqual(ordered.parked(), ["a@0: 1, 0"]);
});

test("a group that becomes ordered has what is open out before the rest of each key", () => {
  const group = new GroupTurns({ ordered: false });
  group.send("a1", "a2", "a3", "b1");
  const [a1, a2] = group.receive({ max: 2 });
  const ordered = new GroupTurns();
  Object.assign(ordered, { shard: group.shard });

  assert.equal(shown(ordered.receive()), "b1#1");
  ordered.ack(a2);
  assert.equal(shown(ordered.receive()), "");
  ordered.ack(a1);
  assert.equal(shown(ordered.receive()), "a3#1");
});

test("a group that is ordered once more knows what it was handed meanwhile", () => {
  const ordered = new GroupTurns();
  const loose = new GroupTurns({ ordered: false });
  Object.assign(loose, { shard: ordered.shard });
  ordered.send("a1");
  const [a1] = ordered.receive();
  ordered.send("a2", "a3");
  const [a2] = loose.receive({ max: 1 });
  ordered.ack(a1);

  assert.equal(shown(ordered.receive()), "");
  ordered.ack(a2);
  assert.equal(shown(ordered.receive()), "a3#1");
});

test("a key goes on when retention has removed the message it was parked on", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1");
  group.failAll();
  group.later(60_000);
  group.send("a2");
  const rule = { queueKeys: [queueKey], retentionMs: 1_000, retentionBytes: null };
  group.shard.store.trim([{ ...rule, deleteUnread: true }], () => null, group.shard.nowMs);
  assert.equal(group.shard.store.minOffset(queueKey), 1);

  assert.equal(shown(group.receive()), "a2#1");
});

/** Receives one by one and acknowledges, until nothing comes: "a1#1 a2#1". */
function drained(group: GroupTurns): string {
  const all = [];
  for (;;) {
    const given = group.receive({ max: 1 });
    if (given.length === 0) return shown(all);
    all.push(...given);
    group.ack(...given);
  }
}

test("an old receipt given back after its key was armed anew finds nothing", () => {
  const group = new GroupTurns({ attemptsMax: 1 });
  group.send("a1");
  const old = group.receive();
  group.later(10_000);
  group.receive();
  group.settle(0, "retry");

  assert.deepEqual(group.nack(old, null), ["expired"]);
  assert.equal(shown(group.receive()), "a1#1");
});

test("a receive gives up a bounded number of messages, and the rest in the next turns", () => {
  const group = new GroupTurns({ ordered: false, attemptsMax: 1 });
  const count = limits.buriedPerTurnMax + 10;
  group.send(...Array.from({ length: count }, (_, number) => `a${number}`));
  assert.equal(group.receive({ max: count }).length, count);
  group.later(10_000);
  group.receive();
  assert.equal(group.shard.store.maxOffset(letterQueueKey), limits.buriedPerTurnMax);

  group.receive();
  assert.equal(group.shard.store.maxOffset(letterQueueKey), count);
});
