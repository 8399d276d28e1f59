import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { compileTags, matches, matchesTag } from "./tag_filter.ts";

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "none";
}

test("compileTags() takes nothing, blanks and * for everything", () => {
  for (const text of ["", "*", "  ", " * "]) assert.deepEqual(compileTags(text), { kind: "all" });
});

test("compileTags() trims, drops empty parts and repetitions, and keeps the order", () => {
  assert.deepEqual(compileTags(" TagA||a ||  || TagA"), {
    kind: "tags",
    tags: ["TagA", "a"],
    hashes: [2_598_919, 97],
  });
});

test("compileTags() leaves a single | inside a tag, as RocketMQ's clients do", () => {
  const filter = compileTags("a|b || c");
  assert.deepEqual(filter.kind === "tags" && filter.tags, ["a|b", "c"]);
});

test("compileTags() hashes like Java, below zero too", () => {
  const filter = compileTags("order_created_event");
  assert.deepEqual(filter.kind === "tags" && filter.hashes, [-2_143_158_446]);
});

test("compileTags() refuses an expression without a tag", () => {
  assert.equal(codeOf(() => compileTags("||")), "filter_invalid");
  assert.throws(() => compileTags(" || "), /names no tag/);
});

test("compileTags() counts bytes, up to the limit and no further", () => {
  const fits = "é".repeat(limits.filterBytesMax / 2);
  assert.equal(compileTags(fits).kind, "tags");
  assert.equal(codeOf(() => compileTags(`${fits}a`)), "filter_invalid");
});

test("matches() lets equal hashes through, matchesTag() only the tag itself", () => {
  // "Aa" and "BB" share a Java hash.
  const filter = compileTags("Aa || c");
  const other = compileTags("BB");
  assert.equal(other.kind === "tags" && matches(filter, other.hashes[0] ?? 0), true);
  assert.equal(matches(filter, 0), false);
  assert.deepEqual(["Aa", "c", "BB", "", null].map((tag) => matchesTag(filter, tag)), [
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("matches() and matchesTag() of the filter for everything let all through", () => {
  const filter = compileTags("*");
  assert.equal(matches(filter, 0) && matches(filter, -5) && matchesTag(filter, null), true);
});
