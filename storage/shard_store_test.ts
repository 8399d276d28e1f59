import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { StorageError } from "../src/model/errors.ts";
import { rule, texts, trimAll, turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";

function withFolder(body: (folder: StoreFolder) => void): () => void {
  return () => {
    const folder = new StoreFolder();
    try {
      body(folder);
    } finally {
      folder.remove();
    }
  };
}

/** Texts of `count` messages, 200 bytes each. */
function padded(count: number, queueKey = 1) {
  return Array.from({ length: count }, (_, at) => ({ queueKey, text: `${at}`.padStart(200) }));
}

test(
  "commit() syncs for power-loss and does not for process-crash",
  withFolder((folder) => {
    const store = folder.open();
    const levels = (["power-loss", "process-crash", "power-loss"] as const).map((durability) => {
      store.commit(turn(store, [{ queueKey: 1, text: durability }], { durability }));
      return store.pragma("synchronous");
    });

    assert.deepEqual(levels, [2, 1, 2]);
  }),
);

test(
  "commit() survives a process that is killed, without a close",
  withFolder((folder) => {
    const store = folder.open();
    for (let at = 0; at < 30; at++) {
      store.commit(
        turn(store, [...padded(20, 1), ...padded(3, 2)], { durability: "process-crash" }),
      );
      if (at === 10) store.checkpoint();
    }
    const copy = folder.copy();
    const opened = copy.open();

    assert.deepEqual(opened.recovery.damage, null);
    assert.deepEqual(
      [1, 2].map((key) => texts(opened, key)),
      [1, 2].map((key) => texts(store, key)),
    );
    assert.equal(opened.recovery.replayedMessages, 30 * 23);
    assert.equal(opened.stats().logBytes, store.stats().logBytes);
    copy.remove();
  }),
);

test(
  "recovery replays no more than its window, however long the log is",
  withFolder((folder) => {
    const store = folder.open({ replayMessagesMax: 17_000 });
    for (let at = 0; at < 300; at++) store.commit(turn(store, padded(200, at % 7)));
    const copy = folder.copy();
    const opened = copy.open();

    assert.ok(opened.recovery.replayedMessages <= 17_000 + 16_384 + 200);
    const queues = [0, 1, 2, 3, 4, 5, 6];
    assert.deepEqual(
      queues.map((key) => opened.entries(key, 0, 99_999)),
      queues.map((key) => store.entries(key, 0, 99_999)),
    );
    copy.remove();
  }),
);

test(
  "commit() on a full disk says so, changes nothing, and goes on when there is room",
  withFolder((folder) => {
    const store = folder.open({ fileBytesMax: 400_000 });
    let acked = 0;
    assert.throws(() => {
      for (; acked < 1000; acked++) {
        store.commit(turn(store, padded(20), { storedMs: 1000 + acked }));
        if (acked % 8 === 0) store.checkpoint();
      }
    }, (error) => error instanceof StorageError && error.fault === "full");
    assert.equal(store.maxOffset(1), acked * 20);
    assert.equal(texts(store, 1).length, acked * 20);

    trimAll(store, [rule([1], { retentionMs: 1 })], 999_999);
    store.commit(turn(store, padded(20)));
    assert.equal(store.maxOffset(1), acked * 20 + 20);
  }),
);

test(
  "commit() refuses sends when a stuck reader lets the WAL grow over its bound",
  withFolder((folder) => {
    const walBytesMax = 2_000_000;
    const store = folder.open({ walBytesMax });
    store.commit(turn(store, padded(20)));
    const reader = new DatabaseSync(folder.path, { readOnly: true });
    reader.prepare("BEGIN").run();
    reader.prepare("SELECT count(*) FROM log").get();

    assert.throws(() => {
      for (let at = 0; at < 1000; at++) {
        store.commit(turn(store, padded(100)));
        store.checkpoint();
      }
    }, (error) => error instanceof StorageError && error.fault === "full");
    const { walBytes } = store.stats();
    assert.ok(walBytes >= walBytesMax && walBytes < walBytesMax * 2, `${walBytes}`);
    store.commit(turn(store, [], { offsets: [{ groupKey: 1, queueKey: 1, next: 3 }] }));

    reader.close();
    store.checkpoint();
    store.commit(turn(store, padded(100)));
    assert.equal(texts(store, 1, store.maxOffset(1) - 1).length, 1);
  }),
);

test(
  "a store whose file somebody else writes stops, and does not go on",
  withFolder((folder) => {
    const store = folder.open();
    store.commit(turn(store, padded(1)));
    const intruder = new DatabaseSync(folder.path);
    intruder.prepare("BEGIN IMMEDIATE").run();
    const isIo = (error: unknown) => error instanceof StorageError && error.fault === "io";
    assert.throws(() => store.commit(turn(store, padded(1))), isIo);
    intruder.prepare("ROLLBACK").run();
    intruder.close();

    assert.throws(() => store.commit(turn(store, padded(1))), isIo);
  }),
);

test(
  "openShardStore() refuses a file of a newer Curlew, and one of another shard",
  withFolder((folder) => {
    folder.open().close();
    const change = (sql: string) => {
      const file = new DatabaseSync(folder.path);
      file.prepare(sql).run();
      file.close();
    };
    change("PRAGMA user_version = 99");
    assert.throws(() => folder.open(), /version 99, this Curlew knows up to 3/);

    change("PRAGMA user_version = 3");
    change("UPDATE mark SET shard = 4");
    assert.throws(() => folder.open(), /as shard 0: it holds shard 4/);
  }),
);

test(
  "trim() gives the room of dead turns back to the log, also behind a slow queue",
  withFolder((folder) => {
    const store = folder.open({ replayMessagesMax: 100 });
    for (let at = 0; at < 400; at++) {
      const slow = at % 50 === 0 ? [{ queueKey: 2, text: "slow" }] : [];
      store.commit(turn(store, [...padded(50), ...slow], { storedMs: 1000 + at }));
    }
    // The window of recovery lags by `markLagMax`; closing moves it to the end.
    store.close();
    const again = folder.open({ replayMessagesMax: 100 });
    const before = again.stats().logBytes;
    trimAll(again, [rule([1], { retentionMs: 10 }), rule([2])], 1400);
    const after = again.stats().logBytes;

    assert.ok(after < before / 20, `${after} of ${before} bytes are left`);
    assert.equal(texts(again, 2).length, 8);
    assert.equal(texts(again, 1).length, 10 * 50);
    again.close();
    const opened = folder.open();
    assert.deepEqual([opened.recovery.damage, opened.stats().logBytes], [null, after]);
    assert.equal(texts(opened, 2).join(" "), Array(8).fill("slow").join(" "));
  }),
);

test(
  "trim() keeps the file from growing when as much is trimmed as is written",
  withFolder((folder) => {
    const store = folder.open({ replayMessagesMax: 100 });
    const write = (from: number) => {
      for (let at = from; at < from + 300; at++) {
        store.commit(turn(store, padded(100), {
          storedMs: 1000 + at,
          durability: "process-crash",
        }));
        store.trim([rule([1], { retentionMs: 50 })], () => null, 1000 + at);
      }
      store.checkpoint();
    };
    write(0);
    write(300);
    const early = store.fileBytes();
    write(600);
    write(900);
    assert.ok(store.fileBytes() <= early * 1.25, `${early} grew to ${store.fileBytes()}`);
  }),
);

test(
  "reusableBytes() counts what retention left inside the file, and new messages take it",
  withFolder((folder) => {
    const store = folder.open({ replayMessagesMax: 100 });
    for (let at = 0; at < 40; at++) store.commit(turn(store, padded(100)));
    assert.ok(store.reusableBytes() < 100_000);
    trimAll(store, [rule([1], { retentionBytes: 1 })], 2_000);
    const freed = store.reusableBytes();
    assert.ok(freed > 500_000, `${freed} bytes`);
    for (let at = 0; at < 10; at++) store.commit(turn(store, padded(100)));
    assert.ok(store.reusableBytes() < freed - 200_000);
  }),
);

test(
  "trim() gives the room of large messages back, however few they are",
  withFolder((folder) => {
    const store = folder.open();
    const large = { queueKey: 1, text: "x".repeat(1024 * 1024) };
    for (let at = 0; at < 20; at++) store.commit(turn(store, [large]));
    const rules = [rule([1], { retentionBytes: 4 * 1024 * 1024 })];
    trimAll(store, rules, 2_000);
    trimAll(store, rules, 2_000);

    assert.ok(store.reusableBytes() > 12 * 1024 * 1024, `${store.reusableBytes()} bytes`);
    assert.ok(store.stats().logBytes < 6 * 1024 * 1024);
  }),
);

test(
  "a recovery reads a bounded part of the log, also of large messages over many queues",
  withFolder((folder) => {
    const store = folder.open();
    const text = "x".repeat(1024 * 1024);
    for (let at = 0; at < 150; at++) {
      store.commit(turn(store, [{ queueKey: 1 + at % 7, text }], { durability: "process-crash" }));
    }
    const copy = folder.copy();
    const opened = copy.open();
    assert.equal(opened.recovery.damage, null);
    assert.ok(opened.recovery.replayedMessages < 100, `${opened.recovery.replayedMessages}`);
    assert.equal(opened.maxOffset(1) + opened.maxOffset(7), 22 + 21);
    copy.remove();
    store.close();
    const again = folder.open();
    assert.ok(again.recovery.replayedMessages < 100, `${again.recovery.replayedMessages}`);
  }),
);
