import assert from "node:assert/strict";
import { test } from "node:test";
import { groupOf, topicIn } from "../../tests/support/scripted_shards.ts";
import { everything } from "../model/subscription.ts";
import { RegistryView } from "./registry_view.ts";

function subscriptionOf(topic: string, version = 1) {
  const expression = { language: "TAG", text: "*" } as const;
  return { group: "g", topic, version, expression, filter: everything };
}

test("RegistryView keeps the newer of two copies, in whatever order they come", () => {
  const view = new RegistryView();
  const old = topicIn("t", [0]);
  const young = { ...topicIn("t", [0, 1]), version: 2 };
  view.apply({ kind: "topic", topic: young });
  view.putTopic(old);
  assert.equal(view.topic("t")?.queueRefs.length, 2);

  view.putGroup({ ...groupOf("g", 3), version: 2, createdMs: 7 });
  view.putGroup(groupOf("g", 3));
  assert.equal(view.group("g")?.createdMs, 7);
});

test("RegistryView leads from a queue key to its topic, until the topic goes", () => {
  const view = new RegistryView();
  view.apply({ kind: "topic", topic: topicIn("t", [0, 1], {}, 10) });
  assert.deepEqual([view.queue(12)?.topic.name, view.queue(12)?.queueId], ["t", 1]);

  view.apply({ kind: "topic-deleted", name: "t" });
  assert.deepEqual([view.queue(12), view.topic("t")], [undefined, undefined]);
  view.apply({ kind: "topic-deleted", name: "t" });
});

test("RegistryView forgets subscriptions one by one, and with their group", () => {
  const view = new RegistryView();
  for (const topic of ["t", "u"]) {
    view.apply({ kind: "subscription", subscription: subscriptionOf(topic) });
  }
  view.apply({ kind: "unsubscribed", group: "g", topic: "t" });
  assert.deepEqual([view.subscription("g", "t"), view.subscription("g", "u")?.version], [
    undefined,
    1,
  ]);
  view.apply({ kind: "group-deleted", name: "g" });
  assert.equal(view.subscription("g", "u"), undefined);
});

test("needTopic() and needGroup() refuse a name nobody knows", () => {
  const view = new RegistryView();
  assert.throws(() => view.needTopic("t"), { code: "topic_not_found" });
  assert.throws(() => view.needGroup("g"), { code: "group_not_found" });
});
