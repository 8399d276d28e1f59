import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import { readSendBody } from "./message_in.ts";
import { batchSchema, newMessageSchema } from "./message_schema.ts";

const origin = { bornMs: 1, bornHost: { ip: "127.0.0.1", port: 1 } };
const schema = newMessageSchema.or(batchSchema);
const key = "k".repeat(limits.keyLengthMax);

const good: unknown[] = [
  { body: "" },
  { body: "x" },
  { body: "\u0000 and \ud83d\ude00" },
  { bodyBase64: "" },
  { bodyBase64: "AAE=" },
  { bodyBase64: "//8=" },
  { body: "x", tag: "t", keys: [], properties: {}, shardingKey: "a b", queueId: 0, messageId: "i" },
  { body: "x", keys: [key, "\u00fc"] },
  { body: "x", keys: Array(limits.keysPerMessageMax).fill("k") },
  { body: "x", shardingKey: key },
  { body: "x", queueId: limits.queuesPerTopicMax - 1 },
  { body: "x", messageId: "m".repeat(255) },
  { body: "x", tag: "t".repeat(127) },
  { body: "x", ttlMs: 1 },
  { body: "x", ttlMs: limits.retentionMsMax },
  { body: "x", properties: { "a b": "c d", toString: "y" } },
  { messages: [{ body: "x" }, { body: "y" }] },
];

const bad: unknown[] = [
  null,
  1,
  "x",
  [],
  [{ body: "x" }],
  {},
  { body: null },
  { body: 1 },
  { body: "\ud800" },
  { body: "x", bodyBase64: "AAE=" },
  { body: "", bodyBase64: "" },
  { bodyBase64: "AAE" },
  { bodyBase64: "AA-_" },
  { bodyBase64: "A A=" },
  { bodyBase64: "AA==AA==" },
  { bodyBase64: 7 },
  { body: "x", boddy: 1 },
  JSON.parse('{"body":"x","__proto__":1}'),
  { body: "x", tag: "" },
  { body: "x", tag: "a|b" },
  { body: "x", tag: "a b" },
  { body: "x", tag: "t".repeat(128) },
  { body: "x", tag: null },
  { body: "x", keys: "k" },
  { body: "x", keys: ["a b"] },
  { body: "x", keys: [""] },
  { body: "x", keys: [`${key}k`] },
  { body: "x", keys: Array(limits.keysPerMessageMax + 1).fill("k") },
  { body: "x", properties: [] },
  { body: "x", properties: { a: 1 } },
  { body: "x", properties: { a: "" } },
  { body: "x", properties: { "": "a" } },
  { body: "x", properties: { a: "\u0001" } },
  { body: "x", properties: { "\u0002": "a" } },
  { body: "x", properties: { TAGS: "a" } },
  { body: "x", properties: { __TTL_MS: "1" } },
  { body: "x", properties: { a: "\udfff" } },
  { body: "x", shardingKey: "" },
  { body: "x", shardingKey: `${key}k` },
  { body: "x", shardingKey: "\u0001" },
  { body: "x", queueId: -1 },
  { body: "x", queueId: 1.5 },
  { body: "x", queueId: "1" },
  { body: "x", queueId: limits.queuesPerTopicMax },
  { body: "x", messageId: "" },
  { body: "x", ttlMs: 0 },
  { body: "x", ttlMs: 1.5 },
  { body: "x", ttlMs: "1000" },
  { body: "x", ttlMs: limits.retentionMsMax + 1 },
  { body: "x", messageId: "a b" },
  { body: "x", messageId: "m".repeat(256) },
  { messages: [] },
  { messages: {} },
  { messages: [{}] },
  { messages: [1] },
  { messages: [{ body: "x" }], body: "x" },
  { messages: Array(limits.batchMessagesMax + 1).fill({ body: "x" }) },
];

function reads(value: unknown): boolean {
  try {
    readSendBody(value, origin);
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof BrokerError, String(thrown));
    return false;
  }
}

test("readSendBody and the schema take the same messages", () => {
  for (const value of good) {
    const shown = JSON.stringify(value).slice(0, 100);
    assert.equal(schema.safeParse(value).success, true, `schema: ${shown}`);
    assert.equal(reads(value), true, `reader: ${shown}`);
  }
});

test("readSendBody and the schema refuse the same messages", () => {
  for (const value of bad) {
    const shown = JSON.stringify(value)?.slice(0, 100);
    assert.equal(schema.safeParse(value).success, false, `schema: ${shown}`);
    assert.equal(reads(value), false, `reader: ${shown}`);
  }
});

test("readSendBody names what is wrong by its path", () => {
  const faults: [unknown, RegExp][] = [
    [{ body: "x", boddy: 1 }, /boddy: it is not known here/],
    [{ messages: [{ body: "x" }, { body: "x", tag: "a b" }] }, /messages\[1\]\.tag.*"a b"/],
    [{ messages: [{ body: "x", keys: ["a", 2] }] }, /messages\[0\]\.keys\[1\]/],
    [{ body: "x", properties: { KEYS: "a" } }, /properties\.KEYS.*reserved/],
  ];
  for (const [value, message] of faults) assert.throws(() => readSendBody(value, origin), message);
});
