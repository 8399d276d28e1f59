/** Queues with much that waits are dropped in steps, and a process may end between two of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../src/base/limits.ts";
import type { DelayedRow, HalfRow, ShardStore } from "../src/ports/shard_store.ts";
import { texts, turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";

const [doomed, kept] = [7, 8];
const rowsMax = 64;
const record = new Uint8Array(8);

function timerOf(id: number, queueKey: number): DelayedRow {
  const names = { kind: "timer", messageId: `m${id}`, timerKey: null } as const;
  return { id, ...names, dueMs: 1000 + id, queueKey, tagHash: 0, record };
}

function halfOf(id: number, queueKey: number): HalfRow {
  const names = { state: "prepared", producerGroup: "p", messageId: `h${id}` } as const;
  const times = { createdMs: 1, nextCheckMs: id, deliverAtMs: null, settledMs: 0 };
  const rest = { checks: 0, checkUrl: null, timerKey: null, tagHash: 0, record };
  return { id, queueKey, ...names, ...times, ...rest };
}

/** Timers and halves of the doomed queue for three steps, and one of each of the other. */
function fill(store: ShardStore): void {
  const timers = Array.from({ length: 2 * rowsMax }, (_, at) => timerOf(at + 1, doomed));
  const halves = Array.from({ length: rowsMax / 2 }, (_, at) => halfOf(at + 1, doomed));
  const delayedPuts = [...timers, timerOf(2 * rowsMax + 1, kept)];
  const halfPuts = [...halves, halfOf(rowsMax, kept)];
  const messages = [{ queueKey: doomed, text: "x" }, { queueKey: kept, text: "y" }];
  store.commit(turn(store, messages, { delayedPuts, halfPuts }));
}

function left(store: ShardStore) {
  return {
    timers: store.delayedDue(1e12, 9999).map(({ queueKey }) => queueKey),
    counted: [store.delayedCount([doomed]), store.delayedCount([kept]), store.stats().delayed],
    halves: store.halfCount("prepared"),
    texts: [texts(store, doomed), texts(store, kept)],
    queueKeys: store.queueKeys().sort(),
  };
}

const afterwards = {
  timers: [kept],
  counted: [0, 1, 1],
  halves: 1,
  texts: [[], ["y"]],
  queueKeys: [kept],
};

function withFolder(body: (folder: StoreFolder) => void): void {
  const folder = new StoreFolder();
  try {
    body(folder);
  } finally {
    folder.remove();
  }
}

test("dropQueues() deletes a bounded number of rows at a time, and the queue last", () => {
  withFolder((folder) => {
    const store = folder.open();
    fill(store);
    assert.deepEqual(store.dropQueues([doomed], rowsMax), { rows: rowsMax, more: true });
    assert.equal(store.delayedDue(1e12, 9999).length, rowsMax + 1);
    assert.deepEqual([store.delayedCount([doomed]), store.stats().delayed], [rowsMax, rowsMax + 1]);
    assert.deepEqual([texts(store, doomed), store.queueKeys().sort()], [["x"], [doomed, kept]]);

    assert.deepEqual(store.dropQueues([doomed], rowsMax), { rows: rowsMax, more: true });
    assert.deepEqual(store.dropQueues([doomed], rowsMax), { rows: rowsMax / 2, more: false });
    assert.deepEqual(left(store), afterwards);
    store.close();
    assert.deepEqual(left(folder.open()), afterwards);
  });
});

test("dropQueues() goes on with a queue whose dropping a killed process began", () => {
  withFolder((folder) => {
    const store = folder.open();
    fill(store);
    store.dropQueues([doomed], rowsMax);
    const copy = folder.copy();
    try {
      const opened = copy.open();
      assert.deepEqual(opened.recovery.damage, null);
      assert.deepEqual(opened.queueKeys().sort(), [doomed, kept]);
      while (opened.dropQueues([doomed], rowsMax).more);
      assert.deepEqual(left(opened), afterwards);
    } finally {
      copy.remove();
    }
  });
});

test("a timer may fire between two steps, and goes with its queue", () => {
  withFolder((folder) => {
    const store = folder.open();
    fill(store);
    store.dropQueues([doomed], rowsMax);
    const [first] = store.delayedDue(1e12, 1);
    assert.ok(first?.queueKey === doomed);
    const fired = [{ queueKey: doomed, text: "fired" }];
    store.commit(turn(store, fired, { delayedDeletes: [first.id] }));
    while (store.dropQueues([doomed], rowsMax).more);
    assert.deepEqual(left(store), afterwards);
  });
});

test("queueKeys() knows queues in which something only waits, or somebody only has a place", () => {
  withFolder((folder) => {
    const store = folder.open();
    store.commit(turn(store, [], {
      delayedPuts: [timerOf(1, 1)],
      halfPuts: [halfOf(1, 2)],
      offsets: [{ groupKey: 5, queueKey: 3, next: 0 }],
    }));
    assert.deepEqual(store.queueKeys().sort(), [1, 2, 3]);
    store.dropQueues([1, 2, 3], rowsMax);
    assert.deepEqual(store.queueKeys(), []);
  });
});

test("dropQueues() looks at a bounded number of half messages, and finds those it is for", () => {
  withFolder((folder) => {
    const store = folder.open();
    const others = limits.halvesPerDropStepMax;
    const settled = (at: number) => ({ state: "committed", settledMs: at + 1 }) as const;
    const halfPuts = Array.from({ length: others + 10 }, (_, at) => {
      const half = halfOf(at + 1, at % 500 === 0 || at >= others ? doomed : kept);
      return at % 2 === 0 ? half : { ...half, ...settled(at) };
    });
    store.commit(turn(store, [], { halfPuts }));
    const doomedCount = halfPuts.filter(({ queueKey }) => queueKey === doomed).length;
    const first = store.dropQueues([doomed], rowsMax);
    assert.equal(first.more, true);
    // Another one between two steps begins anew, and so does the first one after it.
    assert.equal(store.dropQueues([99], rowsMax).rows, 0);
    let rows = first.rows;
    for (let more = true; more;) {
      const step = store.dropQueues([doomed], rowsMax);
      rows += step.rows;
      more = step.more;
    }
    assert.equal(rows, doomedCount);
    const left = store.halfCount("prepared") + store.halfCount("committed");
    assert.deepEqual([left, store.queueKeys()], [halfPuts.length - doomedCount, [kept]]);
  });
});
