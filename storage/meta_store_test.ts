import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defaultGroupSettings, type Group } from "../src/model/group.ts";
import type { RegistryChange } from "../src/model/registry.ts";
import type { Topic } from "../src/model/topic.ts";
import type { MetaStore } from "../src/ports/meta_store.ts";
import { StorageError } from "../src/model/errors.ts";
import { openMetaStore } from "./meta_store.ts";
import { migrate } from "./migrate.ts";
import { tables } from "./migrations/meta/0001_tables.ts";
import { timerQueues } from "./migrations/meta/0002_timer_queues.ts";
import { openDatabase } from "./open.ts";

const secretOf = (byte: number) => new Uint8Array(32).fill(byte);

function inFolder(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "curlew-meta-"));
  try {
    work(join(folder, "meta.db"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Opens the store, works with it, and closes it again. */
function withStore<T>(path: string, work: (store: MetaStore) => T, secret = secretOf(1)): T {
  const store = openMetaStore(path, secret);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

function topicOf(name: string, version: number): Topic {
  return {
    name,
    version,
    settings: {
      queues: 1,
      ordered: true,
      durability: "power-loss",
      retentionMs: 5_000,
      retentionBytes: null,
      deleteUnread: true,
      messageTtlMs: 60_000,
      dedupe: "all",
      perm: 6,
      attributes: { "message.type": "FIFO" },
    },
    queueRefs: [{ queueKey: version, shard: 0 }],
    timerQueues: 1,
    formerQueues: [],
    system: false,
    createdMs: 1_700_000_000_000,
  };
}

function groupOf(name: string, groupKey: number): Group {
  const [version, createdMs] = [1, 1_700_000_000_000];
  return { name, groupKey, version, settings: defaultGroupSettings, createdMs };
}

function changeOf(version: number, change: Partial<RegistryChange>): RegistryChange {
  const counters = { version, queueKey: version, groupKey: 7 };
  return { topics: [], groups: [], deletedTopics: [], deletedGroups: [], counters, ...change };
}

test("openMetaStore() begins with nothing, and gives back what was saved", () =>
  inFolder((path) => {
    const group = groupOf("g", 7);
    withStore(path, (store) => {
      assert.deepEqual(store.start.registry, {
        topics: [],
        groups: [],
        counters: { version: 0, queueKey: 0, groupKey: 0 },
      });
      store.save(changeOf(1, { topics: [topicOf("b", 1), topicOf("a", 2)], groups: [group] }));
    });

    const { registry } = withStore(path, (store) => store.start);
    assert.deepEqual(registry.topics, [topicOf("a", 2), topicOf("b", 1)]);
    assert.deepEqual(registry.groups, [group]);
    assert.deepEqual(registry.counters, { version: 1, queueKey: 1, groupKey: 7 });
  }));

test("save() replaces what has the same name, and deletes", () =>
  inFolder((path) => {
    withStore(path, (store) => {
      store.save(changeOf(1, { topics: [topicOf("a", 1), topicOf("b", 1)] }));
      store.save(changeOf(2, { topics: [topicOf("a", 2)], deletedTopics: ["b"] }));
      store.save(changeOf(3, { groups: [groupOf("g", 1), groupOf("h", 2)] }));
      store.save(changeOf(4, { deletedGroups: ["g"] }));
    });

    const { registry } = withStore(path, (store) => store.start);
    assert.deepEqual(registry.topics, [topicOf("a", 2)]);
    assert.deepEqual(registry.groups.map(({ name }) => name), ["h"]);
  }));

test("save() leaves no trace of a change that fails midway", () =>
  inFolder((path) => {
    withStore(path, (store) => {
      store.save(changeOf(1, { groups: [groupOf("g", 1)] }));
      // A second group of the same key breaks a rule of the table, after the topic was written.
      const change = changeOf(2, { topics: [topicOf("a", 1)], groups: [groupOf("h", 1)] });
      assert.throws(() => store.save(change), StorageError);
      store.save(changeOf(2, { topics: [topicOf("b", 1)] }));
    });

    const { registry } = withStore(path, (store) => store.start);
    assert.deepEqual(registry.topics.map(({ name }) => name), ["b"]);
    assert.deepEqual(registry.groups.map(({ name }) => name), ["g"]);
  }));

test("openMetaStore() keeps its first secret and counts how often it was opened", () =>
  inFolder((path) => {
    const first = withStore(path, (store) => store.start, secretOf(1));
    const second = withStore(path, (store) => store.start, secretOf(2));

    assert.deepEqual([...first.receiptSecret], [...secretOf(1)]);
    assert.deepEqual([...second.receiptSecret], [...secretOf(1)]);
    assert.deepEqual([first.bootEpoch, second.bootEpoch], [1, 2]);
  }));

test("putKeyValue() keeps, replaces and deletes within its namespace", () =>
  inFolder((path) => {
    withStore(path, (store) => {
      store.putKeyValue("n", "b", "1");
      store.putKeyValue("n", "a", "2");
      store.putKeyValue("m", "a", "3");
      store.putKeyValue("n", "b", "4");
    });
    withStore(path, (store) => {
      assert.deepEqual(store.keyValues("n"), { a: "2", b: "4" });
      assert.equal(store.keyValueCount(), 3);
      store.putKeyValue("n", "a", null);
      assert.equal(store.keyValue("n", "a"), null);
      assert.equal(store.keyValue("m", "a"), "3");
    });
  }));

test("openMetaStore() finds timer keys of version 1 in all the queues there were", () =>
  inFolder((path) => {
    const client = openDatabase({ path });
    migrate(client, path, [tables]);
    const queueRefs = [1, 2, 3].map((queueKey) => ({ queueKey, shard: 0 }));
    client.prepare("INSERT INTO topic VALUES ('t', 1, '{}', ?, 0, 5)")
      .run(JSON.stringify(queueRefs));
    client.close();

    const [topic] = withStore(path, ({ start }) => start.registry.topics);
    assert.deepEqual([topic?.queueRefs, topic?.timerQueues], [queueRefs, 3]);
  }));

test("openMetaStore() takes what grew in version 2 for having been anything, some time ago", () =>
  inFolder((path) => {
    const client = openDatabase({ path });
    migrate(client, path, [tables, timerQueues]);
    const queueRefs = [1, 2, 3].map((queueKey) => ({ queueKey, shard: 0 }));
    const put = client.prepare("INSERT INTO topic VALUES (?, 1, '{}', ?, 0, 5, ?)");
    put.run("grown", JSON.stringify(queueRefs), 2);
    put.run("same", JSON.stringify(queueRefs), 3);
    client.close();

    const topics = withStore(path, ({ start }) => start.registry.topics);
    assert.deepEqual(topics.map(({ formerQueues }) => formerQueues), [
      [{ queues: null, endedMs: 0 }],
      [],
    ]);
  }));

test("save() keeps how many queues a topic had", () =>
  inFolder((path) => {
    const formerQueues = [{ queues: null, endedMs: 7 }, { queues: 1, endedMs: 9 }];
    withStore(path, (store) => {
      store.save(changeOf(1, { topics: [{ ...topicOf("a", 1), formerQueues }] }));
    });
    const [topic] = withStore(path, ({ start }) => start.registry.topics);
    assert.deepEqual(topic?.formerQueues, formerQueues);
  }));

test("openMetaStore() refuses a file of a newer version", () =>
  inFolder((path) => {
    withStore(path, () => {});
    const client = openDatabase({ path });
    client.prepare("PRAGMA user_version = 99").all();
    client.close();

    assert.throws(() => openMetaStore(path, secretOf(1)), /version 99/);
  }));
