import assert from "node:assert/strict";
import { test } from "node:test";
import { DamageTally } from "./damage.ts";

test("DamageTally tells the newest damage at once, and then once a minute while it is met", () => {
  const damage = new DamageTally();
  assert.equal(damage.takeNews(0), null);
  damage.note("position 3");
  damage.note("position 4");
  assert.deepEqual([damage.reads, damage.takeNews(0), damage.takeNews(60_000)], [
    2,
    "position 4",
    null,
  ]);
  damage.note("position 3");
  assert.deepEqual([damage.takeNews(60_000), damage.takeNews(120_000)], ["position 3", null]);
  damage.note("position 5");
  assert.deepEqual([damage.takeNews(119_999), damage.takeNews(120_000)], [null, "position 5"]);
});
