import assert from "node:assert/strict";
import { test } from "node:test";
import { QueueChunk } from "./queue_chunk.ts";
import { QueueTail } from "./queue_tail.ts";

/** A tail whose messages have positions 10, 12, 14, … and 100, 101, 102, … bytes. */
function tailOf(count: number, nextOffset = 0): QueueTail {
  const tail = new QueueTail(9);
  tail.nextOffset = nextOffset;
  for (let index = 0; index < count; index++) tail.push(10 + 2 * index, 100 + index, -index);
  return tail;
}

test("QueueTail.push() gives the next offset, and counts the queue's bytes", () => {
  const tail = tailOf(6, 40);

  assert.deepEqual([tail.firstOffset, tail.count, tail.nextOffset], [40, 6, 46]);
  assert.equal(tail.endBytes, 100 + 101 + 102 + 103 + 104 + 105);
  assert.deepEqual(tail.entry(5), { queueOffset: 45, position: 20, bytes: 105, tagHash: -5 });
  assert.deepEqual([0, 1, 6].map((index) => tail.bytesTo(index)), [0, 100, tail.endBytes]);
});

test("QueueTail.indexAtPosition() finds the first entry not before a position", () => {
  const tail = tailOf(3);

  assert.deepEqual([0, 10, 11, 14, 15].map((at) => tail.indexAtPosition(at)), [0, 0, 1, 2, 3]);
});

test("QueueTail.forget() leaves offsets, positions and bytes of the rest as they were", () => {
  const tail = tailOf(6);
  const before = [3, 4, 5].map((index) => [tail.entry(index), tail.bytesTo(index)]);
  tail.forget(3, false);

  assert.deepEqual([0, 1, 2].map((index) => [tail.entry(index), tail.bytesTo(index)]), before);
  assert.deepEqual([tail.firstOffset, tail.firstPosition, tail.nextOffset], [3, 16, 6]);
  tail.push(99, 1, 7);
  assert.deepEqual(tail.entry(3), { queueOffset: 6, position: 99, bytes: 1, tagHash: 7 });
});

test("QueueTail.forget() of everything keeps the queue's numbers, also when it idles", () => {
  for (const idle of [false, true]) {
    const tail = tailOf(2);
    tail.forget(2, idle);
    assert.deepEqual([tail.count, tail.nextOffset, tail.endBytes], [0, 2, 201]);

    tail.push(2 ** 40, 3, 0);
    assert.deepEqual(tail.entry(0), { queueOffset: 2, position: 2 ** 40, bytes: 3, tagHash: 0 });
  }
});

test("QueueTail.forget() refuses more than there is", () => {
  assert.throws(() => tailOf(2).forget(3, false), /only what is here can be flushed/);
});

test("QueueTail.row() is a chunk with the same entries", () => {
  const tail = tailOf(6, 40);
  const row = tail.row(2, 3);
  const chunk = new QueueChunk({ ...row, id: 1 }, "x.db");

  assert.deepEqual([row.queueKey, chunk.firstOffset, chunk.count], [9, 42, 3]);
  assert.equal(chunk.bytesBefore, tail.bytesTo(2));
  const entries = [42, 43, 44].map((offset) => chunk.entry(offset - chunk.firstOffset));
  assert.deepEqual(entries, [tail.entry(2), tail.entry(3), tail.entry(4)]);
});
