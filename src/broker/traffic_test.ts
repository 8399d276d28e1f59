import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { groupKeyOf, perSecond, Traffic } from "./traffic.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

test("put() is in the sums of the last minute, hour and day, by topic and together", () => {
  const clock = new ManualClock();
  const traffic = new Traffic(clock);

  traffic.put("T", 3, 300);
  traffic.put("U", 1, 10);
  clock.advance(30_000);

  for (const windowMs of [minuteMs, hourMs, dayMs]) {
    const found = traffic.window("put", "T", windowMs);
    assert.deepEqual(found, { messages: 3, bytes: 300, times: 1, coveredMs: 30_000 });
  }
  assert.equal(traffic.total("put", minuteMs).messages, 4);
  assert.equal(perSecond(traffic.total("put", minuteMs)), 4 / 30);
});

test("window() forgets what is older than it, and not a bucket sooner", () => {
  const clock = new ManualClock();
  const traffic = new Traffic(clock);
  traffic.got("T", "G", 5, 1);
  const sums = () =>
    [minuteMs, hourMs, dayMs].map((windowMs) =>
      traffic.window("get", groupKeyOf("T", "G"), windowMs)?.messages
    );

  clock.advance(50_000);
  assert.deepEqual(sums(), [5, 5, 5]);
  clock.advance(minuteMs);
  assert.deepEqual(sums(), [0, 5, 5]);
  clock.advance(2 * hourMs);
  assert.deepEqual(sums(), [0, 0, 5]);
  clock.advance(2 * dayMs);
  assert.deepEqual(sums(), [0, 0, 0]);
});

test("window() has nothing to say of a name never counted", () => {
  const traffic = new Traffic(new ManualClock());

  assert.equal(traffic.window("put", "T", minuteMs), undefined);
  assert.equal(perSecond(traffic.total("get", minuteMs)), 0);
});

test("Traffic holds limits.trafficSeriesMax names, and forgets the one unheard for longest", () => {
  const traffic = new Traffic(new ManualClock());
  traffic.sentBack("T", "first");
  for (let n = 0; n < limits.trafficSeriesMax; n++) traffic.sentBack("T", `G${n}`);

  assert.equal(traffic.window("sent-back", groupKeyOf("T", "first"), minuteMs), undefined);
  assert.equal(traffic.window("sent-back", groupKeyOf("T", "G0"), minuteMs)?.messages, 1);
});

test("days() tells what there was before today and before yesterday, whatever the gap", () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 5, 23));
  const traffic = new Traffic(clock);
  traffic.put("T", 3, 1);
  assert.deepEqual(traffic.days("put"), { now: 3, today: 0, yesterday: 0 });

  clock.advance(hourMs);
  traffic.put("T", 4, 1);
  assert.deepEqual(traffic.days("put"), { now: 7, today: 3, yesterday: 0 });

  clock.advance(dayMs);
  assert.deepEqual(traffic.days("put"), { now: 7, today: 7, yesterday: 3 });
  clock.jump(-dayMs);
  assert.deepEqual(traffic.days("put"), { now: 7, today: 7, yesterday: 3 });
  clock.advance(4 * dayMs);
  traffic.put("T", 1, 1);
  assert.deepEqual(traffic.days("put"), { now: 8, today: 7, yesterday: 7 });
  assert.deepEqual(traffic.days("get"), { now: 0, today: 0, yesterday: 0 });
});
