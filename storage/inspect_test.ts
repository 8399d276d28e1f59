import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";
import { inspectShard } from "./inspect.ts";

/** A closed store of 40 turns over two queues. */
function closedStore(): StoreFolder {
  const folder = new StoreFolder();
  const store = folder.open();
  for (let at = 0; at < 40; at++) {
    const message = (queueKey: number) => ({ queueKey, text: `turn ${at}` });
    store.commit(turn(store, [message(1), message(2), message(1)]));
  }
  store.trim(
    [{ queueKeys: [1], retentionMs: 1e15, retentionBytes: 100, deleteUnread: true }],
    () => null,
    2000,
  );
  store.close();
  return folder;
}

test("inspectShard() finds nothing wrong with a store that was closed", () => {
  const folder = closedStore();
  const { faults, findings, turns, chunks } = inspectShard(folder.path);

  assert.deepEqual([faults, findings, turns, chunks], [0, [], 40, 2]);
  folder.remove();
});

test("inspectShard() names damaged turns, missing turns and indexes that disagree", () => {
  const cases: [string, RegExp][] = [
    ["UPDATE log SET records = zeroblob(length(records)) WHERE firstPosition = 118", /118 to 120/],
    ["UPDATE log SET storedMs = 7 WHERE firstPosition = 1", /1 to 3 is damaged/],
    ["DELETE FROM log WHERE firstPosition = 100", /lacks offsets 33 to 33 of queue 2/],
    [
      "UPDATE queue_index SET basePosition = basePosition + 1",
      /queue 1 from offset 0 is damaged/,
    ],
    ["DELETE FROM log WHERE firstPosition = 118", /queue 2, offset 39 at position 119/],
    ["UPDATE queue SET minOffset = 9 WHERE queueKey = 2", /queue 2: it does not match/],
  ];
  for (const [sql, expected] of cases) {
    const folder = closedStore();
    const file = new DatabaseSync(folder.path);
    file.prepare(sql).run();
    file.close();
    const { faults, findings } = inspectShard(folder.path);

    assert.ok(faults >= 1);
    assert.match(findings.join("\n"), expected);
    folder.remove();
  }
});
