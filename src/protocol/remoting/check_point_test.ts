import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../../model/errors.ts";
import { leaseOfNumbers, numbersOfLease, readCheckPoint, writeCheckPoint } from "./check_point.ts";

test("numbersOfLease() gives the time a lease began, and is undone by leaseOfNumbers()", () => {
  const nowMs = 1_800_000_000_000;
  for (const more of [0, 1, 1023, 1024, 5000]) {
    const lease = nowMs * 1024 + more;
    const numbers = numbersOfLease(lease);

    assert.equal(numbers.popMs, nowMs + Math.floor(more / 1024));
    assert.equal(leaseOfNumbers(numbers), lease);
  }
});

test("numbersOfLease() never names revive queue 999, which means order to RocketMQ", () => {
  for (let rest = 0; rest < 1024; rest++) {
    assert.ok(numbersOfLease(1024 + rest).reviveQueueId >= 1000);
  }
});

test("readCheckPoint() reads what writeCheckPoint() wrote, with what others add to it", () => {
  const point = { lease: 1_800_000_000_000 * 1024 + 7, queueId: 3, offset: 12 };
  const text = writeCheckPoint(point, 30_000, "broker-a");

  assert.equal(text, "12 1800000000000 30000 1007 0 broker-a 3 12");
  assert.deepEqual(readCheckPoint(text), point);
  assert.deepEqual(readCheckPoint(`${text} more`), point);
});

test("readCheckPoint() refuses what no pop gave", () => {
  const texts = [
    "",
    "1 2 3",
    "0 x 30000 1007 0 b 3 12",
    "0 1 1 1000 0 b -1 0",
    "0 1 1 1000 0 b 0 -1",
  ];
  for (const text of [...texts, `0 ${2 ** 53} 1 1000 0 b 0 0`, "0 0 1 999 0 b 0 0"]) {
    assert.throws(() => readCheckPoint(text), WireError, text);
  }
});
