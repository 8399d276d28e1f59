/**
 * What every implementation of the port `ShardStore` keeps. Run it with a factory:
 *
 *     shardStoreContract("SQLite", (name) => new Bench(name))
 *
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  DelayedRow,
  LogEntry,
  RetentionRule,
  ShardStore,
  TurnRecord,
} from "../../src/ports/shard_store.ts";

/** Opens, and opens again, the store of one test. */
export interface StoreBench {
  /** The first call creates; later ones find what the store before had when it was closed. */
  open(): ShardStore;
  /** Throws away what the test left. */
  remove(): void;
}

/** A message for `turn`: goes to `queueKey`, its record is `text`, or bytes as they are. */
export type TurnMessage = {
  readonly queueKey: number;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  readonly tagHash?: number;
};

const encoder = new TextEncoder();

/** A turn of these messages that follows what the store has. */
export function turn(
  store: ShardStore,
  messages: readonly TurnMessage[],
  more: Partial<TurnRecord> = {},
): TurnRecord {
  const next = new Map<number, number>();
  const parts = messages.map((message) => message.bytes ?? encoder.encode(message.text ?? ""));
  const records = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let start = 0;
  const entries: LogEntry[] = messages.map(({ queueKey, tagHash = 0 }, index) => {
    const queueOffset = next.get(queueKey) ?? store.maxOffset(queueKey);
    next.set(queueKey, queueOffset + 1);
    const part = parts[index]!; // one part a message
    records.set(part, start);
    const entry = { queueKey, queueOffset, start, bytes: part.length, tagHash };
    start += part.length;
    return entry;
  });
  return {
    firstPosition: store.nextPosition(),
    storedMs: Math.max(1000, store.lastStoredMs()),
    entries,
    records,
    offsets: [],
    inflight: [],
    delayedPuts: [],
    delayedDeletes: [],
    halfPuts: [],
    events: [],
    durability: "power-loss",
    ...more,
  };
}

/** A record of RocketMQ's layout whose properties are `properties`. */
export function recordWith(properties: Readonly<Record<string, string>>): Uint8Array {
  const text = Object.entries(properties).map(([key, value]) => `${key}\u0001${value}\u0002`);
  const props = encoder.encode(text.join(""));
  const body = encoder.encode("body");
  const topic = encoder.encode("orders");
  const bytes = new Uint8Array(91 + body.length + topic.length + props.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setUint32(4, 0xdaa320a7);
  view.setInt32(84, body.length);
  bytes.set(body, 88);
  let at = 88 + body.length;
  view.setInt8(at, topic.length);
  bytes.set(topic, at + 1);
  at += 1 + topic.length;
  view.setInt16(at, props.length);
  bytes.set(props, at + 2);
  return bytes;
}

/** What a queue holds, as texts, from `fromOffset` on. */
export function texts(store: ShardStore, queueKey: number, fromOffset = 0): string[] {
  const entries = store.entries(queueKey, fromOffset, 100_000);
  const records = store.records(entries.map((entry) => entry.position));
  return records.map((record) => new TextDecoder().decode(record));
}

/** The rule of a topic that keeps everything. */
export function rule(queueKeys: number[], more: Partial<RetentionRule> = {}): RetentionRule {
  return {
    queueKeys,
    retentionMs: Number.MAX_SAFE_INTEGER,
    retentionBytes: null,
    deleteUnread: true,
    ...more,
  };
}

/** Trims until the store has no more to do. */
export function trimAll(
  store: ShardStore,
  rules: readonly RetentionRule[],
  nowMs: number,
  floors: (queueKey: number) => number | null = () => null,
): number {
  let deleted = 0;
  for (let step = 0; step < 10_000; step++) {
    const result = store.trim(rules, floors, nowMs);
    deleted += result.deletedMessages;
    if (!result.more) return deleted;
  }
  throw new Error("trim() did not come to an end in 10000 steps");
}

function delayed(id: number, dueMs: number, text: string, queueKey = 7): DelayedRow {
  const names = { kind: "timer", messageId: `message-${id}`, timerKey: null } as const;
  return { id, ...names, dueMs, queueKey, tagHash: 0, record: encoder.encode(text) };
}

/** Registers the suite. `make` is called once a test. */
export function shardStoreContract(name: string, make: () => StoreBench): void {
  function check(claim: string, body: (bench: StoreBench) => void): void {
    test(`ShardStore (${name}) ${claim}`, () => {
      const bench = make();
      try {
        body(bench);
      } finally {
        bench.remove();
      }
    });
  }
  appendContract(check);
  readContract(check);
  findContract(check);
  stateContract(check);
  forgetContract(check);
  retentionContract(check);
}

type Check = (claim: string, body: (bench: StoreBench) => void) => void;

function appendContract(check: Check): void {
  check("numbers the shard from 1 and each queue from 0, without gaps", (bench) => {
    const store = bench.open();
    assert.equal(store.nextPosition(), 1);
    store.commit(turn(store, [{ queueKey: 7 }, { queueKey: 8 }, { queueKey: 7 }]));

    const places = [7, 8].flatMap((key) =>
      store.entries(key, 0, 10).map((entry) => `${entry.position}: ${key}/${entry.queueOffset}`)
    );
    assert.deepEqual(places, ["1: 7/0", "3: 7/1", "2: 8/0"]);
    assert.deepEqual([store.nextPosition(), store.maxOffset(7), store.maxOffset(9)], [4, 2, 0]);
    store.close();
  });

  check("continues where the log ends when it is opened again", (bench) => {
    const first = bench.open();
    first.commit(turn(first, [{ queueKey: 7, text: "a" }, { queueKey: 7, text: "b" }]));
    first.close();

    const store = bench.open();
    store.commit(turn(store, [{ queueKey: 7, text: "c" }]));
    assert.deepEqual(texts(store, 7), ["a", "b", "c"]);
    assert.deepEqual([store.recovery.missing, store.recovery.damage], [null, null]);
    store.close();
  });

  check("refuses a turn that does not begin where the log ends, and changes nothing", (bench) => {
    const store = bench.open();
    store.commit(turn(store, [{ queueKey: 7, text: "a" }]));

    assert.throws(() => store.commit(turn(store, [{ queueKey: 7 }], { firstPosition: 9 })));
    assert.throws(() => store.commit(turn(store, [{ queueKey: 7 }], { storedMs: 1 })));
    assert.deepEqual([store.nextPosition(), store.maxOffset(7)], [2, 1]);
    store.commit(turn(store, [{ queueKey: 7, text: "b" }]));
    assert.deepEqual(texts(store, 7), ["a", "b"]);
    store.close();
  });

  check("keeps the caller's bytes apart from its own", (bench) => {
    const store = bench.open();
    const record = turn(store, [{ queueKey: 7, text: "kept" }]);
    store.commit(record);
    record.records.fill(0);

    assert.deepEqual(texts(store, 7), ["kept"]);
    store.close();
  });
}

function readContract(check: Check): void {
  check("reads every entry of many queues in order, also after it is opened again", (bench) => {
    const first = bench.open();
    for (let at = 0; at < 60; at++) {
      const messages = Array.from({ length: 50 }, (_, index) => ({
        queueKey: index % 5 === 0 ? 1 : 2 + (at % 3),
        text: `${at}.${index}`,
        tagHash: -index,
      }));
      first.commit(turn(first, messages));
    }
    const before = [1, 2, 3, 4].map((key) => texts(first, key));
    assert.deepEqual(before.map((queue) => queue.length), [600, 800, 800, 800]);
    assert.equal(before[0]?.[11], "1.5");
    const tags = first.entries(1, 1, 2).map((entry) => entry.tagHash);
    assert.deepEqual(tags, [-5, -10]);
    first.close();

    const store = bench.open();
    assert.deepEqual([1, 2, 3, 4].map((key) => texts(store, key)), before);
    assert.deepEqual(texts(store, 2, 795), before[1]?.slice(795));
    assert.deepEqual(store.entries(1, 254, 4).map((entry) => entry.queueOffset), [
      254,
      255,
      256,
      257,
    ]);
    store.close();
  });

  check("answers a position nobody has with an empty record", (bench) => {
    const store = bench.open();
    store.commit(turn(store, [{ queueKey: 7, text: "a" }]));

    assert.deepEqual(store.records([0, 1, 2]).map((record) => record.length), [0, 1, 0]);
    assert.deepEqual(store.entries(7, 1, 5), []);
    store.close();
  });
}

function findContract(check: Check): void {
  check("finds offsets and positions by stored time", (bench) => {
    const store = bench.open();
    for (const storedMs of [1000, 2000, 2000, 3000]) {
      store.commit(turn(store, [{ queueKey: 7 }, { queueKey: 8 }], { storedMs }));
    }
    const times = [0, 1000, 1001, 2000, 2001, 3000, 3001];

    assert.deepEqual(times.map((ms) => store.offsetAtTime(7, ms)), [0, 0, 1, 1, 3, 3, 4]);
    assert.deepEqual(times.map((ms) => store.positionAtTime(ms)), [1, 1, 3, 3, 7, 7, 9]);
    assert.equal(store.lastStoredMs(), 3000);
    store.close();
  });

  check("finds messages by unique key and by each of their keys, newest first", (bench) => {
    const first = bench.open();
    const unique = { queueKey: 7, bytes: recordWith({ UNIQ_KEY: "id-1", TAGS: "t" }) };
    const keyed = { queueKey: 7, bytes: recordWith({ KEYS: "red green", UNIQ_KEY: "id-2" }) };
    first.commit(turn(first, [unique, keyed]));
    first.commit(turn(first, [keyed]));
    const find = (store: ShardStore) =>
      ["id-1", "green", "red", "t", "none"].map((key) => store.findByKey(key, 5));
    assert.deepEqual(find(first), [[1], [3, 2], [3, 2], [], []]);
    first.close();

    const store = bench.open();
    assert.deepEqual(find(store), [[1], [3, 2], [3, 2], [], []]);
    assert.deepEqual([store.findByKey("red", 1), store.findByKey("red", 5, 3)], [[3], [2]]);
    assert.deepEqual([2, 3, 4].map((from) => store.findByKey("red", 5, 9, from)), [
      [3, 2],
      [3],
      [],
    ]);
    store.close();
  });
}

function stateContract(check: Check): void {
  check("keeps offsets and open deliveries, and forgets those set to null", (bench) => {
    const first = bench.open();
    const span = (chunk: number, bytes: number[] | null) => ({
      groupKey: 1,
      queueKey: 7,
      chunk,
      entries: bytes === null ? null : new Uint8Array(bytes),
    });
    first.commit(turn(first, [], {
      offsets: [{ groupKey: 1, queueKey: 7, next: 4 }, { groupKey: 2, queueKey: 7, next: 5 }],
      inflight: [span(0, [1]), span(64, [2])],
    }));
    first.commit(turn(first, [], {
      offsets: [{ groupKey: 1, queueKey: 7, next: 6 }, { groupKey: 2, queueKey: 7, next: null }],
      inflight: [span(0, null), span(64, [3, 4])],
      durability: "process-crash",
    }));
    first.close();

    const store = bench.open();
    assert.deepEqual([...store.loadOffsets()].map((row) => ({ ...row })), [
      { groupKey: 1, queueKey: 7, next: 6 },
    ]);
    assert.deepEqual([...store.loadInflight()].map((row) => [row.chunk, [...row.entries]]), [
      [64, [3, 4]],
    ]);
    store.dropGroup(1);
    assert.deepEqual([[...store.loadOffsets()], [...store.loadInflight()]], [[], []]);
    store.close();
  });
}

function forgetContract(check: Check): void {
  check("gives delayed messages by due time and never forgets the largest id", (bench) => {
    const first = bench.open();
    assert.deepEqual([first.nextDelayedDueMs(), first.lastDelayedId()], [null, 0]);
    first.commit(turn(first, [], {
      delayedPuts: [delayed(1, 300, "c"), delayed(2, 100, "a"), delayed(3, 200, "b")],
    }));
    const due = (store: ShardStore, ms: number, count: number) =>
      store.delayedDue(ms, count).map((row) => new TextDecoder().decode(row.record));
    assert.deepEqual([due(first, 200, 9), due(first, 999, 1)], [["a", "b"], ["a"]]);
    assert.equal(first.stats().delayed, 3);
    first.commit(turn(first, [{ queueKey: 7, text: "a" }], { delayedDeletes: [2, 3] }));
    first.close();

    const store = bench.open();
    assert.deepEqual([store.nextDelayedDueMs(), store.lastDelayedId()], [300, 3]);
    assert.deepEqual([due(store, 999, 9), texts(store, 7)], [["c"], ["a"]]);
    store.close();
  });

  check("forgets dropped queues with all that belongs to them", (bench) => {
    const first = bench.open();
    first.commit(turn(first, [{ queueKey: 7, text: "x" }, { queueKey: 8, text: "y" }], {
      offsets: [{ groupKey: 1, queueKey: 7, next: 1 }, { groupKey: 1, queueKey: 8, next: 0 }],
      delayedPuts: [delayed(1, 10, "x", 7), delayed(2, 20, "y", 8)],
    }));
    first.dropQueues([7], 64);
    const left = (store: ShardStore) => [
      texts(store, 7),
      store.maxOffset(7),
      texts(store, 8),
      [...store.loadOffsets()].map((row) => row.queueKey),
      store.delayedDue(99, 9).map((row) => row.id),
    ];
    assert.deepEqual(left(first), [[], 0, ["y"], [8], [2]]);
    first.close();

    const store = bench.open();
    assert.deepEqual(left(store), [[], 0, ["y"], [8], [2]]);
    store.close();
  });
}

function retentionContract(check: Check): void {
  const fill = (store: ShardStore, turns: number, queueKeys: number[]) => {
    for (let at = 1; at <= turns; at++) {
      const messages = queueKeys.map((queueKey) => ({ queueKey, text: `${at}`.padStart(100) }));
      store.commit(turn(store, messages, { storedMs: at * 1000 }));
    }
  };

  check("trims by age, keeps the newest entry, and remembers after it is opened again", (bench) => {
    const first = bench.open();
    fill(first, 20, [1, 2]);
    const rules = [rule([1], { retentionMs: 5000 }), rule([2], { retentionMs: 1 })];

    assert.equal(trimAll(first, rules, 20_000), 14 + 19);
    const ends = (store: ShardStore) =>
      [1, 2].map((key) => [store.minOffset(key), store.maxOffset(key)]);
    assert.deepEqual(ends(first), [[14, 20], [19, 20]]);
    assert.deepEqual(first.entries(1, 0, 1).map((entry) => entry.queueOffset), [14]);
    first.close();

    const store = bench.open();
    assert.deepEqual(ends(store), [[14, 20], [19, 20]]);
    assert.deepEqual(texts(store, 1).map(Number), [15, 16, 17, 18, 19, 20]);
    store.close();
  });

  check("trims a topic to its bytes, over all its queues", (bench) => {
    const store = bench.open();
    fill(store, 20, [1, 2]);
    trimAll(store, [rule([1, 2], { retentionBytes: 1000 })], 20_000);

    const left = texts(store, 1).length + texts(store, 2).length;
    assert.ok(left * 100 <= 1000 && left >= 8, `${left} records of 100 bytes are left`);
    store.close();
  });

  check("never trims what a group has not read, unless the rule says so", (bench) => {
    const store = bench.open();
    fill(store, 20, [1]);
    trimAll(store, [rule([1], { retentionMs: 1, deleteUnread: false })], 99_000, () => 3);
    assert.equal(store.minOffset(1), 3);

    trimAll(store, [rule([1], { retentionMs: 1, deleteUnread: true })], 99_000, () => 3);
    assert.equal(store.minOffset(1), 19);
    store.close();
  });
}
