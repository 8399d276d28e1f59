import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBytes, parseDuration } from "./quantities.ts";

test("parseDuration() takes numbers with and without units", () => {
  const texts = ["90", "90ms", "1.5s", "10m", "2h", "7 d", "1W"];

  assert.deepEqual(texts.map(parseDuration), [
    90,
    90,
    1500,
    600_000,
    7_200_000,
    604_800_000,
    604_800_000,
  ]);
});

test("parseBytes() tells decimal units from binary ones", () => {
  assert.deepEqual(["4096", "64KiB", "10GB", "1.5 mib"].map(parseBytes), [
    4096,
    65_536,
    10_000_000_000,
    1_572_864,
  ]);
});

test("parseDuration() and parseBytes() refuse what is no quantity", () => {
  for (
    const text of ["", "-1", "1e3", "ten", "5 parsecs", "1h30m", "constructor", "9".repeat(20)]
  ) {
    assert.deepEqual([parseDuration(text), parseBytes(text)], [undefined, undefined], text);
  }
});
