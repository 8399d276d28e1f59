import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { Parking } from "./parking.ts";

test("Parking takes pulls up to its bound, and again when one has left", () => {
  const parking = new Parking(() => {});
  for (let pull = 0; pull < limits.parkedPerConnectionMax; pull++) assert.ok(parking.enter());

  assert.equal(parking.enter(), false);
  parking.leave();
  assert.equal(parking.enter(), true);
});

test("Parking tells of each pull that came or went, when the count is already right", () => {
  const counts: number[] = [];
  const parking = new Parking(() => counts.push(parking.count));

  parking.enter();
  parking.enter();
  parking.leave();

  assert.deepEqual(counts, [1, 2, 1]);
});
