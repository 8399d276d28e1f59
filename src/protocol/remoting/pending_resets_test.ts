import assert from "node:assert/strict";
import { test } from "node:test";
import { PendingResets } from "./pending_resets.ts";

test("PendingResets sends a member where its group was put, once", () => {
  const resets = new PendingResets();
  resets.put("g", "t", 0, 5);
  assert.equal(resets.follow("g", "t", 0, 9), 5);
  assert.equal(resets.follow("g", "t", 1, 9), undefined);
  assert.equal(resets.follow("g", "t", 0, 5), undefined);
  assert.equal(resets.follow("g", "t", 0, 9), undefined);
});

test("PendingResets.drop() sends nobody to where the group was not put after all", () => {
  const resets = new PendingResets();
  resets.put("g", "t", 0, 5);
  resets.put("g", "t", 1, 5);
  resets.drop("g", "t", 0);
  assert.equal(resets.has("g", "t", 0), false);
  assert.equal(resets.follow("g", "t", 0, 9), undefined);
  assert.equal(resets.follow("g", "t", 1, 9), 5);
});
