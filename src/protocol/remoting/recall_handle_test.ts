import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { parseRecallHandle, recallHandleText } from "./recall_handle.ts";

const handle = {
  topic: "T",
  brokerName: "broker-a",
  deliverMs: 1_700_000_000_000,
  uniqueKey: "0A0B",
};
const vector = "djEgVCBicm9rZXItYSAxNzAwMDAwMDAwMDAwIDBBMEI=";

test("recallHandleText() and parseRecallHandle() know the handle of section 16", () => {
  assert.equal(recallHandleText(handle), vector);
  assert.deepEqual(parseRecallHandle(vector), handle);
  assert.deepEqual(parseRecallHandle(vector.slice(0, -1)), handle);
});

test("parseRecallHandle() does not take other text for a handle", () => {
  const texts = ["v2 T b 1 k", "v1 T b x k", "v1 T b 1", "v1 T b 1 k more", "v1  b 1 k"];
  const encoded = texts.map((text) => Buffer.from(text).toString("base64url"));

  for (const text of ["", "%%", ...encoded]) assert.equal(parseRecallHandle(text), undefined, text);
});
