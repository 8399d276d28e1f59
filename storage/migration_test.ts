/** Files of earlier versions come up with their rows, and what was damaged stays so. @module */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recordWith, texts, turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";
import { inspectShard } from "./inspect.ts";
import { tables } from "./migrations/shard/0001_tables.ts";
import { timers } from "./migrations/shard/0002_timers.ts";
import { migrate } from "./migrate.ts";
import { openDatabase } from "./open.ts";
import { rowChecksum } from "./row_checksum.ts";

type Waiting = { readonly id: number; readonly dueMs: number; readonly record: Uint8Array };

/** A file as version 1 left it: only its tables, delayed rows, and the largest id it gave. */
function versionOne(rows: readonly Waiting[], lastId: number): StoreFolder {
  const folder = new StoreFolder();
  const client = openDatabase({ path: folder.path });
  migrate(client, folder.path, [tables]);
  const put = client.prepare("INSERT INTO delayed VALUES (?, ?, 7, 3, ?, ?)");
  client.inTransaction("immediate", () => {
    for (const { id, dueMs, record } of rows) {
      put.run(id, dueMs, rowChecksum([id, dueMs, 7, 3], record), record);
    }
    put.run(lastId, 1, 0, new Uint8Array(0));
    client.prepare("DELETE FROM delayed WHERE id = ?").run(lastId);
  });
  client.close();
  return folder;
}

function change(folder: StoreFolder, sql: string): void {
  const client = openDatabase({ path: folder.path });
  client.prepare(sql).run();
  client.close();
}

test("openShardStore() brings delayed rows of version 1 over, named by their unique keys", () => {
  const rows = Array.from({ length: 2500 }, (_, at) => ({
    id: at + 1,
    dueMs: 5000 - at,
    record: recordWith({ TAGS: "t", UNIQ_KEY: `id-${at + 1}` }),
  }));
  const noRecord = { id: 3000, dueMs: 9000, record: new TextEncoder().encode("no record") };
  const folder = versionOne([...rows, noRecord], 4321);
  const store = folder.open();

  assert.deepEqual([store.stats().delayed, store.lastDelayedId()], [2501, 4321]);
  assert.deepEqual(store.delayedById([7], "id-77"), {
    id: 77,
    kind: "retry",
    dueMs: 4924,
    queueKey: 7,
    tagHash: 3,
    messageId: "id-77",
    timerKey: null,
    record: rows[76]?.record,
  });
  assert.deepEqual(store.delayedDue(1e12, 9999).map((row) => row.id), [
    ...rows.map((row) => row.id).reverse(),
    3000,
  ]);
  store.commit(turn(store, [{ queueKey: 7, text: "a" }], { delayedDeletes: [77] }));
  store.close();
  const again = folder.open();
  assert.deepEqual([texts(again, 7), again.delayedById([7], "id-77")], [["a"], null]);
  assert.equal(again.pragma("user_version"), 3);
  again.close();
  assert.deepEqual(inspectShard(folder.path).findings, []);
  folder.remove();
});

test("openShardStore() does not make a damaged row of version 1 good", () => {
  const row = { id: 1, dueMs: 5, record: recordWith({ UNIQ_KEY: "id-1" }) };
  const folder = versionOne([row, { ...row, id: 2, dueMs: 9 }], 5);
  change(folder, "UPDATE delayed SET dueMs = 4 WHERE id = 1");
  const store = folder.open();

  assert.throws(() => store.delayedDue(10, 10), /delayed message 1 is damaged/);
  assert.equal(store.delayedById([7], "id-1")?.id, 2);
  store.close();
  assert.match(inspectShard(folder.path).findings.join(), /delayed message 1 is damaged/);
  folder.remove();
});

test("inspectShard() looks at a file of version 1 without bringing it over", () => {
  const folder = versionOne([{ id: 1, dueMs: 5, record: new Uint8Array(9) }], 5);

  assert.deepEqual(inspectShard(folder.path).findings, []);
  change(folder, "UPDATE delayed SET dueMs = 4 WHERE id = 1");
  assert.match(inspectShard(folder.path).findings.join(), /delayed message 1: it does not match/);
  folder.remove();
});

test("openShardStore() reads events of version 2, which say no position", () => {
  const folder = new StoreFolder();
  const client = openDatabase({ path: folder.path });
  migrate(client, folder.path, [tables, timers]);
  const before = new Uint8Array([1, 2]);
  const sum = rowChecksum([4, 1, 7, 500, 0, 9, 3], before, "ann");
  client.prepare("INSERT INTO place_event VALUES (4, 1, 7, 500, 0, 9, 3, ?, 'ann', ?)")
    .run(sum, before);
  client.close();
  assert.deepEqual(inspectShard(folder.path).findings, []);
  const store = folder.open();

  const span = { atMs: 500, fromOffset: 9, toOffset: 3, position: null };
  const event = { id: 4, groupKey: 1, queueKey: 7, kind: "reset", by: "ann", before, ...span };
  assert.deepEqual(store.events(1, 7, 9), [event]);
  store.close();
  assert.deepEqual(inspectShard(folder.path).findings, []);
  folder.remove();
});
