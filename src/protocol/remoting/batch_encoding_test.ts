import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { utf8 } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { Prng } from "../../base/prng.ts";
import { BrokerError, WireError } from "../../model/errors.ts";
import { decodeBatch, encodeBatch } from "./batch_encoding.ts";

const hello = { flag: 0, body: utf8("hello"), properties: "WAIT\x01true\x02" };
const vector = "000000250000000000000000000000000000000568656c6c6f000a57414954017472756502";

test("encodeBatch() and decodeBatch() know the element of section 16", () => {
  assert.equal(Buffer.from(encodeBatch([hello])).toString("hex"), vector);
  assert.deepEqual(decodeBatch(new Uint8Array(Buffer.from(vector, "hex"))), [hello]);
});

test("decodeBatch() reads back what encodeBatch() wrote", () => {
  const prng = new Prng(42);
  for (let round = 0; round < 200; round++) {
    const messages = Array.from({ length: prng.int(10) }, () => ({
      flag: prng.next() | 0,
      body: prng.bytes(prng.int(50)),
      properties: prng.pick(["", "k\x01ü\x02", "a\x01b"]),
    }));
    assert.deepEqual(decodeBatch(encodeBatch(messages)), messages);
  }
});

test("decodeBatch() refuses a batch that ends within a message", () => {
  const bytes = encodeBatch([hello, hello]);
  for (let end = 1; end < bytes.length; end++) {
    if (end === bytes.length / 2) continue;
    assert.throws(() => decodeBatch(bytes.subarray(0, end)), WireError, String(end));
  }
});

test("decodeBatch() takes as many messages as the limit says, and not one more", () => {
  const empty = { flag: 0, body: new Uint8Array(), properties: "" };
  const batch = encodeBatch(new Array(limits.remotingBatchMessagesMax + 1).fill(empty));

  assert.equal(decodeBatch(batch.subarray(22)).length, limits.remotingBatchMessagesMax);
  assert.throws(() => decodeBatch(batch), BrokerError);
});

test("decodeBatch() answers random damage with messages or a WireError", () => {
  const prng = new Prng(43);
  for (let round = 0; round < 20_000; round++) {
    const bytes = encodeBatch([hello, hello]);
    for (let count = prng.int(3); count >= 0; count--) {
      bytes[prng.int(bytes.length)] = prng.int(256);
    }
    try {
      decodeBatch(bytes);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});
