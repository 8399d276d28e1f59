import assert from "node:assert/strict";
import { test } from "node:test";
import type { Topic, TopicSettings } from "../../src/model/topic.ts";
import { retentionRules } from "./retention_rules.ts";

const defaults: TopicSettings = {
  queues: 1,
  durability: "power-loss",
  retentionMs: 1_000,
  retentionBytes: null,
  deleteUnread: false,
  ordered: false,
  messageTtlMs: null,
  dedupe: "explicit",
  perm: 6,
  attributes: {},
};

/** A topic whose queues lie in `shards`, with keys from `firstKey` on. */
function topicOf(firstKey: number, shards: number[], settings: Partial<TopicSettings>): Topic {
  return {
    name: `t${firstKey}`,
    version: 1,
    settings: { ...defaults, queues: shards.length, ...settings },
    queueRefs: shards.map((shard, at) => ({ queueKey: firstKey + at, shard })),
    timerQueues: shards.length,
    formerQueues: [],
    system: false,
    createdMs: 0,
  };
}

test("retentionRules() joins topics that agree, unless they have a bound in bytes", () => {
  const topics = [
    topicOf(10, [0, 1, 0], {}),
    topicOf(20, [0], {}),
    topicOf(30, [0], { deleteUnread: true }),
    topicOf(40, [0], { retentionBytes: 500 }),
    topicOf(50, [0], { retentionBytes: 500 }),
    topicOf(60, [1], {}),
  ];
  const rules = retentionRules(topics, 0).map(({ queueKeys, retentionBytes, deleteUnread }) =>
    `${queueKeys} ${retentionBytes} ${deleteUnread}`
  );
  assert.deepEqual(rules, ["40 500 false", "50 500 false", "10,12,20 null false", "30 null true"]);
});

test("retentionRules() shares a bound in bytes out by queues, and loses none of it", () => {
  const topic = topicOf(1, [0, 1, 0], { retentionBytes: 100 });
  const shares = [0, 1].map((shard) => retentionRules([topic], shard)[0]?.retentionBytes);
  assert.deepEqual(shares, [67, 34]);
});

test("retentionRules() says nothing of shards without queues", () => {
  assert.deepEqual(retentionRules([topicOf(1, [0], {})], 1), []);
});
