import assert from "node:assert/strict";
import { test } from "node:test";
import {
  appendOf,
  codeOf,
  leasedOf,
  leasesOf,
  names,
  pullOf,
  receiveOf,
  ShardBench,
  standing,
} from "../../tests/support/shard_bench.ts";
import { SimDisk } from "../../tests/simulation/sim_store.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { DiskOperation } from "../../tests/simulation/sim_image.ts";

const retry = { retryDelaysMs: [5_000], retryBackoff: null };
const grows = (operation: DiskOperation) =>
  operation.kind === "turn" && operation.record.entries.length > 0;

/** Gives the message at `position` back, to be seen again in five seconds. */
function sendBackOf(position: number) {
  return {
    position,
    retryQueueKey: names.retryKey,
    retryTopic: "%RETRY%g",
    deadLetterQueueKey: names.deadKey,
    deadLetterTopic: "%DLQ%g",
    retriesMax: 3,
    delayMs: null,
    retry,
  };
}

test("Shard commits everything that waits as one turn, and numbers it in order", async () => {
  const bench = new ShardBench();
  await bench.pass();
  const before = (await bench.ask("stats", null)).commits;
  const sends = ["a", "b", "c"].map((body) => bench.client.ask("append", appendOf([body])));
  await bench.pass();

  assert.deepEqual((await Promise.all(sends)).map(({ firstOffset }) => firstOffset), [0, 1, 2]);
  assert.equal((await bench.ask("stats", null)).commits, before + 1);
  assert.deepEqual(await bench.bodies(), ["a", "b", "c"]);
});

test("Shard tells its oldest message and the disk, and also when it stopped", async () => {
  const bench = new ShardBench();
  await bench.pass();
  assert.equal((await bench.ask("stats", null)).firstStoredMs, null);
  await bench.send(["a"]);
  const storedMs = bench.nowMs;
  await bench.pass(5_000);
  await bench.send(["b"]);

  const { firstStoredMs, disk } = await bench.ask("stats", null);
  assert.equal(firstStoredMs, storedMs);
  assert.deepEqual(disk, { freeBytes: 1_000_000, totalBytes: 1_000_000 });

  bench.disk.fateOf = () => "io-before";
  await assert.rejects(bench.send(["c"]));
  const stopped = await bench.ask("stats", null);
  assert.deepEqual([stopped.state, stopped.firstStoredMs], ["stopped", null]);
});

test("Shard answers before its housekeeping, which may take longer than the turn", async () => {
  const bench = new ShardBench();
  await bench.pass(10_000);
  const unanswered: number[] = [];
  bench.onLook = () => unanswered.push(bench.client.pendingCount);
  bench.timers.clock.advance(10_000);
  await bench.send(["a"]);

  assert.equal(unanswered[0], 0);
});

test("Shard acknowledges nothing of a failed commit, and serves after opening anew", async () => {
  const bench = new ShardBench();
  bench.disk.fateOf = () => "io-before";
  assert.equal(await codeOf(bench.send(["a"])), "storage_failed");
  assert.equal(await codeOf(bench.send(["b"])), "storage_failed");
  bench.disk.fateOf = () => "done";
  await bench.pass(999);
  assert.equal((await bench.ask("stats", null)).state, "stopped");
  await bench.pass(1);

  assert.equal((await bench.ask("stats", null)).state, "ok");
  assert.equal((await bench.send(["c"])).firstOffset, 0);
  assert.deepEqual(await bench.bodies(), ["c"]);
});

test("Shard opens its store once, however many requests of a turn found it broken", async () => {
  const bench = new ShardBench();
  bench.disk.fateOf = () => "io-before";
  const requests = [
    bench.client.ask("dropGroup", { groupKey: 99 }),
    bench.client.ask("dropGroup", { groupKey: 98 }),
    bench.client.ask("ranges", { queueKeys: [names.queueKey] }),
  ].map(codeOf);
  await bench.pass();
  bench.disk.fateOf = () => "done";
  await bench.pass(5_000);

  assert.deepEqual(await Promise.all(requests), [
    "storage_failed",
    "storage_failed",
    "storage_failed",
  ]);
  assert.equal(bench.opened, 2);
});

test("Shard refuses sends on a full disk, lets consumers go on, and resumes alone", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  const leased = await bench.receive();
  bench.disk.fateOf = (operation) => grows(operation) ? "full" : "done";
  bench.freeBytes = 0;
  const send = codeOf(bench.client.ask("append", appendOf(["b"])));
  const ack = bench.client.ask("ack", leasesOf(leased));
  await bench.pass();

  assert.deepEqual([await send, (await ack).verdicts], ["disk_full", ["done"]]);
  assert.equal(await codeOf(bench.send(["c"])), "disk_full");
  bench.disk.fateOf = () => "done";
  bench.freeBytes = 1_000_000;
  await bench.pass(1_000);
  assert.equal((await bench.send(["d"])).firstOffset, 1);
});

test("Shard tells who watches of a new message, and takes none", async () => {
  const bench = new ShardBench();
  const ask = { groupKey: names.groupKey, queueKeys: [names.queueKey], ordered: false };
  assert.equal(await bench.ask("watch", { ...ask, waitMs: 0 }), false);
  let told: boolean | undefined;
  const watching = bench.client.ask("watch", { ...ask, waitMs: 10_000 });
  watching.then((found) => (told = found));
  await bench.pass(5_000);
  assert.equal(told, undefined);
  await bench.send(["a"]);
  assert.equal(await watching, true);
  assert.equal(await bench.ask("watch", { ...ask, waitMs: 0 }), true);
  assert.equal((await bench.receive()).length, 1);
  assert.equal(await bench.ask("watch", { ...ask, waitMs: 0 }), false);
});

test("Shard tells who watches when a lease is over, and when nothing came", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  const [first] = await bench.receive();
  assert.ok(first);
  const ask = { groupKey: names.groupKey, queueKeys: [names.queueKey], ordered: false };
  const leftMs = first.invisibleUntilMs - bench.nowMs;
  const early = bench.client.ask("watch", { ...ask, waitMs: leftMs - 1 });
  const late = bench.client.ask("watch", { ...ask, waitMs: leftMs + 1_000 });
  // Who waits for the message itself is woken by the same moment.
  const receive = bench.client.ask("receive", receiveOf({ waitMs: leftMs + 1_000 }));
  await bench.pass(leftMs - 1);
  assert.equal(await early, false);
  await bench.pass(1);
  assert.equal(await late, true);
  await bench.pass();
  assert.equal((await receive).head.deliveries[0]?.attempt, 2);
});

test("Shard shows a message sent back at its time, and not a millisecond before", async () => {
  const bench = new ShardBench();
  const { firstPosition } = await bench.send(["a"]);
  const { outcome, dueMs } = await bench.ask("sendBack", sendBackOf(firstPosition));
  assert.deepEqual([outcome, dueMs], ["retry", bench.nowMs + 5_000]);
  assert.deepEqual(bench.news.at(-1), { kind: "alarm", dueMs });

  await bench.pass(dueMs - bench.nowMs - 1);
  bench.shard.heard({ kind: "ring" });
  await bench.pass();
  assert.deepEqual(await bench.bodies(names.retryKey), []);
  await bench.pass(1);
  bench.shard.heard({ kind: "ring" });
  await bench.pass();
  assert.deepEqual(await bench.bodies(names.retryKey), ["a"]);
});

test("Shard shows what was due on a full disk as soon as there is room", async () => {
  const bench = new ShardBench();
  const { firstPosition } = await bench.send(["a"]);
  await bench.ask("sendBack", sendBackOf(firstPosition));
  bench.disk.fateOf = (operation) => grows(operation) ? "full" : "done";
  bench.freeBytes = 0;
  await bench.pass(5_000);
  bench.shard.heard({ kind: "ring" });
  await bench.pass();
  bench.disk.fateOf = () => "done";
  bench.freeBytes = 1_000_000;
  await bench.pass(1_000);

  assert.deepEqual(await bench.bodies(names.retryKey), ["a"]);
});

test("Shard answers a parked pull when a message comes, or with nothing when it ends", async () => {
  const bench = new ShardBench();
  const early = bench.client.ask("pull", pullOf(0, 1_000));
  const late = bench.client.ask("pull", pullOf(1, 1_000));
  const [first, second] = [standing(early), standing(late)];
  await bench.pass(500);
  assert.deepEqual([first.now, second.now], ["pending", "done"]);
  await bench.send(["a"]);
  assert.equal(first.now, "done");
  assert.equal((await early).head.count, 1);

  const third = standing(bench.client.ask("pull", pullOf(1, 1_000)));
  await bench.pass(999);
  assert.equal(third.now, "pending");
  await bench.pass(1);
  assert.equal(third.now, "done");
});

test("Shard hands a lease out again when its time is over, and to nobody before", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  const [first] = await bench.receive();
  const parked = bench.client.ask("receive", receiveOf({ waitMs: 5_000 }));
  const state = standing(parked);
  await bench.pass(999);
  assert.equal(state.now, "pending");
  await bench.pass(1);
  assert.equal(state.now, "done");

  const [second] = leasedOf(await parked);
  assert.deepEqual([first?.attempt, second?.attempt, second?.body], [1, 2, "a"]);
  const verdicts = [first, second].map((one) =>
    bench.ask("ack", leasesOf(one === undefined ? [] : [one]))
  );
  assert.deepEqual((await Promise.all(verdicts)).map((answer) => answer.verdicts), [
    ["expired"],
    ["done"],
  ]);
});

test("Shard gives a nacked message to whoever waits, when its delay is over", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  const leased = await bench.receive();
  const nack = { ...leasesOf(leased), delayMs: 300, unseen: false, retry, attemptsMax: 16 };
  assert.deepEqual((await bench.ask("nack", nack)).verdicts, ["done"]);
  const state = standing(bench.client.ask("receive", receiveOf({ waitMs: 5_000 })));
  await bench.pass(299);
  assert.equal(state.now, "pending");
  await bench.pass(1);
  assert.equal(state.now, "done");
});

test("Shard does not count an attempt that nobody saw", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  for (let race = 0; race < 5; race++) {
    const leased = await bench.receive();
    assert.deepEqual(leased.map(({ attempt }) => attempt), [1]);
    await bench.ask("nack", {
      ...leasesOf(leased),
      delayMs: 0,
      unseen: true,
      retry,
      attemptsMax: 16,
    });
  }
  assert.deepEqual(await bench.bodies(names.deadKey), []);
});

test("Shard buries a message after its last attempt, once", async () => {
  const bench = new ShardBench();
  await bench.send(["a", "b"]);
  for (let attempt = 1; attempt <= 2; attempt++) {
    assert.equal((await bench.receive()).length, 2);
    await bench.pass(1_000);
  }
  assert.deepEqual(await bench.receive(), []);
  await bench.pass(10_000);
  assert.deepEqual(await bench.receive(), []);
  assert.deepEqual((await bench.bodies(names.deadKey)).sort(), ["a", "b"]);
});

test("Shard forgets a group for good, also when one of its polls was waiting", async () => {
  const bench = new ShardBench();
  const poll = bench.client.ask("receive", receiveOf({ waitMs: 60_000 }));
  const state = standing(poll);
  await bench.pass();
  await bench.ask("dropGroup", { groupKey: names.groupKey });
  await bench.send(["a"]);
  await bench.pass();

  assert.equal(state.now, "group_not_found");
  const { groupKey, queueKey } = names;
  const [place] = await bench.ask("places", { groupKey, queueKeys: [queueKey] });
  assert.deepEqual([place?.next, place?.openDeliveries], [null, 0]);
});

test("Shard keeps a group's first place through a power cut", async () => {
  const disk = new SimDisk();
  const bench = new ShardBench(disk);
  await bench.receive();
  disk.cutPower();

  const after = new ShardBench(disk);
  const { groupKey, queueKey } = names;
  const [place] = await after.ask("places", { groupKey, queueKeys: [queueKey] });
  assert.equal(place?.committed, 0);
});

test("Shard moves a committed offset forward only", async () => {
  const bench = new ShardBench();
  await bench.send(["a", "b", "c"]);
  const { groupKey, queueKey } = names;
  const committed: unknown[] = [];
  for (const offset of [2, 1, 3]) {
    await bench.ask("commitOffsets", { groupKey, offsets: [{ queueKey, offset }], reset: null });
    const [place] = await bench.ask("places", { groupKey, queueKeys: [queueKey] });
    committed.push(place?.committed);
  }
  assert.deepEqual(committed, [2, 2, 3]);
});

test("Shard drains: who waits is answered, the rest refused, and the store closed", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  const waiting = bench.client.ask("receive", receiveOf({ queueKeys: [8], waitMs: 60_000 }));
  await bench.pass();
  const drained = bench.client.ask("drain", null);
  const late = codeOf(bench.client.ask("pull", pullOf(0)));
  await bench.pass();

  assert.deepEqual([(await waiting).head.deliveries, await drained], [[], null]);
  assert.equal(await late, "shutting_down");
  assert.equal(await codeOf(bench.send(["b"])), "shutting_down");
  await bench.shard.drained;
});

test("Shard finds everything again after its process ended", async () => {
  const disk = new SimDisk();
  const bench = new ShardBench(disk);
  await bench.send(["a", "b"]);
  const [first] = await bench.receive({ messagesMax: 1 });
  disk.crash();

  const after = new ShardBench(disk);
  assert.deepEqual((await after.receive()).map(({ body, attempt }) => `${body} ${attempt}`), [
    "b 1",
  ]);
  await after.pass(1_000);
  const again = await after.receive({ messagesMax: 1 });
  assert.deepEqual(again.map(({ body, attempt }) => `${body} ${attempt}`), ["a 2"]);
  assert.notEqual(again[0]?.lease, first?.lease);
});

/** Its stores open with a damaged turn, and refuse upkeep unless they are `writable`. */
async function damagedDisk(writable: boolean): Promise<SimDisk> {
  const disk = new SimDisk();
  await new ShardBench(disk).send(["a"]);
  const open = disk.open.bind(disk);
  disk.open = () => {
    const store = open();
    const recovery = { ...store.recovery, damage: "a turn is damaged", writable };
    const refuse = () => {
      throw new StorageError("io", "Cannot write to a damaged store");
    };
    return Object.assign(
      store,
      { recovery },
      writable ? {} : { trim: refuse, checkpoint: refuse, dropGroup: refuse },
    );
  };
  return disk;
}

test("Shard asks a damaged store for no writes, and goes on with what can be read", async () => {
  const bench = new ShardBench(await damagedDisk(false));
  const { queueKey } = names;
  const rule = { queueKeys: [queueKey], retentionMs: 1, retentionBytes: null, deleteUnread: true };
  bench.shard.heard({ kind: "retention", rules: [rule] });

  assert.equal(await codeOf(bench.receive()), "storage_damaged");
  // A deleted group stays in the file until it is repaired; deleting it stops nothing.
  assert.equal(await codeOf(bench.ask("dropGroup", { groupKey: names.groupKey })), "none");
  await bench.pass(5_000);
  assert.equal(bench.opened, 1);
  assert.deepEqual(await bench.bodies(), ["a"]);
});

test("Shard serves and stores again once the operator accepts what is damaged", async () => {
  const bench = new ShardBench(await damagedDisk(true));

  await bench.send(["b"]);
  assert.deepEqual((await bench.receive()).map(({ body }) => body), ["a", "b"]);
});
