import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../base/prng.ts";
import { Histogram } from "./histogram.ts";

test("Histogram keeps quantiles within one part in 128 of the exact ones", () => {
  const random = new Prng(7);
  const values = Array.from({ length: 20_000 }, () => 10 ** (random.float() * 6 - 3));
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  values.sort((left, right) => left - right);

  for (const quantile of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(quantile * values.length) - 1]!;
    const found = histogram.quantileMs(quantile);
    assert.ok(Math.abs(found - exact) <= exact / 128 + 0.001, `${quantile}: ${found} for ${exact}`);
  }
});

test("Histogram is exact below half a millisecond, and keeps the longest", () => {
  const histogram = new Histogram();
  for (const us of [1, 255, 256, 511]) histogram.record(us / 1000);
  histogram.record(5_000_000);

  assert.deepEqual([0.2, 0.4, 0.6, 0.8].map((quantile) => histogram.quantileMs(quantile)), [
    0.001,
    0.255,
    0.256,
    0.511,
  ]);
  assert.equal(histogram.maxMs, 5_000_000);
  assert.equal(histogram.total, 5);
});

test("Histogram forgets on clear()", () => {
  const histogram = new Histogram();
  histogram.record(1);
  histogram.clear();

  assert.deepEqual([histogram.total, histogram.quantileMs(0.5), histogram.maxMs], [0, 0, 0]);
});
