import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import type { Expression } from "../model/subscription.ts";
import { LiveFilters, liveMs } from "./live_filters.ts";

const of = { group: "g", topic: "t" };
const a: Expression = { language: "TAG", text: "a" };
const b: Expression = { language: "TAG", text: "b" };

test("LiveFilters says what is new, and what a group wants", () => {
  const filters = new LiveFilters();

  assert.deepEqual([filters.note(of, a, 0), filters.note(of, b, 1), filters.note(of, a, 2)], [
    true,
    true,
    false,
  ]);
  assert.deepEqual(filters.of(of), [a, b]);
  assert.deepEqual(filters.of({ group: "other", topic: "t" }), []);
});

test("LiveFilters forgets a wish that is not repeated while others are", () => {
  const filters = new LiveFilters();
  filters.note(of, a, 0);
  filters.note(of, b, 0);
  filters.note(of, a, liveMs - 1);

  assert.deepEqual(filters.sweep(liveMs - 1), []);
  assert.deepEqual(filters.sweep(liveMs), [of]);
  assert.deepEqual(filters.of(of), [a]);
});

test("LiveFilters keeps every wish of a group that is away as a whole", () => {
  const filters = new LiveFilters();
  filters.note(of, a, 0);
  filters.note(of, b, 0);
  const backMs = 100 * liveMs;

  assert.deepEqual(filters.sweep(backMs), []);
  filters.note(of, a, backMs);
  assert.deepEqual(filters.sweep(backMs + liveMs - 1), []);
  assert.deepEqual(filters.of(of), [a, b]);
  filters.note(of, a, backMs + liveMs - 1);
  assert.deepEqual(filters.sweep(backMs + liveMs), [of]);
});

test("LiveFilters bounds the different wishes of one group", () => {
  const filters = new LiveFilters();
  for (let at = 0; at < limits.filtersPerGroupTopicMax; at++) {
    filters.note(of, { language: "TAG", text: `t${at}` }, 0);
  }

  assert.throws(() => filters.note(of, a, 0), /different things/);
  assert.equal(filters.note(of, { language: "TAG", text: "t0" }, 0), false);
  assert.deepEqual(filters.forget(({ group }) => group === "g"), [of]);
  assert.equal(filters.note(of, a, 0), true);
});
