import assert from "node:assert/strict";
import { test } from "node:test";
import {
  derBitString,
  derBoolean,
  derContext,
  derInteger,
  derObjectId,
  derOctetString,
  derSequence,
  derSet,
  derText,
  derTime,
} from "./der.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("derInteger() is the shortest form that is not negative", () => {
  assert.equal(hex(derInteger(Uint8Array.of(0))), "020100");
  assert.equal(hex(derInteger(Uint8Array.of())), "020100");
  assert.equal(hex(derInteger(Uint8Array.of(0, 0, 127))), "02017f");
  assert.equal(hex(derInteger(Uint8Array.of(128))), "02020080");
  assert.equal(hex(derInteger(Uint8Array.of(1, 0))), "02020100");
});

test("derObjectId() joins the first two numbers and spreads the others over seven bits", () => {
  assert.equal(hex(derObjectId("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(hex(derObjectId("2.5.29.17")), "0603551d11");
});

test("derOctetString() writes long lengths in as many bytes as they need", () => {
  assert.equal(hex(derOctetString(new Uint8Array(127)).subarray(0, 2)), "047f");
  assert.equal(hex(derOctetString(new Uint8Array(128)).subarray(0, 3)), "048180");
  assert.equal(hex(derOctetString(new Uint8Array(256)).subarray(0, 4)), "04820100");
});

test("derTime() has two digits of the year until 2049, and four from 2050 on", () => {
  const last = derTime(Date.UTC(2049, 11, 31, 23, 59, 59, 999));
  const next = derTime(Date.UTC(2050, 0, 1));
  assert.equal(new TextDecoder().decode(last), "\x17\x0d491231235959Z");
  assert.equal(new TextDecoder().decode(next), "\x18\x0f20500101000000Z");
});

test("derSequence() and the small values stand as X.690 has them", () => {
  assert.equal(hex(derSequence(derBoolean(true), derBoolean(false))), "30060101ff010100");
  assert.equal(hex(derSet(derText("é"))), "31040c02c3a9");
  assert.equal(hex(derBitString(Uint8Array.of(0xab))), "030200ab");
  assert.equal(hex(derContext(3, Uint8Array.of(1), { constructed: true })), "a30101");
  assert.equal(hex(derContext(2, Uint8Array.of(1), { constructed: false })), "820101");
});
