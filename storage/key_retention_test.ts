import assert from "node:assert/strict";
import { test } from "node:test";
import { recordWith, rule, texts, trimAll, turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";
import { inspectShard } from "./inspect.ts";

test("trim() takes the keys of what is gone, and keeps those of a slow queue's messages", () => {
  const folder = new StoreFolder();
  const store = folder.open({ replayMessagesMax: 100 });
  // An empty table or index takes a page as well.
  const empty = Number(store.pragma("main.page_count"));
  for (let at = 0; at < 60; at++) {
    const keyed = (queueKey: number, key: string) => ({
      queueKey,
      bytes: recordWith({ UNIQ_KEY: key }),
    });
    const fast = Array.from({ length: 20 }, (_, index) => keyed(1, `fast-${at}-${index}`));
    const slow = at === 7 ? [keyed(2, "slow")] : [];
    store.commit(turn(store, [...fast, ...slow], { storedMs: 1000 + at }));
  }
  store.close();
  const again = folder.open({ replayMessagesMax: 100 });
  const rows = () =>
    Number(again.pragma("main.page_count")) - Number(again.pragma("freelist_count")) - empty;
  const before = rows();
  trimAll(again, [rule([1], { retentionMs: 1 }), rule([2])], 1060);

  assert.ok(rows() < before / 2, `${rows()} of ${before} pages are in use`);
  assert.deepEqual(again.findByKey("slow", 9).length, 1);
  assert.deepEqual(again.findByKey("fast-7-3", 9), []);
  assert.equal(texts(again, 2).length, 1);
  again.close();
  assert.deepEqual(inspectShard(folder.path).findings, []);
  folder.remove();
});
