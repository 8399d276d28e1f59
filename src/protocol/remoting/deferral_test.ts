import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProperties, encodeProperties } from "../../model/properties.ts";
import { deferralOf } from "./deferral.ts";

const nowMs = 1_000_000;

function deferral(properties: Record<string, string>, queueId = 2) {
  const text = encodeProperties(Object.entries(properties));
  return deferralOf(text, { topic: "T", queueId }, nowMs);
}

/** What is stored and when, in one record; the kind where there is no more to say. */
function told(properties: Record<string, string>, queueId?: number) {
  const found = deferral(properties, queueId);
  if (found.kind !== "later") return found.kind;
  const { deliverAtMs, delayMs } = found.timing;
  const stored = Object.fromEntries(decodeProperties(found.properties));
  return { deliverAtMs, delayMs, isTimer: found.isTimer, stored };
}

test("deferralOf takes a level before all times, and drops these", () => {
  assert.deepEqual(told({ DELAY: "2", TIMER_DELAY_SEC: "9", TIMER_DELIVER_MS: "9", A: "1" }), {
    ...{ deliverAtMs: null, delayMs: 5_000, isTimer: false },
    stored: { DELAY: "2", A: "1", REAL_TOPIC: "T", REAL_QID: "2" },
  });
});

test("deferralOf notes when a timer is due, and leaves the counting to the shard's clock", () => {
  assert.deepEqual(told({ TIMER_DELAY_SEC: "3" }), {
    ...{ deliverAtMs: null, delayMs: 3_000, isTimer: true },
    stored: { TIMER_DELAY_SEC: "3", TIMER_OUT_MS: "1003000", REAL_TOPIC: "T", REAL_QID: "2" },
  });
  const at = told({ TIMER_DELIVER_MS: "1000001" });
  assert.ok(typeof at === "object");
  assert.deepEqual([at.deliverAtMs, at.delayMs], [1_000_001, null]);
});

test("deferralOf does not name a queue the broker is to choose", () => {
  const found = told({ DELAY: "1" }, -1);
  assert.ok(typeof found === "object");
  assert.deepEqual(found.stored, { DELAY: "1", REAL_TOPIC: "T" });
});

test("deferralOf lets through what is due, what was a timer before, and what only looks so", () => {
  const cases: Record<string, string>[] = [
    {},
    { DELAY: "0" },
    { DELAY: "-1" },
    { TIMER_DELIVER_MS: "1000000" },
    { TIMER_DELAY_MS: "-5" },
    { TIMER_DELAY_SEC: "5", TIMER_OUT_MS: "7" },
    { MY_DELAY: "3" },
    { KEYS: "DELAY" },
  ];
  for (const properties of cases) assert.equal(told(properties), "now", JSON.stringify(properties));
});

test("deferralOf says what is no time", () => {
  for (const text of ["soon", "1.5", " 1", "99999999999999999999"]) {
    for (const name of ["DELAY", "TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"]) {
      const found = deferral({ [name]: text });
      assert.equal(found.kind, "illegal");
      assert.match(found.reason, new RegExp(`${name} is no time`));
    }
  }
});
