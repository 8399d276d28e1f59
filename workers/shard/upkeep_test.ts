import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/clock.ts";
import { StorageError } from "../../src/model/errors.ts";
import type { RetentionRule, TrimResult } from "../../src/ports/shard_store.ts";
import { SimDisk, SimStore } from "../../tests/simulation/sim_store.ts";
import { DiskGuard } from "./disk_guard.ts";
import { ShardState } from "./state.ts";
import { Upkeep } from "./upkeep.ts";

const rule: RetentionRule = {
  queueKeys: [7],
  retentionMs: 1,
  retentionBytes: null,
  deleteUnread: false,
};

/** Upkeep on a store whose trims answer what `trims` says, one after the other. */
function keeping(trims: (TrimResult | StorageError)[] = []) {
  const clock = new ManualClock();
  const disk = new SimDisk();
  const store = new SimStore(disk, disk.image());
  const steps: string[] = [];
  store.trim = () => {
    steps.push(`trim at ${clock.monotonicMs()}`);
    const result = trims.shift() ?? { deletedMessages: 0, more: false };
    if (result instanceof Error) throw result;
    return result;
  };
  const free = { bytes: 100 };
  const guard = new DiskGuard({
    space: () => ({ freeBytes: free.bytes, totalBytes: 1_000 }),
    setBallast: () => true,
    dropBallast: () => true,
  }, 50);
  const upkeep = new Upkeep(guard, clock);
  const state = new ShardState(store);
  const step = () => upkeep.step(store, state, clock.wallMs());
  return { clock, upkeep, step, steps, free, store };
}

test("step() looks at the disk every half second, and not sooner", () => {
  const { clock, step, free, upkeep } = keeping();
  step();
  free.bytes = 10;
  clock.advance(499);
  assert.deepEqual([step().guardChanged, upkeep.nextInMs()], [false, 1]);
  clock.advance(1);
  assert.equal(step().guardChanged, true);
});

test("step() trims nothing before it knows the rules", () => {
  const { step, steps, upkeep, clock } = keeping();
  step();
  assert.deepEqual(steps, []);
  upkeep.setRules([rule]);
  clock.advance(500);
  step();
  assert.deepEqual(steps, ["trim at 500"]);
});

test("step() goes on at once while there is more to trim, and rests after a round", () => {
  const more = { deletedMessages: 9, more: true };
  const { step, steps, upkeep, clock } = keeping([more, more]);
  upkeep.setRules([rule]);
  assert.deepEqual([step().more, step().more, step().more], [true, true, false]);
  for (let ms = 0; ms < 10_000; ms += 500) {
    clock.advance(500);
    step();
  }
  assert.deepEqual(steps, ["trim at 0", "trim at 0", "trim at 0", "trim at 10000"]);
});

test("step() tells of a failed write, and leaves a full disk to the guard", () => {
  const full = keeping([new StorageError("full", "no room")]);
  full.upkeep.setRules([rule]);
  assert.equal(full.step().fault, null);
  const failed = keeping([new StorageError("io", "broken")]);
  failed.upkeep.setRules([rule]);
  assert.equal(failed.step().fault?.message, "broken");
});

test("step() looks at once when a checkpoint is overdue", () => {
  const { step, store } = keeping();
  let [checkpoints, isOverdue] = [0, false];
  store.checkpointDue = () => isOverdue;
  store.checkpointOverdue = () => isOverdue;
  store.checkpoint = () => {
    checkpoints++;
    return 0;
  };
  step();
  step();
  isOverdue = true;
  step();
  assert.equal(checkpoints, 1);
});

test("step() tells how much of a checkpoint's time was spent for drops", () => {
  const { clock, step, store } = keeping();
  store.checkpointDue = () => true;
  store.checkpoint = () => {
    clock.advance(40);
    return 0.25;
  };
  assert.equal(step().dropMs, 10);
  assert.equal(step().dropMs, 0);
});
