import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBytes, parseDuration, showBytes, showCount, showDuration } from "./units.ts";

test("parseDuration() reads a number with a unit, and milliseconds without", () => {
  const texts = ["90", "90ms", "1.5s", "10m", "2h", "7d", "1w"];

  const read = texts.map(parseDuration);

  assert.deepEqual(read, [90, 90, 1500, 600_000, 7_200_000, 604_800_000, 604_800_000]);
});

test("parseDuration() and parseBytes() refuse what is no number with a known unit", () => {
  for (const text of ["", "s", "-1s", "1 fortnight", "1e3", "99999999999999999d", "1constructor"]) {
    assert.equal(parseDuration(text), undefined, text);
    assert.equal(parseBytes(text), undefined, text);
  }
});

test("parseBytes() tells kibi from kilo", () => {
  assert.deepEqual(["4096", "64KiB", "10GB"].map(parseBytes), [4096, 65_536, 10_000_000_000]);
});

test("showDuration(), showBytes() and showCount() round as people read", () => {
  assert.deepEqual([950, 1500, 600_000, 604_800_000].map(showDuration), [
    "950 ms",
    "1.5 s",
    "10 min",
    "7 d",
  ]);
  assert.deepEqual([512, 1536, 10 * 1024 ** 3].map(showBytes), ["512 B", "1.5 KiB", "10 GiB"]);
  assert.deepEqual([7, 1234, 1_234_567].map(showCount), ["7", "1,234", "1,234,567"]);
});
