import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "@hono/zod-openapi";
import { faultsIn } from "./fault_words.ts";

const schema = z.strictObject({
  count: z.number().int().min(1).max(5).optional(),
  kind: z.enum(["x", "y"]).optional(),
  list: z.array(z.string().min(1)).min(1).max(2).optional(),
  to: z.union([z.literal("earliest"), z.strictObject({ timeMs: z.number() })]).optional(),
  page: z.string().regex(/^\d+$/, "the page before").optional(),
}).refine((value) => Object.keys(value).length > 0, "one field is needed");

function told(value: unknown, by: z.ZodType = schema): string[] {
  const result = by.safeParse(value);
  assert.ok(!result.success);
  return faultsIn(value, result.error.issues).map(({ path, message }) => `${path}: ${message}`);
}

test("faultsIn() says of every field what is allowed, and what was found", () => {
  assert.deepEqual(told({ count: 0, kind: "z", list: [], page: "p", more: 1, most: 2 }), [
    "count: it has to be at least 1, found 0",
    'kind: it has to be one of "x", "y", found "z"',
    "list: it has to be a list of at least 1, found []",
    'page: it has to be the page before, found "p"',
    "more: it is not known here",
    "most: it is not known here",
  ]);
  assert.deepEqual(told({ count: 1.5, kind: null, list: ["", 2] }), [
    "count: it has to be a whole number, found 1.5",
    'kind: it has to be one of "x", "y", found null',
    'list.0: it has to be text, not empty, found ""',
    "list.1: it has to be text, found 2",
  ]);
});

test("faultsIn() names the bounds of lists", () => {
  assert.deepEqual(told({ list: ["a", "b", "c"] }), [
    'list: it has to be a list of at most 2, found ["a","b","c"]',
  ]);
});

test("faultsIn() tells the rule of a whole value as it stands, and what it is not", () => {
  assert.deepEqual(told({}), [": one field is needed"]);
  assert.deepEqual(told(null), [": it has to be an object, found null"]);
  assert.deepEqual(told({}, z.strictObject({ topic: z.string() })), ["topic: it is needed"]);
});

test("faultsIn() tells the choices, or the faults of the one that was meant", () => {
  assert.deepEqual(told({ to: "middle" }), [
    'to: it has to be "earliest" or an object, found "middle"',
  ]);
  assert.deepEqual(told({ to: { timeMs: "now" } }), [
    'to.timeMs: it has to be a number, found "now"',
  ]);
  const either = z.union([
    z.strictObject({ ids: z.array(z.string()) }),
    z.strictObject({
      all: z.literal(true),
    }),
  ]);
  assert.deepEqual(told({}, either), [": ids: it is needed; or all: it is needed"]);
});

test("faultsIn() shows no more than the beginning of what it found, and twenty faults", () => {
  const [fault = ""] = told({ count: "n".repeat(1_000) });
  assert.ok(fault.length < 120, fault);
  const many = Array.from({ length: 50 }, (_, index) => [`k${index}`, 1]);
  assert.equal(told(Object.fromEntries(many)).length, 20);
});
