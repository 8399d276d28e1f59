import assert from "node:assert/strict";
import { test } from "node:test";
import type { QueueRange, TopicFacts } from "./facts.ts";
import { type BrokerSurvey, isWished, planImport, type TargetSurvey, type Wishes } from "./plan.ts";

const all: Wishes = { topics: [], groups: [], deadLetters: false, append: false };
const nothing: TargetSurvey = { topics: new Map(), groups: new Set(), ranges: new Map() };
const fresh = new Set<string>();

function topic(name: string, queues = 2, more: Partial<TopicFacts> = {}): TopicFacts {
  const counts = { readQueues: queues, writeQueues: queues };
  return { name, ...counts, perm: 6, order: false, attributes: {}, ...more };
}

function ranges(...ends: readonly (readonly [number, number])[]): QueueRange[] {
  return ends.map(([minOffset, maxOffset], queueId) => ({ queueId, minOffset, maxOffset }));
}

function broker(name: string, survey: Partial<BrokerSurvey>): BrokerSurvey {
  const empty = { topics: [], groups: [], places: [], systemTopics: [], ranges: new Map() };
  return { name, cluster: "C", ...empty, ...survey };
}

function leftOut(survey: Partial<BrokerSurvey>, wishes = all, target = nothing) {
  const plan = planImport([broker("a", survey)], target, wishes, fresh);
  return plan.leftOut.map(({ name, why, problem }) => `${problem ? "!" : ""}${name}: ${why}`);
}

test("planImport() lays the queues of several brokers one behind the other", () => {
  const [first, second] = [
    broker("a", { topics: [topic("t", 2)], ranges: new Map([["t", ranges([5, 9], [0, 0])]]) }),
    broker("b", { topics: [topic("t", 3)], ranges: new Map([["t", ranges([0, 1], [0, 2])]]) }),
  ];

  const plan = planImport([first, second], nothing, all, fresh);

  const [planned] = plan.topics;
  assert.equal(planned?.settings.readQueues, 5);
  assert.equal(planned?.messages, 7);
  const ways = planned?.queues.map((queue) => [queue.broker, queue.queueId, queue.targetQueueId]);
  assert.deepEqual(ways, [["a", 0, 0], ["a", 1, 1], ["b", 0, 2], ["b", 1, 3]]);
});

test("planImport() leaves out what is no user's, and says why", () => {
  const topics = ["TBW102", "rmq_sys_x", "C", "a", "C_REPLY_TOPIC", "said", "%RETRY%g", "%DLQ%g"];
  const groups = ["CID_RMQ_SYS_T", "TOOLS_CONSUMER"].map((name) => ({ name, config: "{}" }));

  const found = leftOut({
    topics: topics.map((name) => topic(name)),
    groups,
    systemTopics: ["said"],
  });

  assert.equal(found.length, topics.length + groups.length);
  assert.ok(found.includes("%DLQ%g: dead letters: --dead-letters copies them"));
  assert.ok(found.every((line) => !line.startsWith("!")), "none of it is a problem");
});

test("planImport() tells what was wanted and cannot be", () => {
  const topics = [
    topic("shut", 1, { perm: 2 }),
    topic("batches", 1, { attributes: { "queue.type": "BatchCQ" } }),
    topic("wide", 2000),
    topic("x".repeat(128)),
  ];
  const groups = [{ name: "g".repeat(121), config: "{}" }];

  const found = leftOut({ topics, groups });

  assert.equal(found.length, 5);
  assert.ok(found.every((line) => line.startsWith("!")));
});

test("planImport() leaves a topic alone that has messages at the target, until told", () => {
  const survey = { topics: [topic("t", 1)], ranges: new Map([["t", ranges([0, 4])]]) };
  const target: TargetSurvey = {
    topics: new Map([["t", topic("t", 1)]]),
    groups: new Set(),
    ranges: new Map([["t", ranges([7, 7])]]),
  };

  assert.match(leftOut(survey, all, target)[0] ?? "", /^!t: .* had 7 messages: --append/);
  assert.deepEqual(leftOut(survey, { ...all, append: true }, target), []);
  const begun = planImport([broker("a", survey)], target, all, new Set(["t"]));
  assert.equal(begun.topics[0]?.isNew, false);
});

test("planImport() brings the groups along that read the topics asked for", () => {
  const config = "{}";
  const survey: Partial<BrokerSurvey> = {
    topics: [topic("orders", 1), topic("other", 1)],
    groups: [{ name: "billing", config }, { name: "idle", config }],
    places: [{ group: "billing", topic: "orders", queueId: 0, offset: 3 }],
    ranges: new Map([["orders", ranges([5, 9])], ["other", ranges([0, 1])]]),
  };

  const plan = planImport([broker("a", survey)], nothing, { ...all, topics: ["ord*"] }, fresh);

  assert.deepEqual(plan.topics.map(({ name }) => name), ["orders"]);
  assert.deepEqual(plan.groups.map(({ name, lag }) => [name, lag]), [["billing", 4]]);
  assert.deepEqual(plan.leftOut.map(({ problem }) => problem), [false, false]);
});

test("planImport() takes a name that is nowhere for a slip", () => {
  const wishes = { ...all, topics: ["ordres"], groups: ["biling"] };

  const found = leftOut({ topics: [topic("orders")] }, wishes);

  assert.ok(found.includes("!ordres: the source has none of this name"));
  assert.ok(found.includes("!biling: the source has none of this name"));
});

test("isWished() knows names and beginnings", () => {
  assert.equal(isWished([], "a"), true);
  assert.equal(isWished(["a", "b*"], "bcd"), true);
  assert.equal(isWished(["a", "b*"], "ab"), false);
});
