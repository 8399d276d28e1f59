/** What a damaged file may do: be noticed, or make no difference. Never be served. @module */
import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Prng } from "../src/base/prng.ts";
import { StorageError } from "../src/model/errors.ts";
import type { HalfRow, PlaceEvent, ShardStore } from "../src/ports/shard_store.ts";
import { recordWith, texts, turn } from "../tests/contract/shard_store_contract.ts";
import { StoreFolder } from "../tests/support/store_folder.ts";

function half(id: number): HalfRow {
  const names = { producerGroup: "p", messageId: `half-${id}`, checkUrl: null, timerKey: null };
  const times = { createdMs: id, nextCheckMs: id, deliverAtMs: null, settledMs: 0 };
  const record = new Uint8Array(300).fill(id);
  return { id, state: "prepared", queueKey: 1, tagHash: 0, checks: 0, ...names, ...times, record };
}

function event(id: number): PlaceEvent {
  const where = { groupKey: 1, queueKey: 1, position: id };
  const place = { ...where, atMs: id, fromOffset: id, toOffset: 0 };
  return { id, ...place, kind: "reset", by: "ann", before: new Uint8Array(100).fill(id) };
}

/** Ten turns over two queues, with offsets, a delayed message, a half message and an event. */
function filled(): { folder: StoreFolder; store: ReturnType<StoreFolder["open"]> } {
  const folder = new StoreFolder();
  const store = folder.open();
  for (let at = 0; at < 10; at++) {
    const messages = Array.from({ length: 12 }, (_, index) => ({
      queueKey: 1 + index % 2,
      bytes: recordWith({ UNIQ_KEY: `id-${at}-${index}`, PAD: "x".repeat(300) }),
    }));
    store.commit(turn(store, messages, {
      storedMs: 1000 + at,
      offsets: [{ groupKey: 1, queueKey: 1, next: at }],
      inflight: [{ groupKey: 1, queueKey: 2, chunk: at, entries: new Uint8Array(100).fill(at) }],
      delayedPuts: [{
        id: at + 1,
        kind: "timer",
        messageId: `message-${at}`,
        timerKey: `key-${at}`,
        dueMs: at,
        queueKey: 1,
        tagHash: 0,
        record: new Uint8Array(500).fill(at),
      }],
      halfPuts: [half(at + 1)],
      events: [event(at + 1)],
    }));
  }
  return { folder, store };
}

/** Everything a shard would read, as one text. */
function everything(store: ShardStore): string {
  return JSON.stringify([
    [1, 2].map((key) => [store.minOffset(key), store.maxOffset(key), texts(store, key)]),
    [...store.loadOffsets()],
    [...store.loadInflight()].map((row) => [row.groupKey, row.queueKey, row.chunk, ...row.entries]),
    store.delayedDue(1e12, 100).map((row) => [row.id, row.dueMs, ...row.record]),
    store.delayedById([1], "message-3")?.id,
    store.delayedByKey([1], "key-4")?.id,
    store.halvesDue(1e12, 100).map((row) => [row.id, row.state, ...row.record]),
    store.events(1, 1, 100).map((row) => [row.id, row.atMs, ...row.before]),
    [store.lastDelayedId(), store.lastHalfId(), store.lastEventId()],
    store.nextPosition(),
    store.lastStoredMs(),
  ]);
}

type Outcome = "refused" | "reported" | "stopped" | "harmless" | "unnoticed";

/** Opens a damaged copy and compares what it gives with what was there. */
function outcome(copy: StoreFolder, before: string): Outcome {
  let store: ShardStore;
  try {
    store = copy.open();
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return "refused";
  }
  if (store.recovery.damage !== null || store.recovery.missing !== null) {
    assert.throws(() => store.commit(turn(store, [{ queueKey: 1 }])), StorageError);
    return "reported";
  }
  try {
    return everything(store) === before ? "harmless" : "unnoticed";
  } catch {
    return "stopped";
  }
}

function flipBit(path: string, at: number, bit: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  writeFileSync(path, bytes);
}

/** Flips one bit in each of `count` copies. */
function flips(
  original: StoreFolder,
  path: (f: StoreFolder) => string,
  before: string,
  count: number,
) {
  const random = new Prng(42);
  const seen: Record<Outcome, number> = {
    refused: 0,
    reported: 0,
    stopped: 0,
    harmless: 0,
    unnoticed: 0,
  };
  const size = statSync(path(original)).size;
  const places: string[] = [];
  for (let at = 0; at < count; at++) {
    const copy = original.copy();
    const byte = Math.floor((at + random.float()) * size / count);
    const bit = Math.floor(random.float() * 8);
    flipBit(path(copy), byte, bit);
    const result = outcome(copy, before);
    seen[result]++;
    if (result === "unnoticed") places.push(`byte ${byte}, bit ${bit}`);
    copy.remove();
  }
  assert.deepEqual(places, []);
  return seen;
}

test("a flipped bit in the WAL is noticed or harmless", () => {
  const { folder, store } = filled();
  const seen = flips(folder, (copy) => copy.walPath, everything(store), 80);

  assert.ok(seen.reported + seen.refused > 40, JSON.stringify(seen));
  folder.remove();
});

test("a flipped bit in the database file is noticed or harmless", () => {
  const { folder, store } = filled();
  const before = everything(store);
  store.close();
  writeFileSync(folder.walPath, "");
  const seen = flips(folder, (copy) => copy.path, before, 120);

  assert.ok(seen.reported + seen.refused + seen.stopped > 25, JSON.stringify(seen));
  folder.remove();
});

test("a flipped bit in the high-water file is reported", () => {
  const { folder, store } = filled();
  const seen = flips(folder, (copy) => copy.markPath, everything(store), 40);

  assert.equal(seen.reported, 40, JSON.stringify(seen));
  folder.remove();
});

test("a WAL cut at any frame leaves whole turns, and what is missing is named", () => {
  const { folder, store } = filled();
  const last = store.nextPosition() - 1;
  const frameBytes = 8192 + 24;
  const walBytes = statSync(folder.walPath).size;
  let whole = 0;
  for (let cut = 32; cut <= walBytes; cut += frameBytes) {
    const copy = folder.copy();
    truncateSync(copy.walPath, cut);
    let opened;
    try {
      opened = copy.open();
    } catch {
      copy.remove();
      continue; // Before the tables were made: there is nothing to open.
    }
    const tail = opened.nextPosition() - 1;
    assert.equal(tail % 12, 0, "a turn is there as a whole or not at all");
    const missing = tail === last ? null : { from: tail + 1, to: last };
    assert.deepEqual(opened.recovery.missing, missing, `cut at ${cut}`);
    if (missing === null) whole++;
    copy.remove();
  }
  assert.ok(whole >= 1, "the uncut WAL has everything");
  folder.remove();
});

test("openShardStore() goes on behind a loss only when the operator accepts it", () => {
  const { folder } = filled();
  const copy = folder.copy();
  truncateSync(copy.walPath, statSync(copy.walPath).size - 3 * (8192 + 24));
  const refused = copy.open();
  const { missing } = refused.recovery;
  assert.ok(missing !== null);
  assert.throws(() => refused.commit(turn(refused, [{ queueKey: 1 }])), StorageError);
  refused.close();

  const accepted = copy.open({ acceptDamage: true });
  assert.deepEqual(accepted.recovery.missing, missing);
  accepted.commit(turn(accepted, [{ queueKey: 1, text: "after" }]));
  accepted.close();
  const again = copy.open();
  assert.deepEqual([again.recovery.missing, again.recovery.damage], [null, null]);
  assert.equal(texts(again, 1).at(-1), "after");
  copy.remove();
  folder.remove();
});

test("openShardStore() buries a damaged turn the operator accepts, and reads around it", () => {
  const { folder, store } = filled();
  const texts1 = texts(store, 1);
  const copy = folder.copy();
  const file = copy.open();
  file.close();
  const bytes = readFileSync(copy.path);
  const at = bytes.indexOf("id-4-6");
  flipBit(copy.path, at, 0);

  const opened = copy.open();
  assert.throws(() => texts(opened, 1), /positions 49 to 60 does not match its checksum/);
  copy.remove();

  const killed = folder.copy();
  const wal = readFileSync(killed.walPath);
  assert.ok(wal.indexOf("id-4-6") > 0);
  store.checkpoint();
  const moved = folder.copy();
  rmSync(moved.walPath);
  writeFileSync(moved.walPath, "");
  flipBit(moved.path, readFileSync(moved.path).indexOf("id-4-6"), 0);
  const reported = moved.open();
  assert.match(reported.recovery.damage ?? "", /positions 49 to 60/);
  reported.close();

  const accepted = moved.open({ acceptDamage: true });
  assert.deepEqual(texts(accepted, 1), texts1.filter((_, index) => index < 24 || index >= 30));
  accepted.close();
  const again = moved.open();
  assert.deepEqual([again.recovery.missing, again.recovery.damage], [null, null]);
  assert.deepEqual(texts(again, 1), texts1.filter((_, index) => index < 24 || index >= 30));
  for (const used of [killed, moved, folder]) used.remove();
});

test("openShardStore() takes a copy without its high-water file, and says what that costs", () => {
  const { folder } = filled();
  const copy = folder.copy();
  rmSync(copy.markPath);
  const opened = copy.open();

  assert.deepEqual([opened.recovery.damage, opened.recovery.missing], [null, null]);
  assert.match(opened.notices.join(), /no high-water mark/);
  copy.remove();
  folder.remove();
});
