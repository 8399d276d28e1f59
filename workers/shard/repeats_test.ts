/** Messages sent again: recognised whichever way the first one became visible. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { RepeatRule } from "../../src/link/repeats.ts";
import { recordTopic } from "../../src/model/record.ts";
import { names, recordOf, ShardBench } from "../../tests/support/shard_bench.ts";

const { queueKey } = names;
const windowMs = 60_000;

function named(id: string): Uint8Array {
  return recordOf(id, `UNIQ_KEY\u0001${id}\u0002`);
}

function sendOf(ids: readonly string[]) {
  const repeats = { ids, windowMs, firstQueueKey: queueKey };
  const records = ids.map(named);
  const tagHashes = ids.map(() => 0);
  return { queueKey, durability: "power-loss" as const, tagHashes, records, repeats };
}

/** Puts a message aside, to be seen after `delayMs`. `repeats`: who was sent before is known. */
function scheduleOf(messageId: string, delayMs: number, repeats: RepeatRule | null = null) {
  const blob = named(messageId);
  const names = { messageId, timerKey: null, mayRepeat: true, tagHash: 0, bytes: blob.length };
  const items = [{ ...names, dueMs: null, delayMs }];
  const queues = { queueKey, queueKeys: [queueKey] };
  const durability = "power-loss" as const;
  const head = { ...queues, items, durability, delayMsMax: 1_000_000, repeats };
  return { head, blob };
}

function prepareOf(messageId: string) {
  const head = {
    queueKey,
    durability: "power-loss" as const,
    producerGroup: "p",
    messageId,
    tagHash: 0,
    timerKey: null,
    firstCheckMs: 1_000_000,
    checkUrl: null,
    delayMsMax: 1_000_000,
    dueMs: null,
    delayMs: null,
  };
  return { head, blob: named(messageId) };
}

function settleOf(id: number) {
  return { id, producerGroup: null, verdict: "commit" as const };
}

/** Sends the id again: the offset of the first message, or "new". */
async function again(bench: ShardBench, id: string): Promise<number | string> {
  const { repeats } = await bench.ask("append", sendOf([id]));
  return repeats[0]?.offset ?? "new";
}

async function ring(bench: ShardBench, afterMs: number): Promise<void> {
  await bench.pass(afterMs);
  bench.shard.heard({ kind: "ring" });
  await bench.pass();
}

test("a send is a repeat of a timer that fired, in this process and after a restart", async () => {
  const bench = new ShardBench();
  await bench.send(["before"]);
  await bench.ask("schedule", scheduleOf("a", 5_000));
  await ring(bench, 5_000);
  assert.deepEqual(await bench.bodies(), ["before", "a"]);
  assert.equal(await again(bench, "a"), 1);

  const restarted = new ShardBench(bench.disk);
  restarted.timers.advance(5_000);
  assert.equal(await again(restarted, "a"), 1);
  await restarted.pass(windowMs + 1);
  assert.equal(await again(restarted, "a"), "new");
});

test("a timed send is a repeat once its timer fired, also after a restart", async () => {
  const bench = new ShardBench();
  const ask = scheduleOf("a", 5_000, { ids: ["a"], windowMs, firstQueueKey: 0 });
  const verdictOf = async (asked: ShardBench) =>
    (await asked.ask("schedule", ask)).verdicts.map(({ kind }) => kind);
  assert.deepEqual(await verdictOf(bench), ["scheduled"]);
  await bench.pass(1_000);
  assert.deepEqual(await verdictOf(bench), ["scheduled"], "in the place of the pending one");
  await ring(bench, 5_000);
  assert.deepEqual(await bench.bodies(), ["a"]);
  const { verdicts: [verdict] } = await bench.ask("schedule", ask);
  assert.ok(verdict?.kind === "repeated");
  assert.deepEqual([verdict.queueId, verdict.offset], [0, 0]);

  const restarted = new ShardBench(bench.disk);
  restarted.timers.advance(6_000);
  assert.deepEqual(await verdictOf(restarted), ["repeated"]);
  await restarted.pass(windowMs + 1);
  assert.deepEqual(await verdictOf(restarted), ["scheduled"]);
});

test("a timed send is a repeat of one of its turn, and of a timer moved to now", async () => {
  const bench = new ShardBench();
  const rule = (id: string) => ({ ids: [id], windowMs, firstQueueKey: 0 });
  const answers = [
    bench.client.ask("schedule", scheduleOf("a", 0, rule("a"))),
    bench.client.ask("schedule", scheduleOf("a", 5_000, rule("a"))),
    bench.client.ask("schedule", scheduleOf("b", 5_000, rule("b"))),
  ];
  await bench.pass();
  const kinds = (await Promise.all(answers)).flatMap(({ verdicts }) =>
    verdicts.map((it) => it.kind)
  );
  assert.deepEqual(kinds, ["delivered", "repeated", "scheduled"]);
  const name = { by: "id", messageId: "b" } as const;
  const action = { kind: "move", dueMs: null, delayMs: 0 } as const;
  await bench.ask("changeTimer", { queueKeys: [queueKey], name, action, delayMsMax: 1_000_000 });
  const { verdicts } = await bench.ask("schedule", scheduleOf("b", 0, rule("b")));
  assert.deepEqual(verdicts.map(({ kind }) => kind), ["repeated"]);
  assert.equal(await again(bench, "b"), 1);
});

test("a send is a repeat of a committed transaction, and of a message due at once", async () => {
  const bench = new ShardBench();
  const { id } = await bench.ask("prepare", prepareOf("a"));
  await bench.ask("settleHalf", settleOf(id));
  await bench.ask("schedule", scheduleOf("b", 0));
  assert.deepEqual([await again(bench, "a"), await again(bench, "b")], [0, 1]);
});

test("a send in the turn of the commit is a repeat; ids are noted in order", async () => {
  const bench = new ShardBench();
  const { id } = await bench.ask("prepare", prepareOf("a"));
  const other = await bench.ask("prepare", prepareOf("d"));
  const answers = [
    bench.client.ask("append", sendOf(["b"])),
    bench.client.ask("settleHalf", settleOf(id)),
    bench.client.ask("append", sendOf(["a", "c"])),
    bench.client.ask("settleHalf", settleOf(other.id)),
  ];
  await bench.pass();
  await Promise.all(answers);
  assert.deepEqual(await bench.bodies(), ["b", "a", "c", "d"]);
  const found = [];
  for (const each of ["a", "b", "c", "d"]) found.push(await again(bench, each));
  assert.deepEqual(found, [1, 0, 2, 3]);
});

test("a rolled-back transaction makes no id known", async () => {
  const bench = new ShardBench();
  const { id } = await bench.ask("prepare", prepareOf("a"));
  await bench.ask("settleHalf", { ...settleOf(id), verdict: "rollback" });
  assert.equal(await again(bench, "a"), "new");
});

/** Asks for ids without waiting for a turn. */
function knownIn(bench: ShardBench, ids: readonly string[], topic: string) {
  return bench.client.ask("known", { topic, ids, windowMs, firstQueueKey: queueKey });
}

test("known answers the first places, and stores nothing", async () => {
  const bench = new ShardBench();
  await bench.ask("append", sendOf(["a", "b"]));
  const ask = { ids: ["x", "b", "", "a"], windowMs, firstQueueKey: queueKey };
  const topic = recordTopic(named("a"), 0);
  const known = await bench.ask("known", { topic, ...ask });

  assert.deepEqual(known.map(({ index, offset }) => [index, offset]), [[1, 1], [3, 0]]);
  assert.ok(known.every(({ storedMs }) => storedMs > 0));
  assert.deepEqual(await bench.ask("known", { topic: "another", ...ask }), []);
  const madeAnew = { ...ask, firstQueueKey: queueKey + 1 };
  assert.deepEqual(await bench.ask("known", { topic, ...madeAnew }), []);
  assert.deepEqual(await bench.bodies(), ["a", "b"]);
  await bench.pass(windowMs + 1);
  assert.deepEqual(await bench.ask("known", { topic, ...ask }), []);
});

test("known is answered after what was asked of the shard before it", async () => {
  const bench = new ShardBench();
  const topic = recordTopic(named("a"), 0);
  const sent = bench.client.ask("append", sendOf(["a"]));
  const known = knownIn(bench, ["a"], topic);
  await bench.pass();

  assert.equal((await sent).firstOffset, 0);
  assert.deepEqual((await known).map(({ offset }) => offset), [0]);
});
