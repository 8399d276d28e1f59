import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeProperties } from "../model/properties.ts";
import { everything } from "../model/subscription.ts";
import { accepts, compileExpression, mightMatch } from "./filter.ts";

const tags = compileExpression({ language: "TAG", text: "A || B" });
const sql = compileExpression({ language: "SQL92", text: "TAGS = 'A' and amount > 5" });
const unread = () => assert.fail("the record is not needed");

test("compileExpression() keeps the text of SQL beside what it means", () => {
  assert.deepEqual(compileExpression({ language: "SQL92", text: " a is null" }), {
    kind: "sql",
    text: " a is null",
    expression: { kind: "null", isNegated: false, property: "a" },
  });
  assert.equal(compileExpression({ language: "TAG", text: "*" }).kind, "all");
  assert.throws(() => compileExpression({ language: "SQL92", text: "*" }), /at character 1 /);
  assert.throws(() => compileExpression({ language: "TAG", text: "||" }), /names no tag/);
});

test("mightMatch() goes by the hash for tags, and never excludes anything for SQL", () => {
  assert.deepEqual([65, 66, 67, 0].map((hash) => mightMatch(tags, hash)), [
    true,
    true,
    false,
    false,
  ]);
  assert.equal(mightMatch(sql, 67) && mightMatch(everything, 67), true);
});

test("accepts() reads properties for SQL only", () => {
  assert.equal(accepts(tags, 65, unread), true);
  assert.equal(accepts(tags, 67, unread), false);
  assert.equal(accepts(everything, 0, unread), true);
  const text = (...entries: [string, string][]) => () => encodeProperties(entries);
  assert.equal(accepts(sql, 65, text(["TAGS", "A"], ["amount", "6"])), true);
  assert.equal(accepts(sql, 65, text(["TAGS", "A"], ["amount", "5"])), false);
  assert.equal(accepts(sql, 65, text(["amount", "6"])), false, "the tag is a property");
  assert.equal(accepts(sql, 65, () => ""), false);
});

test("accepts() judges a filter that crossed threads as the one that was sent", () => {
  const copy: typeof sql = JSON.parse(JSON.stringify(sql));
  const properties = () => encodeProperties([["TAGS", "A"], ["amount", "6"]]);
  for (const filter of [sql, copy, sql, copy]) assert.equal(accepts(filter, 0, properties), true);
});
