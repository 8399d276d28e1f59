import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { type Beat, checkBeat, type Consuming } from "./heartbeat.ts";

function beatOf(changes: Partial<Beat<Consuming>>): Beat<Consuming> {
  const from = { address: "127.0.0.1:1", language: "JAVA", version: 479 };
  return { clientId: "a", connection: 1, ...from, producerGroups: [], consumers: [], ...changes };
}

function wish(topic: string, text = "*") {
  return { topic, expression: { language: "TAG", text }, version: 1 } as const;
}

function inGroup(
  group: string,
  ...subscriptions: Consuming["subscriptions"]
): Partial<Beat<Consuming>> {
  return { consumers: [{ group, subscriptions }] };
}

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`);

function codeOf(changes: Partial<Beat<Consuming>>): string {
  try {
    checkBeat(beatOf(changes));
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
  return "fine";
}

test("checkBeat() refuses names that are not valid", () => {
  const codes = [
    { clientId: "" },
    inGroup("not fine"),
    inGroup("g", wish("no topic")),
    { producerGroups: [""] },
    { producerGroups: ["line\nbreak"] },
    { producerGroups: ["p".repeat(256)] },
  ].map(codeOf);
  assert.deepEqual(codes, new Array<string>(6).fill("invalid_argument"));
});

test("checkBeat() refuses a group, or a topic of a group, that is named twice", () => {
  const consumers = [{ group: "g", subscriptions: [] }, { group: "g", subscriptions: [] }];
  assert.equal(codeOf({ consumers }), "invalid_argument");
  assert.equal(codeOf(inGroup("g", wish("t", "A"), wish("t", "B"))), "invalid_argument");
});

test("checkBeat() takes a trace producer's long group, and a retry topic's wish", () => {
  assert.equal(codeOf({ producerGroups: ["p".repeat(255)] }), "fine");
  assert.equal(codeOf(inGroup("g", wish("%RETRY%g"))), "fine");
});

test("checkBeat() counts groups and subscriptions up to their bounds", () => {
  const topics = numbered(limits.subscriptionsPerMemberMax).map((topic) => wish(topic));
  assert.equal(codeOf(inGroup("g", ...topics)), "fine");
  assert.equal(codeOf(inGroup("g", ...topics, wish("one-more"))), "limit_exceeded");
  const producerGroups = numbered(limits.groupsPerHeartbeatMax);
  assert.equal(codeOf({ producerGroups }), "fine");
  assert.equal(codeOf({ producerGroups, ...inGroup("g") }), "limit_exceeded");
});
