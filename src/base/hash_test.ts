import assert from "node:assert/strict";
import { test } from "node:test";
import { javaHash } from "./hash.ts";

test("javaHash() gives the tag hashes of section 16", () => {
  const hashes = ["TagA", "a", "order_created_event", ""].map(javaHash);

  assert.deepEqual(hashes, [2_598_919, 97, -2_143_158_446, 0]);
});
