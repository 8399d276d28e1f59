import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "./assert.ts";
import { assertRelations, limits } from "./limits.ts";

test("limits cannot be changed at run time", () => {
  assert.ok(Object.isFrozen(limits));
});

test("limits agree with each other", () => {
  assertRelations(limits);
});

test("assertRelations() refuses a frame that cannot carry the largest message", () => {
  const bent = { ...limits, bodyBytesMax: limits.frameBytesMax };

  assert.throws(() => assertRelations(bent), AssertionError);
});

test("assertRelations() refuses a group name whose retry topic is too long", () => {
  const bent = { ...limits, groupLengthMax: limits.topicLengthMax - 6 };

  assert.throws(() => assertRelations(bent), /a retry topic fits/);
});

test("assertRelations() refuses a bound that is not a whole number above zero", () => {
  for (const value of [0, -1, 1.5, Infinity, NaN]) {
    assert.throws(() => assertRelations({ ...limits, topicsMax: value }), /limit topicsMax/);
  }
});
