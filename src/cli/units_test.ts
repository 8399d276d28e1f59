import assert from "node:assert/strict";
import { test } from "node:test";
import { showBytes, showCount, showDuration } from "./units.ts";

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
