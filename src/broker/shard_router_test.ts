import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedShards } from "../../tests/support/scripted_shards.ts";
import { codeOf } from "../../tests/support/shard_bench.ts";
import { BrokerError } from "../model/errors.ts";
import { everything } from "../model/subscription.ts";
import { ShardRouter } from "./shard_router.ts";

const pull = {
  queueKey: 1,
  offset: 0,
  messagesMax: 1,
  bytesMax: 1,
  filter: everything,
  ttlMs: null,
  waitMs: 1_000,
};
const head = { outcome: "empty", nextOffset: 0, minOffset: 0, maxOffset: 0, count: 0 } as const;
const nothing = { head, blob: new Uint8Array(0) };

test("ask() refuses while the shard's thread is not running", async () => {
  const router = new ShardRouter(2);
  assert.equal(await codeOf(router.ask(1, "stats", null)), "storage_failed");
  assert.equal(await codeOf(router.askParked(1, "pull", pull, undefined)), "storage_failed");
});

test("close() lets nobody begin to wait, and all else be finished", async () => {
  const shards = new ScriptedShards(1, { dropGroup: () => null });
  shards.router.close();
  await shards.router.ask(0, "dropGroup", { groupKey: 1 });
  const waiting = shards.router.askParked(0, "pull", pull, undefined);
  assert.equal(await codeOf(waiting), "shutting_down");
  assert.deepEqual(shards.asked, ["0 dropGroup"]);
});

test("close() makes an absent shard one that is stopping", async () => {
  const router = new ShardRouter(1);
  router.close();
  assert.equal(await codeOf(router.ask(0, "stats", null)), "shutting_down");
  assert.equal(await codeOf(router.askParked(0, "pull", pull, undefined)), "shutting_down");
});

test("askAll() asks every shard, and fails when one refuses", async () => {
  const shards = new ScriptedShards(3, { dropGroup: () => null });
  await shards.router.askAll("dropGroup", () => ({ groupKey: 1 }));
  assert.deepEqual(shards.asked.sort(), ["0 dropGroup", "1 dropGroup", "2 dropGroup"]);

  shards.script = {
    dropGroup: (_request, shard) => {
      if (shard === 2) throw new BrokerError("storage_failed");
      return null;
    },
  };
  const failed = shards.router.askAll("dropGroup", () => ({ groupKey: 1 }));
  assert.equal(await codeOf(failed), "storage_failed");
});

test("askParked() has the shard forget a request whose client hung up, and no other", async () => {
  const shards = new ScriptedShards(1, { pull: () => undefined, forget: () => null });
  const hangUp = new AbortController();
  const parked = shards.router.askParked(0, "pull", pull, hangUp.signal);
  parked.catch(() => {});
  await Promise.resolve();
  await Promise.resolve();
  hangUp.abort();
  await Promise.resolve();
  await Promise.resolve();

  const [first, second] = shards.requests;
  assert.equal(second?.asked.name, "forget");
  assert.deepEqual(second?.asked.request, { id: first?.asked.id });
});

test("askParked() forgets nothing once it was answered", async () => {
  const shards = new ScriptedShards(1, { pull: () => nothing, forget: () => null });
  const hangUp = new AbortController();
  await shards.router.askParked(0, "pull", pull, hangUp.signal);
  hangUp.abort();
  await Promise.resolve();
  await Promise.resolve();

  assert.deepEqual(shards.asked, ["0 pull"]);
});

test("askParked() forgets the pulls of a connection that still wait, and no others", async () => {
  const answerable = new Set<number>();
  const shards = new ScriptedShards(1, {
    pull: ({ offset }) => (answerable.has(offset) ? nothing : undefined),
    forget: () => null,
  });
  const hangUp = new AbortController();
  const ask = (offset: number) =>
    shards.router.askParked(0, "pull", { ...pull, offset }, hangUp.signal);
  for (let offset = 0; offset < 20; offset++) {
    answerable.add(offset);
    await ask(offset);
  }
  for (const offset of [100, 101]) ask(offset).catch(() => {});
  await ticks();
  hangUp.abort();
  await ticks();

  const waiting = shards.requests.filter(({ asked }) =>
    asked.name === "pull" && asked.request.offset >= 100
  );
  const forgotten = shards.requests.filter(({ asked }) => asked.name === "forget");
  assert.deepEqual(
    forgotten.map(({ asked }) => asked.request),
    waiting.map(({ asked: { id } }) => ({ id })),
  );
});

test("askParked() has a pull forgotten whose client is gone when it is asked", async () => {
  const shards = new ScriptedShards(1, { pull: () => undefined, forget: () => null });
  const gone = AbortSignal.abort();
  shards.router.askParked(0, "pull", pull, gone).catch(() => {});
  await ticks();
  shards.router.askParked(0, "pull", pull, gone).catch(() => {});
  await ticks();

  assert.deepEqual(shards.asked, ["0 pull", "0 forget", "0 pull", "0 forget"]);
});

async function ticks(): Promise<void> {
  for (let tick = 0; tick < 5; tick++) await Promise.resolve();
}
