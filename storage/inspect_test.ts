import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { TurnRecord } from "../src/ports/shard_store.ts";
import { turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";
import { inspectShard } from "./inspect.ts";
import { readBoot } from "./mark_file.ts";

/** A row of each of the small tables. */
function waiting(id: number): Partial<TurnRecord> {
  const record = new TextEncoder().encode(`waits as ${id}`);
  const names = { id, queueKey: 1, tagHash: 0, messageId: `m${id}`, timerKey: `key-${id}`, record };
  const where = { groupKey: 1, queueKey: 1, position: id };
  const event = { id, ...where, atMs: id, fromOffset: 0, toOffset: id };
  const checks = { createdMs: id, nextCheckMs: id, checks: 0, deliverAtMs: null, settledMs: 0 };
  return {
    offsets: [{ groupKey: id, queueKey: 1, next: id }],
    inflight: [{ groupKey: id, queueKey: 1, chunk: 0, entries: record }],
    delayedPuts: [{ ...names, kind: "timer", dueMs: id }],
    halfPuts: [{ ...names, ...checks, state: "prepared", producerGroup: "p", checkUrl: null }],
    events: [{ ...event, kind: "reset", by: "ann", before: record }],
  };
}

/** A closed store of 40 turns over two queues. */
function closedStore(): StoreFolder {
  const folder = new StoreFolder();
  const store = folder.open();
  for (let at = 0; at < 40; at++) {
    const message = (queueKey: number) => ({ queueKey, text: `turn ${at}` });
    store.commit(turn(store, [message(1), message(2), message(1)], waiting(at + 1)));
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
    ["UPDATE group_offset SET nextOffset = 9 WHERE groupKey = 2", /offset of group 2 in queue 1/],
    ["UPDATE inflight SET entries = x'00' WHERE groupKey = 3", /group 3 has open in queue 1/],
    ["UPDATE delayed SET dueMs = 99 WHERE id = 4", /delayed message 4 is damaged/],
    ["UPDATE delayed SET timerKey = 'key' WHERE id = 5", /delayed message 5 is damaged/],
    ["UPDATE delayed SET kind = 7 WHERE id = 6", /delayed message 6 is damaged/],
    ["UPDATE half SET state = 2 WHERE id = 7", /half message 7 is damaged/],
    ["UPDATE half SET record = x'00' WHERE id = 8", /half message 8 is damaged/],
    ["UPDATE place_event SET doneBy = 'bob' WHERE id = 9", /event 9 of group 1 in queue 1/],
    ["UPDATE place_event SET position = NULL WHERE id = 9", /event 9 of group 1 in queue 1/],
    ["UPDATE last_id SET id = 3 WHERE tableNumber = 2", /last id of table 2/],
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

test("inspectShard() misses the acknowledged end of the log, by what a power cut may take", () => {
  const folder = new StoreFolder();
  const store = folder.open();
  const send = (durability: "power-loss" | "process-crash") =>
    store.commit(turn(store, [{ queueKey: 1 }], { durability }));
  send("power-loss");
  const early = folder.copy();
  send("power-loss");
  send("process-crash");
  const cut = folder.copy();
  for (const path of [cut.path, cut.walPath]) {
    cpSync(path.replace(cut.directory, early.directory), path);
  }

  const boot = readBoot();
  const lacks = (to: number) => `The log lacks positions 2 to ${to}: they were acknowledged`;
  assert.deepEqual(inspectShard(cut.path, boot).findings, [lacks(3)]);
  assert.deepEqual(inspectShard(cut.path, boot + 1).findings, [lacks(2)]);
  assert.deepEqual(inspectShard(early.path, boot).findings, []);
  for (const used of [early, cut, folder]) used.remove();
});
