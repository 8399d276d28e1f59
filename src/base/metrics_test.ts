import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "./limits.ts";
import { type MetricRow, Metrics } from "./metrics.ts";

const asked = {
  name: "asked_total",
  type: "counter",
  help: "Requests",
  labels: ["route", "status"],
} as const satisfies MetricRow;
const tookSeconds = {
  name: "took_seconds",
  type: "histogram",
  help: "Time",
  labels: ["route"],
  buckets: [0.1, 1],
} as const satisfies MetricRow;

test("Metrics.text writes counters with their labels escaped", () => {
  const metrics = new Metrics();
  metrics.series(asked, ["/a", "200"]).add(2);
  metrics.series(asked, ['q"\\\n', "404"]).add();
  assert.equal(
    metrics.text(),
    "# HELP asked_total Requests\n# TYPE asked_total counter\n" +
      'asked_total{route="/a",status="200"} 2\n' +
      'asked_total{route="q\\"\\\\\\n",status="404"} 1\n',
  );
});

test("Metrics.text writes histograms cumulatively, with sum and count", () => {
  const metrics = new Metrics();
  const series = metrics.series(tookSeconds, ["/a"]);
  for (const seconds of [0.1, 0.5, 0.25, 7]) series.observe(seconds);
  assert.equal(
    metrics.text(),
    "# HELP took_seconds Time\n# TYPE took_seconds histogram\n" +
      'took_seconds_bucket{route="/a",le="0.1"} 1\n' +
      'took_seconds_bucket{route="/a",le="1"} 3\n' +
      'took_seconds_bucket{route="/a",le="+Inf"} 4\n' +
      'took_seconds_sum{route="/a"} 7.85\ntook_seconds_count{route="/a"} 4\n',
  );
});

test("Metrics.series answers the same series for the same labels", () => {
  const metrics = new Metrics();
  assert.equal(metrics.series(asked, ["/a", "200"]), metrics.series(asked, ["/a", "200"]));
  assert.notEqual(metrics.series(asked, ["/a", "200"]), metrics.series(asked, ["/a", "500"]));
});

test("Metrics.series counts what is above the bound in one series", () => {
  const metrics = new Metrics();
  for (let at = 0; at < limits.metricSeriesMax + 50; at++) {
    metrics.series(asked, [`/${at}`, "200"]).add();
  }
  assert.equal(metrics.series(asked, ["/new", "200"]).value, 50);
  assert.ok(metrics.text().includes('asked_total{route="other",status="other"} 50\n'));
});

test("Metrics.series refuses missing label values", () => {
  assert.throws(() => new Metrics().series(asked, ["/a"]), /every label/);
});
