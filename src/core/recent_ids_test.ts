import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentIds } from "./recent_ids.ts";

const windowMs = 1_000;
const any = () => true;

/** Notes `count` ids, one a millisecond, from "id-<from>" at position `from` on. */
function noteMany(ids: RecentIds, from: number, count: number): void {
  for (let number = from; number < from + count; number++) {
    ids.add(`id-${number}`, number, number, windowMs);
  }
}

test("RecentIds finds every id it was told, while it grows", () => {
  const ids = new RecentIds(8_192, 0);
  const wideMs = 100_000;
  for (let at = 1; at <= 5_000; at++) ids.add(`id-${at}`, at, at, wideMs);

  for (let at = 1; at <= 5_000; at++) assert.equal(ids.find(`id-${at}`, any), at);
  assert.equal(ids.find("id-0", any), undefined);
  assert.equal(ids.completeFromMs, 0);
});

test("RecentIds asks the caller whether a position is the one, newest first", () => {
  const ids = new RecentIds(1_024, 0);
  for (const position of [1, 2, 3]) ids.add("same", position, 1, windowMs);
  const asked: number[] = [];

  const found = ids.find("same", (position) => {
    asked.push(position);
    return position === 1;
  });

  assert.equal(found, 1);
  assert.deepEqual(asked, [3, 2, 1]);
});

test("RecentIds uses the room of ids outside the window before it grows", () => {
  const ids = new RecentIds(1_048_576, 0);
  noteMany(ids, 1, 10_000);

  assert.equal(ids.size, 1_024);
  assert.equal(ids.find("id-10000", any), 10_000);
  assert.equal(ids.find("id-9001", any), 9_001);
  assert.equal(ids.find("id-8000", any), undefined);
  assert.ok(ids.completeFromMs <= 10_000 - windowMs);
});

test("RecentIds forgets the oldest at its bound, and says from when on it is complete", () => {
  const ids = new RecentIds(1_024, 0);
  const wideMs = 100_000;
  for (let at = 1; at <= 1_030; at++) ids.add(`id-${at}`, at, at, wideMs);

  assert.equal(ids.size, 1_024);
  assert.equal(ids.find("id-6", any), undefined);
  assert.equal(ids.find("id-7", any), 7);
  assert.equal(ids.completeFromMs, 7);
});

test("RecentIds does not follow chains into slots that were written anew", () => {
  const ids = new RecentIds(1_024, 0);
  noteMany(ids, 1, 100_000);
  let seen = 0;

  for (let at = 90_000; at <= 100_000; at++) {
    const found = ids.find(`id-${at}`, (position) => {
      seen++;
      return position === at;
    });
    assert.equal(found, at > 100_000 - 1_024 ? at : undefined);
  }
  assert.ok(seen < 3_000, `looked at ${seen} positions`);
});
