import assert from "node:assert/strict";
import { test } from "node:test";
import type { Topic } from "../../src/model/topic.ts";
import { type Existing, existingNews } from "./existing_news.ts";

function topicOf(queues: readonly (readonly [queueKey: number, shard: number])[]): Topic {
  const queueRefs = queues.map(([queueKey, shard], queueId) => ({ queueId, queueKey, shard }));
  const settings = {
    queues: queues.length,
    durability: "power-loss" as const,
    retentionMs: 1_000,
    retentionBytes: null,
    deleteUnread: false,
    ordered: false,
    messageTtlMs: null,
    dedupe: "explicit" as const,
    perm: 6,
    attributes: {},
  };
  const places = { queueRefs, timerQueues: queueRefs.length, formerQueues: [] };
  return { name: "t", system: false, createdMs: 0, version: 1, settings, ...places };
}

const existing: Existing = {
  topics: [topicOf([[1, 0], [2, 1], [3, 0]]), topicOf([[4, 0], [9, 0]])],
  groupKeys: [5, 1, 2],
  counters: { queueKey: 12, groupKey: 7 },
};

test("existingNews() names the queues of its shard, all groups, and the largest keys", () => {
  assert.deepEqual(existingNews(existing, 0), {
    kind: "existing",
    queueKeys: [1, 1, 3, 4, 9, 9],
    queueKeyMax: 12,
    groupKeys: [1, 2, 5, 5],
    groupKeyMax: 7,
  });
  assert.deepEqual(existingNews(existing, 1).queueKeys, [2, 2]);
});
