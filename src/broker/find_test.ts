import assert from "node:assert/strict";
import { test } from "node:test";
import { ScriptedShards, topicIn } from "../../tests/support/scripted_shards.ts";
import { recordOf } from "../../tests/support/shard_bench.ts";
import { packPhysicalOffset } from "../model/message_id.ts";
import { encodeProperties } from "../model/properties.ts";
import { recordBody } from "../model/record.ts";
import { Finder } from "./find.ts";

const named = (body: string, properties: [string, string][]) =>
  recordOf(body, encodeProperties(properties));

/** Two shards; the index of each knows hashes only, so it answers more than was meant. */
function finding(perShard: readonly Uint8Array[][]) {
  const shards = new ScriptedShards(2, {
    find: (ask, shard) => {
      const records = (perShard[shard] ?? []).slice(0, ask.by === "position" ? 1 : ask.messagesMax);
      const bytes = records.flatMap((record) => [...record]);
      const queueKeys = records.map(() => shard + 1);
      return { head: { queueKeys }, blob: Uint8Array.from(bytes) };
    },
  });
  shards.view.putTopic(topicIn("t", [0, 1]));
  return { finder: new Finder(shards.view, shards.router), shards };
}

const bodies = (found: readonly { record: Uint8Array }[]) =>
  found.map(({ record }) => new TextDecoder().decode(recordBody(record, 0)));

test("byPhysicalOffset() asks the shard the offset names, if there is such an offset", async () => {
  const { finder, shards } = finding([[], [named("a", [])]]);
  assert.equal((await finder.byPhysicalOffset(packPhysicalOffset(1, 7)))?.topic, "t");
  assert.deepEqual(shards.requests[0]?.asked.request, { by: "position", position: 7 });

  assert.equal(await finder.byPhysicalOffset(packPhysicalOffset(2, 7)), null);
  assert.equal(await finder.byPhysicalOffset(packPhysicalOffset(1, 0)), null);
  assert.equal(await finder.byPhysicalOffset(packPhysicalOffset(0, 7)), null);
  assert.deepEqual(shards.asked, ["1 find", "0 find"]);
});

test("byId() keeps only messages of that very id, of all shards", async () => {
  const { finder } = finding([
    [named("a", [["UNIQ_KEY", "id"]]), named("b", [["UNIQ_KEY", "other"]])],
    [named("c", [["UNIQ_KEY", "id"]]), named("d", [["KEYS", "id"]])],
  ]);
  assert.deepEqual(bodies(await finder.byId("t", "id")), ["a", "c"]);
  assert.deepEqual(bodies(await finder.byId(null, "id")), ["a", "c"]);
  assert.deepEqual(await finder.byId("u", "id"), []);
});

test("byKey() compares whole keys, and answers at most as many as were asked for", async () => {
  const { finder } = finding([
    [named("a", [["KEYS", "red green"]]), named("b", [["KEYS", "redder"]])],
    [named("c", [["KEYS", "red"]]), named("d", [["UNIQ_KEY", "red"]])],
  ]);
  assert.deepEqual(bodies(await finder.byKey("t", "red", 9)), ["a", "c", "d"]);
  assert.deepEqual(bodies(await finder.byKey("t", "red", 2)), ["a", "c"]);
  assert.deepEqual(await finder.byKey("u", "red", 9), []);
});

test("byTime() goes from queue to queue until it has enough", async () => {
  const { finder, shards } = finding([[named("a", []), named("b", [])], [named("c", [])]]);
  assert.deepEqual(bodies(await finder.byTime("t", 1, 2, 9)), ["a", "b", "c"]);
  shards.asked.length = 0;
  assert.deepEqual(bodies(await finder.byTime("t", 1, 2, 2)), ["a", "b"]);
  assert.deepEqual(shards.asked, ["0 find"]);
});

test("byId() does not show what an earlier topic of the name has left in the log", async () => {
  const { finder, shards } = finding([[named("a", [["UNIQ_KEY", "id"]])], []]);
  assert.deepEqual(bodies(await finder.byId("t", "id")), ["a"]);
  shards.view.apply({ kind: "topic-deleted", name: "t" });
  assert.deepEqual(await finder.byId(null, "id"), []);
  shards.view.putTopic(topicIn("t", [0, 1], {}, 10));
  assert.deepEqual(await finder.byId("t", "id"), []);
  assert.equal(await finder.byPhysicalOffset(packPhysicalOffset(0, 7)), null);
});
