import assert from "node:assert/strict";
import { test } from "node:test";
import {
  aligned,
  appendedChecksum,
  EntriesBuffer,
  rewrittenBlobs,
  turnChecksum,
  turnEntryBytes,
  turnOf,
  type TurnRow,
} from "./turn_format.ts";

type Message = { readonly key: number; readonly offset: number; readonly record: number[] };

/** Tag hashes as they come: the hash of a word is negative as often as not. */
const tagOf = (index: number) => -1 - index;

/** A row whose first message has position 100. */
function rowOf(messages: readonly Message[], appended: number | null = null): TurnRow {
  const buffer = new EntriesBuffer(messages.length);
  const records = new Uint8Array(messages.flatMap(({ record }) => record));
  let start = 0;
  for (const [index, { key, offset, record }] of messages.entries()) {
    buffer.put(index, offset, key, start, record.length, tagOf(index));
    start += record.length;
  }
  const entries = buffer.bytes;
  const numbers = { firstPosition: 100, count: messages.length, storedMs: 5, previous: 6 };
  const row = { ...numbers, appended, entries, records };
  return { ...row, checksum: turnChecksum(row) };
}

const messages: readonly Message[] = [
  { key: 7, offset: 2 ** 40, record: [1, 2, 3] },
  { key: 0xffff_ffff, offset: 0, record: [] },
  { key: 7, offset: 2 ** 40 + 1, record: [4] },
];

/** The row as retention leaves it when only the entries in `live` are alive. */
function rewritten(live: readonly number[]): TurnRow {
  const row = rowOf(messages);
  const blobs = rewrittenBlobs(turnOf(row), (index) => live.includes(index));
  const left = { ...row, ...blobs, appended: row.checksum };
  return { ...left, checksum: turnChecksum(left) };
}

test("Turn reads back what EntriesBuffer.put() wrote", () => {
  const turn = turnOf(rowOf(messages));

  const read = messages.map((_, index) => ({
    key: turn.queueKey(index),
    offset: turn.queueOffset(index),
    record: [...turn.record(index)],
  }));
  assert.deepEqual(read, messages);
  assert.deepEqual(messages.map((_, index) => turn.tagHash(index)), [-1, -2, -3]);
  assert.deepEqual([turn.live, turn.endPosition, turn.bytes], [3, 103, 3 * turnEntryBytes + 4]);
});

test("Turn.indexOf() finds positions inside, and nothing behind the end", () => {
  const turn = turnOf(rowOf(messages));

  assert.deepEqual([100, 101, 102, 103].map((position) => turn.indexOf(position)), [0, 1, 2, -1]);
});

test("rewrittenBlobs() keeps what is alive at its position, records moved together", () => {
  const turn = turnOf(rewritten([0, 2]));

  assert.deepEqual([turn.live, turn.count, turn.endPosition], [2, 3, 103]);
  assert.deepEqual([turn.positionOf(0), turn.positionOf(1)], [100, 102]);
  assert.deepEqual([100, 101, 102].map((position) => turn.indexOf(position)), [0, -1, 1]);
  assert.deepEqual([...turn.record(1)], [4]);
  assert.deepEqual([turn.queueOffset(1), turn.tagHash(1)], [2 ** 40 + 1, -3]);
  assert.deepEqual([...turn.records], [1, 2, 3, 4]);
});

test("rewrittenBlobs() of a turn that was rewritten before takes more away", () => {
  const twice = turnOf(rewritten([0, 2]));
  const blobs = rewrittenBlobs(twice, (index) => twice.positionOf(index) === 102);
  const turn = turnOf({ ...rewritten([0, 2]), ...blobs });

  assert.deepEqual([turn.live, turn.positionOf(0), [...turn.record(0)]], [1, 102, [4]]);
});

test("turnChecksum() changes with every field and both blobs", () => {
  const row = rowOf(messages);
  const changes: Partial<TurnRow>[] = [
    { firstPosition: 101 },
    { count: 2 },
    { storedMs: 5.5 },
    { previous: 7 },
    { appended: 0 },
    { entries: row.entries.map((byte, at) => at === 9 ? byte ^ 1 : byte) },
    { records: row.records.map((byte, at) => at === 3 ? byte ^ 128 : byte) },
    // The same bytes, cut elsewhere.
    { entries: new Uint8Array([...row.entries, 1]), records: row.records.subarray(1) },
  ];

  for (const change of changes) {
    assert.notEqual(turnChecksum({ ...row, ...change }), row.checksum, Object.keys(change).join());
  }
});

test("appendedChecksum() of a rewritten turn is still the one its successor repeats", () => {
  const row = rowOf(messages);

  assert.equal(appendedChecksum(row), row.checksum);
  assert.equal(appendedChecksum(rewritten([2])), row.checksum);
  assert.notEqual(rewritten([2]).checksum, row.checksum);
});

test("aligned() copies only what typed arrays could not be laid over", () => {
  const bytes = new Uint8Array(32);

  assert.equal(aligned(bytes.subarray(8)).buffer, bytes.buffer);
  assert.equal(aligned(bytes.subarray(4)).byteOffset % 8, 0);
  assert.equal(aligned(bytes.subarray(4)).length, 28);
});
