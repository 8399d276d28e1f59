import assert from "node:assert/strict";
import { test } from "node:test";
import { systemTopics } from "./system_topics.ts";

const off = { clusterName: "c", autoCreateTopics: false, traceTopic: false };

function namesOf(settings: typeof off): string[] {
  return systemTopics(settings).wanted.map(({ name }) => name).sort();
}

test("systemTopics() always wants the topics that tools and replies need", () => {
  assert.deepEqual(namesOf(off), ["SCHEDULE_TOPIC_XXXX", "SELF_TEST_TOPIC", "c_REPLY_TOPIC"]);
});

test("systemTopics() wants TBW102 only while topics are made on the fly", () => {
  assert.ok(namesOf({ ...off, autoCreateTopics: true }).includes("TBW102"));
  assert.deepEqual(systemTopics({ ...off, autoCreateTopics: true }).unwanted, []);
  assert.deepEqual(systemTopics(off).unwanted, ["TBW102"]);
});

test("systemTopics() wants the trace topic only when traces are kept", () => {
  assert.ok(namesOf({ ...off, traceTopic: true }).includes("RMQ_SYS_TRACE_TOPIC"));
});
