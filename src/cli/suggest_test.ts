import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearest } from "./suggest.ts";

test("editDistance() counts a swap of neighbours as one", () => {
  assert.deepEqual(
    [["topic", "topic"], ["tpoic", "topic"], ["topik", "topic"], ["", "abc"]].map(([from, to]) =>
      editDistance(from ?? "", to ?? "")
    ),
    [0, 1, 1, 3],
  );
});

test("nearest() knows a slip from another word", () => {
  const known = ["topic", "group", "message"];

  assert.equal(nearest("messge", known), "message");
  assert.equal(nearest("gruop", known), "group");
  assert.equal(nearest("mess", known), "message");
  assert.equal(nearest("queue", known), undefined);
});
