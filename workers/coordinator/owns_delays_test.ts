import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import { OwnsDelays } from "./owns_delays.ts";

/** Rings are noted as "shard at milliseconds since the start". */
function noted(shards = 2) {
  const timers = new ManualTimers();
  const startMs = timers.clock.wallMs();
  const rings: string[] = [];
  const delays = new OwnsDelays(shards, timers.clock, timers, (shard, news) => {
    assert.deepEqual(news, { kind: "ring" });
    rings.push(`${shard} at ${timers.clock.monotonicMs()}`);
  });
  const alarm = (shard: number, inMs: number | null) =>
    delays.setAlarm(shard, inMs === null ? null : startMs + inMs);
  return { timers, rings, delays, alarm };
}

test("OwnsDelays rings each shard at its own time", () => {
  const { timers, rings, alarm } = noted();
  alarm(0, 300);
  alarm(1, 200);
  timers.advance(1_000);
  assert.deepEqual(rings, ["1 at 200", "0 at 300"]);
});

test("OwnsDelays follows an alarm that comes earlier, later, or goes", () => {
  const { timers, rings, alarm } = noted(3);
  for (const shard of [0, 1, 2]) alarm(shard, 500);
  alarm(0, 100);
  alarm(1, 800);
  alarm(2, null);
  timers.advance(1_000);
  assert.deepEqual(rings, ["0 at 100", "1 at 800"]);
});

test("OwnsDelays rings at once for an alarm in the past, and then every 5 ms", () => {
  const { timers, rings, alarm } = noted();
  for (const _ of [1, 2, 3]) {
    alarm(0, -1_000);
    timers.advance(5);
  }
  assert.deepEqual(rings, ["0 at 0", "0 at 5", "0 at 10"]);
});

test("OwnsDelays does not make a shard wait for a clock that was set back", () => {
  const { timers, rings, alarm } = noted();
  alarm(0, 0);
  timers.advance(0);
  timers.clock.jump(-3_600_000);
  alarm(0, -3_600_000 - 10);
  timers.advance(5);
  assert.deepEqual(rings, ["0 at 0", "0 at 5"]);
});

test("OwnsDelays.stop() rings nobody any more", () => {
  const { timers, rings, delays, alarm } = noted();
  alarm(0, 10);
  delays.stop();
  timers.advance(100);
  assert.deepEqual(rings, []);
});
