import assert from "node:assert/strict";
import { test } from "node:test";
import { recordOf, ShardTurns } from "../../tests/support/shard_turns.ts";
import { readRecord, splitRecords } from "../../src/model/record.ts";
import { planPurgeLetters, planRedrive, readLetters } from "./plan_letters.ts";
import { forDeadLetter } from "./rewrite.ts";

const [letterQueue, originQueue] = [5, 6];

test("readLetters() tells what is left, page by page", () => {
  const shard = open(["a", "b", "c"]);

  assert.deepEqual(page(shard, 0, 2), { bodies: ["a", "b"], next: 2, left: 3 });
  assert.deepEqual(page(shard, 2, 2), { bodies: ["c"], next: null, left: 3 });
});

test("planRedrive() appends a letter to where it came from, as new, and finishes it", () => {
  const shard = open(["a", "b"]);

  assert.deepEqual(redrive(shard, 1), ["done"]);

  assert.deepEqual(shard.bodies(originQueue), ["b"]);
  assert.equal(headOf(shard, originQueue), "orders 3 0");
  assert.deepEqual(page(shard).bodies, ["a"]);
});

test("planRedrive() sends a letter back once, also twice in one turn and after a restart", () => {
  const shard = open(["a", "b"]);

  assert.deepEqual(redrive(shard, 0, 0), ["done", "gone"]);
  shard.restart();
  assert.deepEqual(redrive(shard, 0), ["gone"]);

  assert.deepEqual(shard.bodies(originQueue), ["a"]);
  assert.deepEqual(page(shard), { bodies: ["b"], next: null, left: 1 });
});

test("planRedrive() keeps what it passed over, across restarts", () => {
  const shard = open(["a", "b", "c", "d"]);
  redrive(shard, 2);
  shard.restart();
  assert.deepEqual(page(shard).bodies, ["a", "b", "d"]);

  redrive(shard, 0, 1, 3);

  assert.deepEqual(shard.bodies(originQueue), ["c", "a", "b", "d"]);
  assert.deepEqual(page(shard), { bodies: [], next: null, left: 0 });
});

test("planRedrive() says that a letter is gone which never was", () => {
  const shard = open(["a"]);

  assert.deepEqual(redrive(shard, 7), ["gone"]);
  assert.deepEqual(page(shard).bodies, ["a"]);
});

test("planPurgeLetters() drops some, and then all that were there", () => {
  const shard = open(["a", "b", "c"]);

  assert.equal(purge(shard, [1, 1, 9], null), 1);
  assert.deepEqual(page(shard).bodies, ["a", "c"]);
  assert.equal(purge(shard, null, 2), 1);
  assert.deepEqual(page(shard).bodies, ["c"]);
  assert.equal(purge(shard, null, null), 1);

  shard.restart();
  assert.deepEqual(page(shard), { bodies: [], next: null, left: 0 });
  assert.deepEqual(shard.bodies(originQueue), []);
});

test("letters that operators have not settled keep no message from retention", () => {
  const shard = open(["a", "b"]);
  redrive(shard, 1);

  assert.equal(shard.state.floor(letterQueue), null);
  assert.equal(shard.state.nextDueMs(), null);
});

function open(bodies: readonly string[]): ShardTurns {
  const shard = new ShardTurns();
  const target = { topic: "%DLQ%billing", queueId: 0 };
  shard.turn((draft) => {
    for (const body of bodies) {
      const death = { reason: "attempts-exhausted", attempts: 3, atMs: 5 } as const;
      const letter = forDeadLetter(recordOf(body, `id-${body}`), target, death);
      draft.append(letterQueue, letter.tagHash, letter.record);
    }
  });
  return shard;
}

function redrive(shard: ShardTurns, ...offsets: readonly number[]) {
  const { state, store } = shard;
  const target = { topic: "orders", queueId: 3, queueKey: originQueue };
  const items = offsets.map((offset) => ({ offset, ...target }));
  const ask = { queueKey: letterQueue, items };
  return shard.turn((draft) => planRedrive(state, draft, store, ask)).verdicts;
}

function purge(shard: ShardTurns, offsets: readonly number[] | null, endOffset: number | null) {
  const { state, store } = shard;
  const ask = { queueKey: letterQueue, offsets, endOffset };
  return shard.turn((draft) => planPurgeLetters(state, draft, store, ask)).purged;
}

function page(shard: ShardTurns, fromOffset = 0, countMax = 100) {
  const ask = { queueKey: letterQueue, fromOffset, endOffset: null, countMax, bytesMax: 1e6 };
  const { head, blob } = readLetters(shard.state, shard.store, ask);
  const bodies = splitRecords(blob).map((record) => {
    return new TextDecoder().decode(readRecord(record).body);
  });
  return { bodies, next: head.nextOffset, left: head.left };
}

function headOf(shard: ShardTurns, queueKey: number): string {
  const [entry] = shard.store.entries(queueKey, 0, 1);
  const [record] = shard.store.records([entry?.position ?? 0]);
  const { topic, queueId, reconsumeTimes } = readRecord(record ?? new Uint8Array());
  return `${topic} ${queueId} ${reconsumeTimes}`;
}
