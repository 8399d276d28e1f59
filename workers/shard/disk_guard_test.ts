import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskGuard } from "./disk_guard.ts";

/** A guard that keeps 1000 bytes back, and what its disk was asked to do. */
function guarding(freeBytes: number | null) {
  const done: string[] = [];
  const disk = {
    free: freeBytes,
    space: () => disk.free === null ? null : { freeBytes: disk.free, totalBytes: 10_000 },
    setBallast: () => done.push("set") > 0,
    dropBallast: () => done.push("drop") > 0,
  };
  return { guard: new DiskGuard(disk, 1_000), disk, done };
}

test("check() refuses sends below the reserve, and not at it", () => {
  const { guard, disk } = guarding(1_000);
  assert.deepEqual([guard.check(0), guard.refusing], [false, false]);
  disk.free = 999;
  assert.deepEqual([guard.check(0), guard.refusing], [true, true]);
  assert.deepEqual([guard.check(0), guard.refusing], [false, true]);
  disk.free = 1_000;
  assert.deepEqual([guard.check(0), guard.refusing], [true, false]);
});

test("check() counts what deletions left inside the file, if the WAL has room as well", () => {
  const { guard, disk, done } = guarding(200);
  assert.deepEqual([guard.check(799), guard.refusing], [true, true]);
  assert.match(guard.error().message, /200 bytes are free .*, 799 in the shard's file, and 1000/);
  assert.deepEqual([guard.check(800), guard.refusing], [true, false]);
  disk.free = 124;
  assert.deepEqual([guard.check(5_000), guard.refusing], [true, true]);
  assert.deepEqual(done, [], "no room of the disk's is taken for ballast");
});

test("check() refuses nothing where the system does not tell how much is free", () => {
  const { guard } = guarding(null);
  assert.deepEqual([guard.check(0), guard.refusing], [false, false]);
});

test("full() gives the ballast up and refuses, until there is room for it again", () => {
  const { guard, disk, done } = guarding(500);
  assert.equal(guard.full("no room"), true);
  assert.equal(guard.refusing, true);
  disk.free = 10;
  guard.check(0);
  assert.deepEqual(done, ["drop"]);
  disk.free = 5_000;
  assert.equal(guard.check(0), true);
  assert.deepEqual([done, guard.refusing], [["drop", "set"], false]);
});

test("full() says what the store said, and keeps the ballast, where the disk has room", () => {
  const { guard, done } = guarding(5_000);
  assert.equal(guard.full("a reader keeps the WAL from being emptied"), false);
  assert.equal(guard.refusing, true);
  assert.equal(guard.error().message, "a reader keeps the WAL from being emptied");
  assert.deepEqual(done, []);
  assert.equal(guard.check(0), true);
  assert.match(guard.error().message, /5000 bytes are free/);
});

test("error() says how much is free and how much is kept", () => {
  const { guard } = guarding(12);
  guard.check(0);
  assert.equal(guard.error().code, "disk_full");
  assert.match(guard.error().message, /12 bytes are free .* 1000 are kept/);
  assert.match(guarding(null).guard.error().message, /an unknown number of bytes/);
});
