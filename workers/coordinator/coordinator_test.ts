import assert from "node:assert/strict";
import { test } from "node:test";
import { type Log, type LogFields, silentLog } from "../../src/base/log.ts";
import { LinkClient } from "../../src/link/client.ts";
import {
  type ConsumerMembership,
  type CoordinatorNews,
  coordinatorOperations,
  type HeartbeatAsk,
  type ShardNews,
} from "../../src/link/coordinator_messages.ts";
import { BrokerError, StorageError } from "../../src/model/errors.ts";
import { firstCounters, type RegistryChange } from "../../src/model/registry.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import { portPair, settle } from "../../tests/support/thread_ports.ts";
import { Coordinator, type CoordinatorSettings } from "./coordinator.ts";

const settings: CoordinatorSettings = {
  shards: 2,
  clusterName: "cluster",
  brokerName: "broker",
  autoCreateTopics: true,
  traceTopic: false,
  defaultQueues: 4,
  defaultDurability: "power-loss",
  retentionMs: 60_000,
  retentionBytes: null,
};

/** A store in memory that can be told to refuse its next change. */
class MemoryStore implements MetaStore {
  readonly start = {
    registry: { topics: [], groups: [], counters: firstCounters },
    receiptSecret: new Uint8Array(32).fill(7),
    bootEpoch: 3,
  };
  readonly saved: RegistryChange[] = [];
  readonly #values = new Map<string, string>();
  refusal: StorageError | null = null;
  closed = false;

  save(change: RegistryChange): void {
    const refusal = this.refusal;
    this.refusal = null;
    if (refusal !== null) throw refusal;
    this.saved.push(change);
  }

  keyValue(namespace: string, key: string): string | null {
    return this.#values.get(`${namespace}/${key}`) ?? null;
  }

  putKeyValue(namespace: string, key: string, value: string | null): void {
    if (value === null) this.#values.delete(`${namespace}/${key}`);
    else this.#values.set(`${namespace}/${key}`, value);
  }

  keyValues(namespace: string): Record<string, string> {
    const mine = [...this.#values].filter(([path]) => path.startsWith(`${namespace}/`));
    return Object.fromEntries(
      mine.map(([path, value]) => [path.slice(namespace.length + 1), value]),
    );
  }

  keyValueCount(): number {
    return this.#values.size;
  }

  close(): void {
    this.closed = true;
  }
}

/** A log that keeps the names of what it was told. */
function listeningLog(events: string[]): Log {
  const note = (event: string, _fields?: LogFields) => void events.push(event);
  return { ...silentLog, warn: note, error: note };
}

function started(changes: Partial<CoordinatorSettings> = {}, timers = new ManualTimers()) {
  const [front, coordinatorEnd] = portPair("on-demand");
  const shardPairs = [portPair(), portPair()];
  const shardNews: ShardNews[][] = [[], []];
  for (const [shard, [near]] of shardPairs.entries()) {
    near.onMessage((message) => shardNews[shard]?.push(JSON.parse(String(message))));
  }
  const store = new MemoryStore();
  const events: string[] = [];
  const coordinator = new Coordinator({
    front: coordinatorEnd,
    shards: shardPairs.map(([, far]) => far),
    store,
    clock: timers.clock,
    timers,
    log: listeningLog(events),
    settings: { ...settings, ...changes },
  });
  const news: CoordinatorNews[] = [];
  const client = new LinkClient(
    coordinatorOperations,
    front,
    100,
    (notice) => news.push(notice as CoordinatorNews),
  );
  const deliver = () => settle(front, coordinatorEnd);
  /** Asks one question, and moves messages until it is answered. */
  const ask = async <T>(question: Promise<T>): Promise<T> => {
    await Promise.race([deliver(), question.catch(() => {})]);
    return question;
  };
  const fromShard = (shard: number, told: ShardNews) =>
    shardPairs[shard]?.[0].postMessage(JSON.stringify(told), []);
  return { coordinator, client, ask, deliver, news, shardNews, fromShard, store, timers, events };
}

function consumer(group: string, topic = "t", text = "*", version = 1): ConsumerMembership {
  return {
    group,
    consumeType: "CONSUME_PASSIVELY",
    messageModel: "CLUSTERING",
    consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
    subscriptions: [{ topic, expression: { language: "TAG", text }, version }],
  };
}

function beat(clientId: string, connection: number, ...consumers: ConsumerMembership[]) {
  const from = { address: "127.0.0.1:1", language: "JAVA", version: 479, producerGroups: [] };
  return { clientId, connection, ...from, consumers } satisfies HeartbeatAsk;
}

async function codeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "none";
}

/** News in short: what it is about. */
function shortOf(news: CoordinatorNews): string {
  if (news.kind === "topic") return `topic ${news.topic.name}`;
  if (news.kind === "group") return `group ${news.group.name}`;
  if (news.kind === "members") return `members ${news.group} ${news.connections}`;
  if (news.kind === "readers-gone") return `readers gone ${news.readerKeys}`;
  if (news.kind === "filters") return `filters ${news.group} ${news.topic} ${news.filters.length}`;
  if (news.kind === "unsubscribed") return `unsubscribed ${news.group} ${news.topic}`;
  if (news.kind === "subscription") {
    const { group, topic, expression, version } = news.subscription;
    return `subscription ${group} ${topic} ${expression.text} ${version}`;
  }
  return `${news.kind} ${news.name}`;
}

/** The news since the last call. */
function drainNews(news: CoordinatorNews[]): string[] {
  return news.splice(0).map(shortOf);
}

const create = (name: string) => ({ name, settings: {}, mode: "create", system: false }) as const;

test("Coordinator makes its system topics at the start, stored before they are seen", async () => {
  const { client, ask, store } = started();
  const snapshot = await ask(client.ask("snapshot", null));

  assert.deepEqual(snapshot.topics.map(({ name }) => name), [
    "SCHEDULE_TOPIC_XXXX",
    "SELF_TEST_TOPIC",
    "cluster_REPLY_TOPIC",
    "TBW102",
  ]);
  assert.deepEqual(store.saved[0]?.topics, snapshot.topics);
  assert.equal(snapshot.bootEpoch, 3);
  assert.equal(atob(snapshot.receiptSecret), "\u0007".repeat(32));
});

test("putTopic is stored, then told, then answered", async () => {
  const { client, ask, store, news } = started();
  const before: string[] = [];
  const topic = await ask(
    client.ask("putTopic", create("t")).then((answer) => {
      before.push(...drainNews(news));
      return answer;
    }),
  );

  assert.deepEqual(before, ["topic t"]);
  assert.deepEqual(store.saved.at(-1)?.topics, [topic]);
});

test("putTopic that cannot be stored is refused, not told, and can be tried again", async () => {
  const { client, ask, store, news } = started();
  store.refusal = new StorageError("full", "no room");

  assert.equal(await codeOf(ask(client.ask("putTopic", create("t")))), "disk_full");
  assert.deepEqual(drainNews(news), []);
  assert.equal((await ask(client.ask("putTopic", create("t")))).name, "t");
});

test("putTopic after a write of unknown end is refused until the next start", async () => {
  const { client, ask, store, events } = started();
  store.refusal = new StorageError("io", "fsync failed");

  const codes = [
    await codeOf(ask(client.ask("putTopic", create("t")))),
    await codeOf(ask(client.ask("putTopic", create("u")))),
  ];
  assert.deepEqual(codes, ["storage_failed", "storage_failed"]);
  assert.ok(events.includes("registry_failed"));
  const { topics } = await ask(client.ask("snapshot", null));
  assert.ok(!topics.some(({ name }) => name === "t" || name === "u"));
});

test("putGroup tells of its topics first, deleteGroup takes them back", async () => {
  const { client, ask, news } = started();
  await ask(client.ask("putGroup", { name: "g", settings: {}, mode: "create" }));
  assert.deepEqual(drainNews(news), ["topic %RETRY%g", "topic %DLQ%g", "group g"]);

  const group = await ask(client.ask("deleteGroup", { name: "g" }));
  assert.equal(group.groupKey, 1);
  assert.deepEqual(drainNews(news), [
    "group-deleted g",
    "topic-deleted %RETRY%g",
    "topic-deleted %DLQ%g",
  ]);
  assert.equal(await codeOf(ask(client.ask("deleteGroup", { name: "g" }))), "group_not_found");
});

test("heartbeat tells the compiled subscription, then all members", async () => {
  const { client, ask, news } = started();
  const first = await ask(client.ask("heartbeat", beat("a", 1, consumer("g", "t", "A || B", 5))));
  assert.equal(first.subscriptionsChanged, true);
  const subscription = news.find((one) => one.kind === "subscription");
  assert.deepEqual(subscription?.kind === "subscription" && subscription.subscription.filter, {
    kind: "tags",
    tags: ["A", "B"],
    hashes: [65, 66],
  });
  assert.deepEqual(drainNews(news), ["subscription g t A || B 5", "members g 1"]);

  await ask(client.ask("heartbeat", beat("b", 2, consumer("g", "t", "A || B", 5))));
  assert.deepEqual(drainNews(news), ["members g 1,2"]);
  const again = await ask(
    client.ask("heartbeat", beat("b", 2, consumer("g", "t", "A || B", 5))),
  );
  assert.deepEqual([again.subscriptionsChanged, drainNews(news)], [false, []]);
});

test("heartbeat with a newer version of its wish tells the version and moves nobody", async () => {
  const { client, ask, news } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g", "t", "A", 5))));
  drainNews(news);
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g", "t", "A", 6))));
  assert.deepEqual(drainNews(news), ["subscription g t A 6"]);
});

test("heartbeat with a bad expression is refused, and its other wishes count", async () => {
  const { client, ask, news } = started();
  const bad = { ...consumer("g", "t", "||"), group: "g" };
  const good = consumer("h", "u", "B");

  assert.equal(
    await codeOf(ask(client.ask("heartbeat", beat("a", 1, bad, good)))),
    "filter_invalid",
  );
  assert.deepEqual(drainNews(news), ["members g 1", "subscription h u B 1", "members h 1"]);
  assert.equal((await ask(client.ask("consumers", { group: "g" }))).length, 1);
});

test("heartbeat of members that disagree warns once", async () => {
  const { client, ask, events } = started();
  for (let round = 0; round < 3; round++) {
    await ask(client.ask("heartbeat", beat("a", 1, consumer("g", "t", "A"))));
    await ask(client.ask("heartbeat", beat("b", 2, consumer("g", "t", "B"))));
  }
  assert.deepEqual(events, ["group_subscriptions_differ"]);
});

test("repeatBeat() keeps a member as a whole heartbeat would, and tells nobody", async () => {
  const { client, ask, deliver, news, timers } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g"))));
  drainNews(news);

  timers.advance(100_000);
  const again = { clientId: "a", connection: 1, groupCount: 1 };
  assert.equal(await ask(client.ask("repeatBeat", again)), true);
  timers.advance(119_999);
  await deliver();
  assert.deepEqual(drainNews(news), []);
  assert.deepEqual(await ask(client.ask("consumerIds", { group: "g" })), ["a"]);
  timers.advance(1);
  await deliver();
  assert.deepEqual(drainNews(news), ["unsubscribed g null", "members g "]);
  assert.equal(await ask(client.ask("repeatBeat", again)), false);
  assert.deepEqual(await ask(client.ask("consumerIds", { group: "g" })), []);
});

test("repeatBeat() is not known of a group that was deleted", async () => {
  const { client, ask } = started();
  await ask(client.ask("putGroup", { name: "g", settings: {}, mode: "create" }));
  const both = { ...beat("a", 1, consumer("g")), producerGroups: ["p"] };
  await ask(client.ask("heartbeat", both));
  const again = { clientId: "a", connection: 1, groupCount: 2 };
  assert.equal(await ask(client.ask("repeatBeat", again)), true);

  await ask(client.ask("deleteGroup", { name: "g" }));
  assert.equal(await ask(client.ask("repeatBeat", again)), false);
});

test("repeatBeat() of members that disagree in one version lets the last one count", async () => {
  const { client, ask, news } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g", "t", "A", 5))));
  await ask(client.ask("heartbeat", beat("b", 2, consumer("g", "t", "B", 5))));
  drainNews(news);

  await ask(client.ask("repeatBeat", { clientId: "a", connection: 1, groupCount: 1 }));
  assert.deepEqual(drainNews(news), ["subscription g t A 5"]);
});

test("disconnect tells those who stay, and the last one's wishes end", async () => {
  const { client, ask, news } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g"))));
  await ask(client.ask("heartbeat", beat("b", 2, consumer("g"))));
  drainNews(news);

  await ask(client.ask("disconnect", { connection: 1 }));
  assert.deepEqual(drainNews(news), ["members g 2"]);
  await ask(client.ask("disconnect", { connection: 2 }));
  assert.deepEqual(drainNews(news), ["unsubscribed g null", "members g "]);
});

test("A silent member leaves after 120 s without anyone asking", async () => {
  const { client, ask, deliver, news, timers } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g"))));
  timers.advance(100_000);
  await ask(client.ask("heartbeat", beat("b", 2, consumer("g"))));
  drainNews(news);

  timers.advance(19_999);
  await deliver();
  assert.deepEqual(drainNews(news), []);
  timers.advance(1);
  await deliver();
  assert.deepEqual(drainNews(news), ["members g 2"]);
  timers.advance(100_000);
  await deliver();
  assert.deepEqual(drainNews(news), ["unsubscribed g null", "members g "]);
});

test("lockQueues grants a queue to one client until it is silent for 60 s", async () => {
  const { client, ask, timers } = started();
  const queues = [{ topic: "t", queueId: 0 }];
  const lock = (clientId: string) =>
    ask(client.ask("lockQueues", { group: "g", clientId, queues }));

  assert.deepEqual(await lock("a"), queues);
  timers.advance(59_999);
  assert.deepEqual(await lock("b"), []);
  timers.advance(1);
  assert.deepEqual(await lock("b"), queues);
  await ask(client.ask("unlockQueues", { group: "g", clientId: "b", queues }));
  assert.deepEqual(await lock("a"), queues);
});

test("deleteTopic and deleteGroup free locks; members of the group hear of it", async () => {
  const { client, ask, news } = started();
  const queues = [{ topic: "t", queueId: 0 }];
  const lock = (clientId: string) =>
    ask(client.ask("lockQueues", { group: "g", clientId, queues }));
  await ask(client.ask("putTopic", create("t")));
  await ask(client.ask("putGroup", { name: "g", settings: {}, mode: "create" }));
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g"))));

  await lock("a");
  await ask(client.ask("deleteTopic", { name: "t" }));
  assert.deepEqual(await lock("b"), queues);
  drainNews(news);
  await ask(client.ask("deleteGroup", { name: "g" }));
  assert.deepEqual(await lock("c"), queues);
  assert.deepEqual(drainNews(news).slice(3), ["unsubscribed g null", "members g 1"]);
  assert.deepEqual(await ask(client.ask("consumers", { group: "g" })), []);
});

test("A shard is rung at the time it asked for, across long waits", () => {
  const { shardNews, fromShard, timers } = started();
  const rings = () => shardNews.map((news) => news.filter(({ kind }) => kind === "ring").length);
  fromShard(1, { kind: "alarm", dueMs: timers.clock.wallMs() + 200_000 });

  timers.advance(199_999);
  assert.deepEqual(rings(), [0, 0]);
  timers.advance(1);
  assert.deepEqual(rings(), [0, 1]);
  timers.advance(1_000_000);
  assert.deepEqual(rings(), [0, 1]);
});

test("A shard that is not rung in vain: null takes its alarm away", () => {
  const { shardNews, fromShard, timers } = started();
  fromShard(0, { kind: "alarm", dueMs: timers.clock.wallMs() + 1_000 });
  fromShard(0, { kind: "alarm", dueMs: null });
  timers.advance(5_000);
  assert.ok(!shardNews[0]?.some(({ kind }) => kind === "ring"));
});

test("A shard that sets its alarm in the past again and again is rung every 5 ms", () => {
  const { shardNews, fromShard, timers } = started();
  const past = timers.clock.wallMs() - 1_000;
  for (let elapsedMs = 0; elapsedMs < 99; elapsedMs++) {
    fromShard(0, { kind: "alarm", dueMs: past });
    timers.advance(1);
  }
  const rings = shardNews[0]?.filter(({ kind }) => kind === "ring").length;
  assert.equal(rings, 20);
});

test("An alarm is kept when the host's clock jumps forward", () => {
  const { shardNews, fromShard, timers } = started();
  fromShard(0, { kind: "alarm", dueMs: timers.clock.wallMs() + 3_600_000 });
  timers.clock.jump(3_600_000);
  timers.advance(60_000);
  assert.ok(shardNews[0]?.some(({ kind }) => kind === "ring"));
});

test("Retention rules go to every shard at the start, then once for a burst", async () => {
  const { client, ask, shardNews, timers } = started();
  const rules = (shard: number) =>
    shardNews[shard]?.filter(({ kind }) => kind === "retention") ?? [];
  assert.deepEqual([rules(0).length, rules(1).length], [1, 1]);

  const bounded = { settings: { queues: 3, retentionBytes: 900 }, mode: "create" } as const;
  const { queueRefs } = await ask(
    client.ask("putTopic", { name: "t", ...bounded, system: false }),
  );
  await ask(client.ask("putTopic", create("u")));
  timers.advance(999);
  assert.equal(rules(0).length, 1);
  timers.advance(1);

  assert.deepEqual([rules(0).length, rules(1).length], [2, 2]);
  for (const shard of [0, 1]) {
    const queueKeys = queueRefs.filter((ref) => ref.shard === shard).map((ref) => ref.queueKey);
    const newest = rules(shard)[1];
    const rule = newest?.kind === "retention" &&
      newest.rules.find(({ retentionBytes }) => retentionBytes !== null);
    const retentionBytes = queueKeys.length * 300;
    assert.deepEqual(rule, { queueKeys, retentionMs: 60_000, retentionBytes, deleteUnread: false });
  }
});

test("What exists is told at the start, and what is deleted is not in it any more", async () => {
  const { client, ask, shardNews, timers } = started();
  const newest = () => shardNews[0]?.findLast(({ kind }) => kind === "existing");
  const first = newest();
  assert.ok(first?.kind === "existing");
  const { queueRefs } = await ask(client.ask("putTopic", create("t")));
  const { groupKey } = await ask(
    client.ask("putGroup", { name: "g", settings: {}, mode: "create" }),
  );
  await ask(client.ask("deleteTopic", { name: "t" }));
  await ask(client.ask("deleteGroup", { name: "g" }));
  timers.advance(1_000);
  const told = newest();
  assert.ok(told?.kind === "existing");
  assert.ok(told.queueKeyMax >= queueRefs.length && told.groupKeyMax >= groupKey);
  assert.deepEqual(told.queueKeys, first.queueKeys);
  assert.deepEqual(told.groupKeys, first.groupKeys);
});

test("Key values are kept by namespace, within their bounds", async () => {
  const { client, ask } = started();
  await ask(client.ask("putKeyValue", { namespace: "n", key: "k", value: "v" }));
  assert.equal(await ask(client.ask("getKeyValue", { namespace: "n", key: "k" })), "v");
  assert.deepEqual(await ask(client.ask("listKeyValues", { namespace: "n" })), { k: "v" });
  await ask(client.ask("putKeyValue", { namespace: "n", key: "k", value: null }));
  assert.equal(await ask(client.ask("getKeyValue", { namespace: "n", key: "k" })), null);
  const long = { namespace: "n", key: "k".repeat(256), value: "v" };
  assert.equal(await codeOf(ask(client.ask("putKeyValue", long))), "invalid_argument");
});

test("drain is answered, then everything is let go and nothing more is served", async () => {
  const { coordinator, client, ask, store, timers } = started();
  await ask(client.ask("heartbeat", beat("a", 1, consumer("g"))));
  await ask(client.ask("drain", null));
  await coordinator.drained;

  assert.deepEqual([store.closed, timers.pending], [true, 0]);
  assert.equal(await codeOf(ask(client.ask("snapshot", null))), "shutting_down");
});
