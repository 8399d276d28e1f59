import assert from "node:assert/strict";
import { test } from "node:test";
import { signerWith } from "../runtime/signer.ts";
import { readReceipt, writeReceipt } from "./receipts.ts";

const signer = signerWith(new Uint8Array(32).fill(1));
const parts = {
  groupKey: 3,
  shard: 1,
  queueKey: 70,
  offset: 1_234,
  lease: 1_700_000_000_000 * 1024,
};

test("readReceipt() reads what writeReceipt() wrote, up to the largest numbers", () => {
  const largest = { ...parts, groupKey: 2 ** 32, offset: 2 ** 52, lease: 2 ** 53 - 1 };
  for (const one of [parts, largest]) {
    assert.deepEqual(readReceipt(signer, one.groupKey, writeReceipt(signer, one)), one);
  }
});

test("readReceipt() knows no receipt of another group, secret or text", () => {
  const receipt = writeReceipt(signer, parts);
  const other = signerWith(new Uint8Array(32).fill(2));
  const altered = [...receipt].map((letter, at) => {
    const changed = letter === "1" ? "2" : "1";
    return receipt.slice(0, at) + changed + receipt.slice(at + 1);
  });

  assert.equal(readReceipt(signer, 4, receipt), null);
  assert.equal(readReceipt(other, 3, receipt), null);
  const accepted = altered.filter((text) => readReceipt(signer, 3, text) !== null);
  assert.deepEqual(accepted, []);
});

test("readReceipt() refuses what is too long, cut short or empty", () => {
  const receipt = writeReceipt(signer, parts);
  for (const text of ["", ".", receipt.slice(0, -1), `${receipt}A`, receipt.padEnd(101, "A")]) {
    assert.equal(readReceipt(signer, 3, text), null);
  }
});
