import assert from "node:assert/strict";
import { test } from "node:test";
import { topicIn } from "../../tests/support/scripted_shards.ts";
import { limits } from "../base/limits.ts";
import type { FormerQueues } from "../model/topic.ts";
import { formerOf, formerShards } from "./former_queues.ts";
import { queueOfKey } from "./placement.ts";

/** Six queues in as many shards, after the numbers of queues in `formerQueues`. */
function grown(formerQueues: readonly FormerQueues[]) {
  return { ...topicIn("t", [0, 1, 2, 3, 4, 5]), formerQueues };
}

test("formerOf() notes the present number and when it ended, behind those before", () => {
  const first = formerOf(topicIn("t", [0, 1]), 100);
  assert.deepEqual(first, [{ queues: 2, endedMs: 100 }]);
  const second = formerOf({ ...topicIn("t", [0, 1, 0]), formerQueues: first }, 200);
  assert.deepEqual(second, [{ queues: 2, endedMs: 100 }, { queues: 3, endedMs: 200 }]);
});

test("formerOf() keeps so many numbers, and of what is older that something was there", () => {
  let formerQueues: readonly FormerQueues[] = [];
  for (let step = 1; step <= limits.formerQueuesMax + 3; step++) {
    formerQueues = formerOf({ ...topicIn("t", Array(step).fill(0)), formerQueues }, step * 10);
    assert.ok(formerQueues.length <= limits.formerQueuesMax);
  }
  const [oldest, ...newer] = formerQueues;
  assert.deepEqual(oldest, { queues: null, endedMs: 40 });
  assert.deepEqual(newer.map(({ queues }) => queues), [5, 6, 7, 8, 9, 10, 11]);
});

test("formerOf() does not shorten what it joins when the clock was set back", () => {
  const formerQueues = Array.from({ length: limits.formerQueuesMax }, (_, at) => {
    return { queues: at + 1, endedMs: 1_000 - at };
  });
  assert.deepEqual(formerOf(grown(formerQueues), 1)[0], { queues: null, endedMs: 1_000 });
});

test("formerShards() names the place under every number that counted since then", () => {
  const topic = grown([{ queues: 1, endedMs: 10 }, { queues: 4, endedMs: 20 }]);
  for (const key of ["a", "b", "c", "order-77"]) {
    const later = queueOfKey(key, 4);
    assert.deepEqual([...formerShards(topic, key, 10)], [...new Set([0, later])]);
    assert.deepEqual([...formerShards(topic, key, 11)], [later]);
    assert.deepEqual([...formerShards(topic, key, 21)], []);
  }
});

test("formerShards() names every shard when a number is no longer known", () => {
  const topic = grown([{ queues: null, endedMs: 10 }]);
  assert.deepEqual([...formerShards(topic, "a", 0)], [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([...formerShards(topicIn("t", [0, 1]), "a", 0)], []);
});
