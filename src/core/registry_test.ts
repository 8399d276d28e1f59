import assert from "node:assert/strict";
import { test } from "node:test";
import { placementHash } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { GroupSettings } from "../model/group.ts";
import { firstCounters, type RegistryChange, type RegistryState } from "../model/registry.ts";
import type { Topic, TopicSettings } from "../model/topic.ts";
import { type PutMode, Registry } from "./registry.ts";

const defaults: TopicSettings = {
  queues: 4,
  ordered: false,
  durability: "power-loss",
  retentionMs: 60_000,
  retentionBytes: null,
  deleteUnread: false,
  messageTtlMs: null,
  dedupe: "explicit",
  perm: 6,
  attributes: {},
};

function makeRegistry(shards = 2, state: Partial<RegistryState> = {}): Registry {
  const nothing = { topics: [], groups: [], counters: firstCounters };
  return new Registry({ shards, defaults }, { ...nothing, ...state });
}

function apply(registry: Registry, change: RegistryChange | null): void {
  if (change !== null) registry.apply(change);
}

function put(
  registry: Registry,
  name: string,
  settings: Partial<TopicSettings> = {},
  mode: PutMode = "create",
): Topic {
  const { answer, change } = registry.planPutTopic(name, settings, mode, false, 1);
  apply(registry, change);
  return answer;
}

function putGroup(registry: Registry, name: string, settings: Partial<GroupSettings> = {}) {
  const { answer, change } = registry.planPutGroup(name, settings, "create", 1);
  apply(registry, change);
  return answer;
}

function deleteTopic(registry: Registry, name: string): void {
  apply(registry, registry.planDeleteTopic(name).change);
}

/** Keys and shards of a topic's queues, as "key@shard". */
function places(topic: Topic | undefined): string {
  return topic?.queueRefs.map(({ queueKey, shard }) => `${queueKey}@${shard}`).join(" ") ?? "none";
}

function errorOf(work: () => unknown): BrokerError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

/** Settings as a request may bring them: whatever JSON holds, with nobody's word for its types. */
function fromWire<T>(settings: object): Partial<T> {
  return JSON.parse(JSON.stringify(settings));
}

test("planPutTopic() changes nothing until its change is applied", () => {
  const registry = makeRegistry();
  const { answer, change } = registry.planPutTopic("t", {}, "create", false, 5);

  assert.equal(registry.topic("t"), undefined);
  apply(registry, change);
  assert.equal(registry.topic("t"), answer);
  assert.deepEqual([answer.version, answer.createdMs, answer.system], [1, 5, false]);
});

test("planPutTopic() puts queues into shards in turn, from a start the name decides", () => {
  const registry = makeRegistry(3);
  for (const name of ["a", "b", "orders", "bills"]) {
    const start = placementHash(name) % 3;
    const shards = put(registry, name, { queues: 5 }).queueRefs.map(({ shard }) => shard);
    assert.deepEqual(shards, [0, 1, 2, 3, 4].map((at) => (start + at) % 3));
  }
});

test("planPutTopic() spreads topics of one queue over all shards", () => {
  const registry = makeRegistry(4);
  const used = new Set<number>();
  for (let at = 0; at < 40; at++) {
    for (const { shard } of put(registry, `topic-${at}`, { queues: 1 }).queueRefs) used.add(shard);
  }
  assert.equal(used.size, 4);
});

test("planPutTopic() never gives a queue key again, not even after a deletion", () => {
  const registry = makeRegistry(1);
  assert.equal(places(put(registry, "t", { queues: 2 })), "1@0 2@0");
  deleteTopic(registry, "t");
  assert.equal(places(put(registry, "t", { queues: 2 })), "3@0 4@0");
});

test("planPutTopic() lets queues grow, and keeps those that were there", () => {
  const registry = makeRegistry(1);
  put(registry, "t", { queues: 2 });
  put(registry, "u", { queues: 1 });

  const grown = put(registry, "t", { queues: 4 }, "change");
  assert.equal(places(grown), "1@0 2@0 4@0 5@0");
  assert.deepEqual([grown.settings.queues, grown.version], [4, 3]);
  const error = errorOf(() => put(registry, "t", { queues: 3 }, "change"));
  assert.equal(error.code, "conflict");
  assert.match(error.message, /shrink topic "t" to 3 queues: it has 4/);
});

test("planPutTopic() leaves timer keys in the queues the topic began with", () => {
  const registry = makeRegistry();
  assert.equal(put(registry, "t", { queues: 3 }).timerQueues, 3);
  assert.equal(put(registry, "t", { queues: 5 }, "change").timerQueues, 3);
  deleteTopic(registry, "t");
  assert.equal(put(registry, "t", { queues: 5 }).timerQueues, 5);
});

test("planPutTopic() remembers how many queues there were, and until when", () => {
  const registry = makeRegistry();
  assert.deepEqual(put(registry, "t", { queues: 3 }).formerQueues, []);
  assert.deepEqual(put(registry, "t", { perm: 4 }, "change").formerQueues, []);
  const grown = put(registry, "t", { queues: 5 }, "change");
  assert.deepEqual(grown.formerQueues.map(({ queues }) => queues), [3]);
  const [ended] = grown.formerQueues;
  assert.ok(ended !== undefined && ended.endedMs > 0);
  assert.deepEqual(put(registry, "t", { perm: 6 }, "change").formerQueues, [ended]);
  const more = put(registry, "t", { queues: 6 }, "change");
  assert.deepEqual(more.formerQueues.map(({ queues }) => queues), [3, 5]);
  deleteTopic(registry, "t");
  assert.deepEqual(put(registry, "t", { queues: 5 }).formerQueues, []);
});

test("planPutTopic() with create answers an equal topic and refuses a different one", () => {
  const registry = makeRegistry();
  const made = put(registry, "t", { queues: 2, attributes: { a: "1", b: "2" } });

  assert.equal(put(registry, "t", { attributes: { b: "2", a: "1" } }), made);
  const error = errorOf(() => put(registry, "t", { queues: 3, perm: 4, deleteUnread: false }));
  assert.equal(error.code, "topic_exists");
  assert.match(error.message, /\(queues, perm\)/);
});

test("planPutTopic() with change needs the topic, and changes only what is given", () => {
  const registry = makeRegistry();
  assert.equal(errorOf(() => put(registry, "t", {}, "change")).code, "topic_not_found");
  const made = put(registry, "t", { queues: 2, retentionBytes: 100 });

  const changed = put(registry, "t", { perm: 4 }, "change");
  assert.deepEqual(changed.settings, { ...made.settings, perm: 4 });
  assert.equal(registry.planPutTopic("t", { perm: 4 }, "change", false, 9).change, null);
});

test("planPutTopic() with either makes or changes", () => {
  const registry = makeRegistry();
  assert.equal(put(registry, "t", { perm: 4 }, "either").settings.perm, 4);
  assert.equal(put(registry, "t", { perm: 2 }, "either").settings.perm, 2);
});

test("planPutTopic() tells every fault at once", () => {
  const settings = fromWire<TopicSettings>({
    queues: limits.queuesPerTopicMax + 1,
    durability: "none",
    retentionMs: 0.5,
    retentionBytes: 0,
    deleteUnread: "yes",
    perm: 8,
    attributes: { "": "x" },
    colour: 1,
  });
  const error = errorOf(() => put(makeRegistry(), "t", settings));

  assert.equal(error.code, "invalid_argument");
  for (const name of Object.keys(settings)) assert.match(error.message, new RegExp(`\\b${name} `));
  assert.match(error.message, /queues must be a whole number from 1 to 1024, found 1025/);
});

test("planPutTopic() takes settings up to their bounds", () => {
  const registry = makeRegistry();
  const settings = {
    queues: limits.queuesPerTopicMax,
    retentionMs: limits.retentionMsMin,
    perm: 0,
  };
  assert.equal(put(registry, "t", settings).queueRefs.length, limits.queuesPerTopicMax);
  put(registry, "u", { retentionMs: limits.retentionMsMax, perm: 7 });
  for (const given of [{ queues: 0 }, { retentionMs: limits.retentionMsMin - 1 }, { perm: -1 }]) {
    assert.equal(errorOf(() => put(registry, "v", given)).code, "invalid_argument");
  }
});

test("planPutTopic() refuses names that are not valid, and those of retry topics", () => {
  const registry = makeRegistry();
  for (const name of ["", "a b", "t".repeat(128), "%RETRY%g", "%DLQ%g"]) {
    assert.equal(errorOf(() => put(registry, name)).code, "invalid_argument", name);
  }
});

test("planPutTopic() stops at the queues and at the topics a broker holds", () => {
  const registry = makeRegistry();
  const full = Math.floor(limits.queuesMax / limits.queuesPerTopicMax);
  for (let at = 0; at < full; at++) put(registry, `t${at}`, { queues: limits.queuesPerTopicMax });
  const left = limits.queuesMax - full * limits.queuesPerTopicMax;

  assert.equal(errorOf(() => put(registry, "u", { queues: left + 1 })).code, "limit_exceeded");
  // A group needs two queues a shard: room for one of its topics is not enough.
  put(registry, "u", { queues: left - 3 });
  assert.equal(errorOf(() => putGroup(registry, "g")).code, "limit_exceeded");
  deleteTopic(registry, "u");
  put(registry, "u", { queues: left });
  assert.equal(errorOf(() => putGroup(registry, "g")).code, "limit_exceeded");
  assert.equal(registry.group("g"), undefined);

  const many = makeRegistry();
  for (let at = 0; at < limits.topicsMax; at++) put(many, `t${at}`, { queues: 1 });
  assert.equal(errorOf(() => put(many, "one-more", { queues: 1 })).code, "limit_exceeded");
  putGroup(many, "g");
});

test("planPutGroup() makes retry and dead-letter topics with queue i in shard i", () => {
  const registry = makeRegistry(3);
  const group = putGroup(registry, "g");

  assert.equal(group.groupKey, 1);
  assert.equal(places(registry.topic("%RETRY%g")), "1@0 2@1 3@2");
  assert.equal(places(registry.topic("%DLQ%g")), "4@0 5@1 6@2");
  const { system, settings } = registry.topic("%DLQ%g") ?? assert.fail("it was made");
  assert.deepEqual([system, settings.queues, settings.perm], [true, 3, 6]);
});

test("planPutGroup() with create answers an equal group and refuses a different one", () => {
  const registry = makeRegistry();
  const made = putGroup(registry, "g", { attemptsMax: 3 });

  assert.equal(putGroup(registry, "g", { attemptsMax: 3 }), made);
  assert.equal(errorOf(() => putGroup(registry, "g", { attemptsMax: 4 })).code, "group_exists");
  const changed = registry.planPutGroup("g", { attemptsMax: 4 }, "change", 2);
  assert.deepEqual([changed.answer.groupKey, changed.change?.topics], [1, []]);
  const absent = errorOf(() => registry.planPutGroup("h", {}, "change", 2));
  assert.equal(absent.code, "group_not_found");
});

test("planPutGroup() tells every fault at once", () => {
  const settings = fromWire<GroupSettings>({
    startFrom: "middle",
    attemptsMax: 0,
    retryDelaysMs: [],
    consumeEnabled: 1,
  });
  const error = errorOf(() => putGroup(makeRegistry(), "g", settings));

  assert.equal(error.code, "invalid_argument");
  for (const name of Object.keys(settings)) assert.match(error.message, new RegExp(`\\b${name} `));
});

test("planDeleteGroup() takes its topics along, and its key is never given again", () => {
  const registry = makeRegistry();
  putGroup(registry, "g");
  const { answer, change } = registry.planDeleteGroup("g");
  apply(registry, change);

  assert.equal(answer.name, "g");
  assert.deepEqual([registry.topics(), registry.groups()], [[], []]);
  assert.equal(putGroup(registry, "g").groupKey, 2);
  assert.equal(errorOf(() => registry.planDeleteGroup("h")).code, "group_not_found");
});

test("planDeleteTopic() refuses what is absent, what goes with a group, and system topics", () => {
  const registry = makeRegistry();
  putGroup(registry, "g");
  apply(registry, registry.planStart([{ name: "SELF", settings: {} }], [], 1));

  const codes = ["absent", "%RETRY%g", "%DLQ%g", "SELF"]
    .map((name) => errorOf(() => deleteTopic(registry, name)).code);
  assert.deepEqual(codes, [
    "topic_not_found",
    "invalid_argument",
    "invalid_argument",
    "invalid_argument",
  ]);
});

test("planPutTopic() may change a dead-letter topic, but not its queues", () => {
  const registry = makeRegistry();
  putGroup(registry, "g");

  assert.equal(put(registry, "%DLQ%g", { perm: 4 }, "change").settings.perm, 4);
  const error = errorOf(() => put(registry, "%DLQ%g", { queues: 9 }, "change"));
  assert.equal(error.code, "invalid_argument");
});

test("planStart() makes what is missing, takes away what is unwanted, and then rests", () => {
  const registry = makeRegistry();
  put(registry, "mine");
  const wanted = [{ name: "SYS", settings: { queues: 1 } }];
  apply(registry, registry.planStart(wanted, [], 1));
  assert.equal(registry.topic("SYS")?.system, true);
  assert.equal(registry.planStart(wanted, [], 2), null);

  // A user's topic of that name is not the broker's to delete.
  apply(registry, registry.planStart([], ["SYS", "mine"], 3));
  assert.deepEqual(registry.topics().map(({ name }) => name), ["mine"]);
});

test("planStart() grows derived topics into shards added since", () => {
  const before = makeRegistry(1);
  putGroup(before, "g");
  put(before, "t", { queues: 2 });
  const counters = { version: 2, queueKey: 4, groupKey: 1 };
  const after = makeRegistry(2, { topics: before.topics(), groups: before.groups(), counters });
  apply(after, after.planStart([], [], 9));

  assert.equal(places(after.topic("%RETRY%g")), "1@0 5@1");
  assert.equal(places(after.topic("%DLQ%g")), "2@0 6@1");
  assert.equal(places(after.topic("t")), "3@0 4@0");
});

test("Registry refuses to start with fewer shards than its queues lie in", () => {
  const before = makeRegistry(2);
  putGroup(before, "g");
  const error = errorOf(() => makeRegistry(1, { topics: before.topics() }));

  assert.equal(error.code, "conflict");
  assert.match(error.message, /with 1 shards: topic "%RETRY%g" has a queue in shard 1/);
});

test("Registry.apply() refuses a plan made before another was applied", () => {
  const registry = makeRegistry();
  const first = registry.planPutTopic("a", {}, "create", false, 1);
  const second = registry.planPutTopic("b", {}, "create", false, 1);
  apply(registry, first.change);

  assert.throws(() => apply(registry, second.change), /applied in order/);
});
