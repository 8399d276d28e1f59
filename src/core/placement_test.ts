import assert from "node:assert/strict";
import { test } from "node:test";
import { inTurn, onePerShard } from "./placement.ts";

test("inTurn() uses every shard once before any of them twice", () => {
  for (const topic of ["a", "orders", "TBW102"]) {
    const shardOf = inTurn(topic, 5);
    assert.equal(new Set([0, 1, 2, 3, 4].map(shardOf)).size, 5);
    assert.equal(shardOf(5), shardOf(0));
  }
});

test("inTurn() starts different topics in different shards", () => {
  const starts = Array.from({ length: 100 }, (_, at) => inTurn(`topic-${at}`, 4)(0));
  for (const shard of [0, 1, 2, 3]) {
    const share = starts.filter((start) => start === shard).length;
    assert.ok(share >= 10 && share <= 40, `${share} of 100 start in shard ${shard}`);
  }
});

test("inTurn() gives the same answer in every release: queues grow from where they were", () => {
  assert.deepEqual(["a", "orders", "%RETRY%g"].map((topic) => inTurn(topic, 256)(0)), [
    199,
    44,
    254,
  ]);
});

test("onePerShard() puts queue i into shard i", () => {
  assert.deepEqual([0, 1, 2].map(onePerShard("%RETRY%g", 3)), [0, 1, 2]);
});
