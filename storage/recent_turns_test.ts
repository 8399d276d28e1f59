import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentTurns } from "./recent_turns.ts";
import { EntriesBuffer, turnEntryBytes } from "./turn_format.ts";

/** Adds a turn of `count` messages whose records are the last digit of their position, 8 bytes. */
function add(turns: RecentTurns, firstPosition: number, count: number): void {
  const entries = new EntriesBuffer(count);
  const records = new Uint8Array(8 * count);
  for (let index = 0; index < count; index++) {
    entries.put(index, index, 1, 8 * index, 8, 0);
    records.fill((firstPosition + index) % 10, 8 * index, 8 * index + 8);
  }
  turns.add({ firstPosition, count, storedMs: 1 }, entries.bytes, records);
}

/** Bytes of a turn of `count` messages. */
const room = (count: number) => count * (turnEntryBytes + 8);

/** The positions up to `end` that are there; each was compared with its record. */
function held(turns: RecentTurns, end: number): number[] {
  const positions: number[] = [];
  for (let position = 0; position < end; position++) {
    const turn = turns.find(position);
    if (turn === null) continue;
    const record = turn.record(turn.indexOf(position));
    assert.deepEqual([...record], new Array(8).fill(position % 10), `record ${position}`);
    positions.push(position);
  }
  return positions;
}

test("RecentTurns.find() finds every position of what was added, and none beside", () => {
  const turns = new RecentTurns(1000);
  assert.equal(turns.find(0), null);
  add(turns, 3, 2);
  add(turns, 5, 3);

  assert.deepEqual(held(turns, 10), [3, 4, 5, 6, 7]);
});

test("RecentTurns.add() evicts the oldest, and only as much as it overwrites", () => {
  const turns = new RecentTurns(room(4));
  for (let position = 0; position < 4; position++) add(turns, position, 1);
  assert.deepEqual(held(turns, 10), [0, 1, 2, 3]);

  add(turns, 4, 1);
  assert.deepEqual(held(turns, 10), [1, 2, 3, 4]);
  add(turns, 5, 2);
  assert.deepEqual(held(turns, 10), [3, 4, 5, 6]);
});

test("RecentTurns.add() leaves unused what a turn does not fit into at the end", () => {
  const turns = new RecentTurns(room(4));
  add(turns, 0, 2);
  add(turns, 2, 1);

  // Three do not fit behind the third: they go to the beginning, over all that is there.
  add(turns, 3, 3);
  assert.deepEqual(held(turns, 10), [3, 4, 5]);
  add(turns, 6, 1);
  assert.deepEqual(held(turns, 10), [3, 4, 5, 6]);
});

test("RecentTurns.add() of a turn larger than the buffer leaves nothing", () => {
  const turns = new RecentTurns(room(2));
  add(turns, 0, 1);
  add(turns, 1, 3);
  assert.deepEqual(held(turns, 10), []);

  add(turns, 4, 2);
  assert.deepEqual(held(turns, 10), [4, 5]);
});

test("RecentTurns holds its newest through many laps of turns of all sizes", () => {
  const turns = new RecentTurns(room(10));
  let position = 0;
  for (let lap = 0; lap < 5000; lap++) {
    const count = 1 + lap * 7 % 5;
    add(turns, position, count);
    position += count;
    const turn = turns.find(position - count);
    assert.equal(turn?.endPosition, position);
  }
  const newest = held(turns, position);
  assert.ok(newest.length >= 5 && newest.length <= 10, `${newest.length} positions are held`);
  assert.deepEqual(newest, newest.map((_, at) => position - newest.length + at));
});
