import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dead,
  facts,
  finished,
  hourMs,
  nowMs,
  reset,
  retention,
  stored,
} from "../../tests/support/explain_facts.ts";
import {
  type BeforeFacts,
  type Cause,
  causeKinds,
  type ExplainFacts,
  type OpenFacts,
  type RetentionFacts,
  type WaitingFacts,
} from "../model/explanation.ts";
import { explain } from "./explain.ts";

type Case = {
  readonly name: string;
  readonly facts: ExplainFacts;
  readonly causes: string;
  readonly says?: RegExp;
};

/** What retention took of topic "orders", bounded in this way. */
const removed = (bounds: Partial<RetentionFacts>) =>
  facts({ minOffset: 7, next: 2, stored: null }, {
    topic: {
      name: "orders",
      exists: true,
      readable: true,
      retention: { ...retention, ...bounds },
    },
  });
const open: OpenFacts = { attempts: 1, untilMs: nowMs, leased: false, parked: false, holder: null };
const held: OpenFacts = { ...open, attempts: 0, untilMs: 0 };
const half: Extract<WaitingFacts, { kind: "half" }> = {
  kind: "half",
  state: "prepared",
  producerGroup: "shop",
  checks: 2,
  createdMs: nowMs - 9_000,
  nextCheckMs: nowMs + 1_000,
  settledMs: 0,
  transactionId: "t1",
};

const cases: readonly Case[] = [
  {
    name: "names a topic that is not there",
    facts: facts({}, {
      topic: { name: "odrers", exists: false, readable: false, retention: null },
    }),
    causes: "unknown-topic",
  },
  {
    name: "names a group that is not there",
    facts: facts({}, {
      group: { name: "biling", exists: false, consumeEnabled: false, attemptsMax: 0 },
    }),
    causes: "unknown-group",
  },
  {
    name: "does not know a message that is nowhere",
    facts: facts(null),
    causes: "unknown-message",
  },
  {
    name: "does not know an offset that was not given out yet",
    facts: facts({ offset: 20 }),
    causes: "unknown-message",
  },
  {
    name: "tells when a timer is due",
    facts: facts(null, { waiting: { kind: "timer", dueMs: nowMs + 5_000, timerKey: "t" } }),
    causes: "not-due",
    says: /in 5000 ms/,
  },
  {
    name: "tells whose transaction is undecided, and when it is asked next",
    facts: facts(null, { waiting: half }),
    causes: "transaction-open",
    says: /producer group shop was asked 2 times/,
  },
  {
    name: "tells that a transaction waits for an operator",
    facts: facts(null, { waiting: { ...half, state: "parked" } }),
    causes: "transaction-parked",
  },
  {
    name: "tells that a transaction was rolled back",
    facts: facts(null, { waiting: { ...half, state: "rolled-back", settledMs: nowMs } }),
    causes: "rolled-back",
  },
  {
    name: "puts what is switched off before what else would be next",
    facts: facts({}, {
      topic: { name: "orders", exists: true, readable: false, retention },
      group: { name: "billing", exists: true, consumeEnabled: false, attemptsMax: 3 },
    }),
    causes: "topic-unreadable group-off",
  },
  {
    name: "tells that retention removed a message the group had not read",
    facts: removed({}),
    causes: "retention",
    says: /^Retention by time \(60 min\) has removed it: queue 0 begins at offset 7/,
  },
  {
    name: "tells that retention by bytes removed what is too young for the other",
    facts: removed({ bytes: 4096, topicCreatedMs: nowMs - hourMs + 1 }),
    causes: "retention",
    says: /^Retention by bytes \(4096 in a shard\) has removed it/,
  },
  {
    name: "names both bounds of retention when either may have removed it",
    facts: removed({ bytes: 4096, topicCreatedMs: nowMs - hourMs }),
    causes: "retention",
    says: /^Retention by time \(60 min\) or by bytes \(4096 in a shard\) has removed it/,
  },
  {
    name: "does not lay on retention what cannot be read",
    facts: facts({ minOffset: 0, next: 9, stored: null, open }),
    causes: "damaged",
    says: /offset 5 of queue 0 is damaged or lost/,
  },
  {
    name: "tells of the dead letter",
    facts: facts(finished, { dead }),
    causes: "dead-letter",
    says: /3 deliveries failed: it is in the dead letters/,
  },
  {
    name: "tells who buried a message",
    facts: facts(finished, { dead: { ...dead, reason: "buried", by: "ada" } }),
    causes: "dead-letter",
    says: /an operator \(ada\) buried it/,
  },
  {
    name: "doubts the acknowledgement where members left messages out, and may want others now",
    facts: facts({ ...finished, unmatched: 1, matches: [true] }, { filters: ["red"] }),
    causes: "acknowledged",
    says: /acknowledged, unless no member wanted it when its turn came\./,
  },
  {
    name: "tells of a dead letter whose message retention has removed",
    facts: facts(null, { dead: { ...dead, left: false } }),
    causes: "dead-letter",
    says: /redriven or purged since/,
  },
  {
    name: "tells who skipped the message of a parked key",
    facts: facts({
      ...finished,
      moves: [{ ...reset, kind: "key-skipped", fromOffset: 5, toOffset: 6 }],
    }),
    causes: "key-skipped",
    says: /\(ada\) skipped it/,
  },
  {
    name: "tells who reset the group past a message",
    facts: facts({ ...finished, moves: [reset] }),
    causes: "skipped-by-reset",
    says: /reset by ada .* from offset 2 to 8/,
  },
  {
    name: "tells that the group began to read after the message",
    facts: facts({ ...finished, moves: [{ ...reset, kind: "began", fromOffset: 8 }] }),
    causes: "before-start",
    says: /began to read this queue at offset 8/,
  },
  {
    name: "tells that a message expired unread",
    facts: facts({ ...finished, passed: "expired" }),
    causes: "expired",
  },
  {
    name: "tells that a message will expire unread",
    facts: facts({ stored: { ...stored, expiresMs: nowMs } }),
    causes: "expired",
  },
  {
    name: "tells which expressions did not let a message through",
    facts: facts({ ...finished, matches: [false, false] }, { filters: ["red", "a > 1"] }),
    causes: "filtered",
    says: /"red", "a > 1"/,
  },
  {
    name: "tells which expressions will not let a message through",
    facts: facts({ matches: [false] }, { filters: ["red"] }),
    causes: "filtered",
  },
  {
    name: "tells for whom a message is kept",
    facts: facts({ open: held, next: 9, matches: [false, true] }, { filters: ["red", "blue"] }),
    causes: "held-for-member",
    says: /that wants it: "blue"/,
  },
  {
    name: "tells that what everybody wants is held for nobody",
    facts: facts({ open: held, next: 9, matches: [true] }, { filters: ["red"] }),
    causes: "ready",
  },
  {
    name: "tells that a key is parked on the message",
    facts: facts({ open: { ...open, attempts: 3, parked: true }, next: 9 }),
    causes: "key-parked",
    says: /3 deliveries failed/,
  },
  {
    name: "tells which parked message a message waits for",
    facts: facts({ open: held, next: 9, before: before({ parked: true, attempts: 3 }) }),
    causes: "behind-parked-key",
    says: /behind message m-2 of key "k" \(offset 2\), which is parked/,
  },
  {
    name: "tells which message of its key in flight a message waits for",
    facts: facts({
      before: before({ leased: true, untilMs: nowMs + 5_000, holder: "c9" }),
    }),
    causes: "behind-key",
    says: /is delivered to c9 until/,
  },
  {
    name: "tells who has a message, and until when",
    facts: facts({
      open: { ...open, leased: true, untilMs: nowMs + 5_000, holder: "c1" },
      next: 9,
    }),
    causes: "leased",
    says: /delivered to c1, who has until/,
  },
  {
    name: "tells when the next delivery comes",
    facts: facts({ open: { ...open, untilMs: nowMs + 20_000 }, next: 9 }),
    causes: "retry-waiting",
    says: /Delivery 1 of 3 failed; the next comes at .* in 20 s/,
  },
  {
    name: "tells that the last delivery has failed",
    facts: facts({ open: { ...open, attempts: 3 }, next: 9 }),
    causes: "retry-waiting",
    says: /The last of 3 deliveries failed/,
  },
  {
    name: "tells of both when a queue is behind and nobody asks",
    facts: facts({ next: 2, lastAsked: null }),
    causes: "queue-behind no-member",
  },
  {
    name: "tells when a message that a consumer sent back comes again",
    facts: facts({ ...finished, retry: { dueMs: nowMs + 10_000, times: 2 } }),
    causes: "retry-waiting",
    says: /sent it back \(time 2\)/,
  },
  {
    name: "counts the messages before it",
    facts: facts({ next: 2 }),
    causes: "queue-behind",
    says: /3 messages of queue 0 come before it/,
  },
  {
    name: "tells that a queue is full of what is kept back",
    facts: facts({ held: 10 }),
    causes: "queue-full",
  },
  {
    name: "tells that nobody asks",
    facts: facts({ lastAsked: null, next: null, offset: 0 }),
    causes: "no-member",
    says: /Nobody of group billing has asked for this queue since the broker started/,
  },
  {
    name: "tells that nobody has asked for long",
    facts: facts({ lastAsked: { atMs: nowMs - 120_001, by: "c1" } }),
    causes: "no-member",
    says: /since .* when c1 did/,
  },
  {
    name: "tells that nothing holds a message",
    facts: facts({}),
    causes: "ready",
  },
  {
    name: "tells that a lease that ran out holds nothing",
    facts: facts({ open: { ...open, leased: true }, next: 9 }),
    causes: "ready",
  },
  {
    name: "tells that a message was acknowledged",
    facts: facts(finished),
    causes: "acknowledged",
  },
  {
    name: "tells that an acknowledged message may have expired instead",
    facts: facts({ ...finished, stored: { ...stored, expiresMs: nowMs - 1 } }),
    causes: "acknowledged",
    says: /unless it expired first/,
  },
];

for (const { name, facts, causes, says } of cases) {
  test(`explain() ${name}`, () => {
    const found = explain(facts);

    assert.equal(found.map((one) => one.cause).join(" "), causes);
    if (says !== undefined) assert.match(found[0]?.sentence ?? "", says);
  });
}

test("explain() has a case for every cause", () => {
  const seen = new Set(cases.flatMap(({ facts }) => explain(facts).map(({ cause }) => cause)));

  assert.deepEqual(causeKinds.filter((kind) => !seen.has(kind)), []);
});

test("explain() names a command for every cause that an operator can change", () => {
  const settled: readonly Cause["cause"][] = ["ready", "acknowledged", "rolled-back"];
  for (const cause of cases.flatMap(({ facts }) => explain(facts))) {
    const isSure = !cause.sentence.includes("unless no member");
    const isSettled = settled.includes(cause.cause) && isSure || cause.facts["left"] === false;
    assert.equal(cause.command === null, isSettled, cause.cause);
  }
});

function before(more: Partial<OpenFacts>): BeforeFacts {
  return { offset: 2, messageId: "m-2", open: { ...open, ...more } };
}

test("explain() names a command that brings the message, not only later ones", () => {
  const again = "curlew group reset billing -t orders --queue 0 --to 5";
  const waits: OpenFacts = { ...open, untilMs: nowMs + 5_000 };
  const unwanted = { matches: [false] };
  const commands = [
    facts({ open: waits }),
    facts({ ...finished, retry: { dueMs: nowMs + 5_000, times: 1 } }),
    facts({ ...finished, ...unwanted }, { filters: ["red"] }),
    facts(unwanted, { filters: ["red"] }),
  ].map((one) => explain(one)[0]?.command);
  const wish = "curlew message receive -t orders -g billing --tags EXPRESSION";
  assert.deepEqual(commands, [again, again, again, wish]);
});

test("explain() names the setting of the bound that removed the message", () => {
  const bounds = [{}, { bytes: 4096, topicCreatedMs: nowMs }, { bytes: 4096 }];
  const commands = bounds.map((bound) => explain(removed(bound))[0]?.command);
  const change = "curlew topic change orders";
  assert.deepEqual(commands, [
    `${change} --retention TIME`,
    `${change} --retention-bytes SIZE`,
    `${change} --retention TIME --retention-bytes SIZE`,
  ]);
});
