import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import { limits } from "../../src/base/limits.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import { TellsShards } from "./tells_shards.ts";

test("TellsShards tells all shards once for a burst of changes, as things are then", () => {
  const timers = new ManualTimers();
  const told: string[] = [];
  const tellShard = (shard: number, news: ShardNews) => told.push(`${shard}: ${news.kind}`);
  let looks = 0;
  const parts = { shards: 2, clock: timers.clock, timers, tellShard };
  const tells = new TellsShards(parts, () => {
    looks++;
    return () => ({ kind: "retention", rules: [] });
  });
  tells.tellNow();
  tells.changed();
  tells.changed();
  assert.deepEqual(told, ["0: retention", "1: retention"]);
  timers.advance(limits.retentionNewsMsMax);
  assert.deepEqual(told, ["0: retention", "1: retention", "0: retention", "1: retention"]);
  assert.equal(looks, 2);
  tells.changed();
  tells.stop();
  timers.advance(limits.retentionNewsMsMax);
  assert.equal(looks, 2);
});
