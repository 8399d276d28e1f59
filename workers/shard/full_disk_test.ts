/** Consumption on a disk that takes no more messages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  codeOf,
  leasedOf,
  leasesOf,
  names,
  receiveOf,
  recordOf,
  ShardBench,
} from "../../tests/support/shard_bench.ts";
import type { DiskOperation } from "../../tests/simulation/sim_image.ts";

const grows = (operation: DiskOperation) =>
  operation.kind === "turn" && operation.record.entries.length > 0;

function fill(bench: ShardBench): void {
  bench.disk.fateOf = (operation) => grows(operation) ? "full" : "done";
  bench.freeBytes = 0;
}

async function makeRoom(bench: ShardBench): Promise<void> {
  bench.disk.fateOf = () => "done";
  bench.freeBytes = 1_000_000;
  await bench.pass(1_000);
}

/** "a" has failed as often as it may, and its time has come; "b" and "c" are fresh. */
async function doomed(bench: ShardBench) {
  await bench.send(["a"]);
  for (let attempt = 0; attempt < 2; attempt++) {
    const leases = leasesOf(await bench.receive());
    const retry = { retryDelaysMs: [0], retryBackoff: null };
    await bench.ask("nack", { ...leases, delayMs: 0, retry, unseen: false, attemptsMax: 16 });
  }
  await bench.send(["b", "c"]);
}

test("Shard puts burying off on a full disk, and does what else it was asked", async () => {
  const bench = new ShardBench();
  await bench.send(["first"], names.otherQueueKey);
  const other = await bench.receive({ queueKeys: [names.otherQueueKey] });
  await doomed(bench);
  fill(bench);
  // Nobody has looked at the disk yet: the turn finds out by its commit.
  const ack = bench.client.ask("ack", leasesOf(other));
  const receive = bench.client.ask("receive", receiveOf());
  await bench.pass();

  assert.deepEqual((await ack).verdicts, ["done"]);
  const given = leasedOf(await receive);
  assert.deepEqual(given.map(({ body }) => body), ["b", "c"]);
  const { verdicts } = await bench.ask("ack", leasesOf(given));
  assert.deepEqual(verdicts, ["done", "done"]);

  await makeRoom(bench);
  await bench.pass(5_000);
  assert.deepEqual(await bench.receive(), []);
  assert.deepEqual(await bench.bodies(names.deadKey), ["a"]);
});

test("Shard keeps what it put off over a restart, and buries it once", async () => {
  const bench = new ShardBench();
  await doomed(bench);
  fill(bench);
  assert.equal((await bench.receive()).length, 2);
  const again = new ShardBench(bench.disk);
  await makeRoom(again);
  await again.pass(5_000);
  assert.equal((await again.receive()).length, 2);
  assert.deepEqual(await again.receive(), []);
  assert.deepEqual(await again.bodies(names.deadKey), ["a"]);
});

test("Shard refuses a commit that finds no room, and acknowledges in the same turn", async () => {
  const bench = new ShardBench();
  const head = {
    queueKey: names.queueKey,
    durability: "power-loss" as const,
    producerGroup: "p",
    messageId: "m",
    tagHash: 0,
    timerKey: null,
    firstCheckMs: 60_000,
    checkUrl: null,
    delayMsMax: 1_000,
    dueMs: null,
    delayMs: null,
  };
  const { id } = await bench.ask("prepare", { head, blob: recordOf("half") });
  await bench.send(["a"]);
  const leased = await bench.receive();
  fill(bench);
  const settle = { id, producerGroup: null, verdict: "commit" as const };
  const commit = codeOf(bench.client.ask("settleHalf", settle));
  const ack = bench.client.ask("ack", leasesOf(leased));
  await bench.pass();
  assert.deepEqual([await commit, (await ack).verdicts], ["disk_full", ["done"]]);

  await makeRoom(bench);
  const { state, first } = await bench.ask("settleHalf", settle);
  assert.deepEqual([state, first], ["committed", true]);
  assert.deepEqual(await bench.bodies(), ["a", "half"]);
});

test("Shard refuses an operator's burying while the disk is filling up", async () => {
  const bench = new ShardBench();
  await bench.send(["a"]);
  bench.freeBytes = 0;
  await bench.pass(1_000);
  const ask = { groupKey: names.groupKey, queueKey: names.queueKey, offset: 0, by: "me" };
  const letters = { deadLetterQueueKey: names.deadKey, deadLetterTopic: "%DLQ%g" };
  const bury = bench.ask("settleKey", { ...ask, ...letters, action: "bury" });
  assert.equal(await codeOf(bury), "disk_full");
  const { verdict } = await bench.ask("settleKey", { ...ask, ...letters, action: "skip" });
  assert.equal(verdict, "not-parked");
});
