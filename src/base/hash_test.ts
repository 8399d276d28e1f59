import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "./bytes.ts";
import { digestOf, javaHash } from "./hash.ts";

test("javaHash() gives the tag hashes of section 16", () => {
  const hashes = ["TagA", "a", "order_created_event", ""].map(javaHash);

  assert.deepEqual(hashes, [2_598_919, 97, -2_143_158_446, 0]);
});

test("digestOf() is a whole number, equal for equal bytes and no others met here", () => {
  const texts = Array.from({ length: 20_000 }, (_, at) => `{"clientID":"10.0.0.7@${at}"}`);
  const digests = texts.map((text) => digestOf(utf8(text)));

  assert.ok(digests.every(Number.isSafeInteger));
  assert.equal(new Set(digests).size, texts.length);
  assert.deepEqual(texts.map((text) => digestOf(utf8(text))), digests);
  assert.notEqual(digestOf(new Uint8Array(3)), digestOf(new Uint8Array(4)));
  assert.equal(new Set(digests.map((digest) => digest % 2 ** 32)).size > 19_990, true);
});
