import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "./nearest.ts";

test("editDistance() counts letters to insert, remove and replace", () => {
  const pairs = [["", ""], ["a", ""], ["", "ab"], ["port", "part"], ["kitten", "sitting"]] as const;

  assert.deepEqual(pairs.map(([from, to]) => editDistance(from, to)), [0, 1, 2, 1, 3]);
});

test("nearest() finds a slip of the finger and leaves other words alone", () => {
  const known = ["http-port", "host", "data"];

  assert.equal(nearest("htp-port", known), "http-port");
  assert.equal(nearest("dat", known), "data");
  assert.equal(nearest("password", known), undefined);
  assert.equal(nearest("x", []), undefined);
});
