import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import { WakeUp } from "./wake_up.ts";

/** Wakes are noted by their time; `next` answers when the next is due. */
function noted(next: (nowMs: number) => number | null = () => null) {
  const timers = new ManualTimers();
  const wakes: number[] = [];
  const wakeUp = new WakeUp(timers, () => timers.clock.monotonicMs(), (nowMs) => {
    wakes.push(nowMs);
    return next(nowMs);
  });
  return { timers, wakes, wakeUp };
}

test("WakeUp.by() wakes at the earliest time named, once", () => {
  const { timers, wakes, wakeUp } = noted();
  for (const dueMs of [300, 100, 200]) wakeUp.by(dueMs);
  wakeUp.by(null);
  timers.advance(1_000);
  assert.deepEqual(wakes, [100]);
});

test("WakeUp goes on at the time its owner answers", () => {
  const { timers, wakes, wakeUp } = noted((nowMs) => nowMs < 50 ? nowMs + 20 : null);
  wakeUp.by(10);
  timers.advance(1_000);
  assert.deepEqual(wakes, [10, 30, 50]);
});

test("WakeUp looks at a long wait again every minute", () => {
  const { timers, wakes, wakeUp } = noted((nowMs) => nowMs < 150_000 ? 150_000 : null);
  wakeUp.by(150_000);
  timers.advance(1_000_000);
  assert.deepEqual(wakes, [60_000, 120_000, 150_000]);
});

test("WakeUp.stop() calls the wake off", () => {
  const { timers, wakes, wakeUp } = noted();
  wakeUp.by(10);
  wakeUp.stop();
  timers.advance(100);
  assert.deepEqual([wakes, timers.pending], [[], 0]);
});
