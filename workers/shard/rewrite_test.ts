import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../src/base/bytes.ts";
import { javaHash } from "../../src/base/hash.ts";
import { limits } from "../../src/base/limits.ts";
import { deathFacts } from "../../src/model/dead_letter.ts";
import { encodeProperties } from "../../src/model/properties.ts";
import { readRecord, recordBytes, type RecordFields, writeRecord } from "../../src/model/record.ts";
import { forDeadLetter, forRedrive, forRetry } from "./rewrite.ts";

const host = { ip: "10.0.0.1", port: 9876 };
const letters = { topic: "%DLQ%billing", queueId: 1 };
const exhausted = { reason: "attempts-exhausted", attempts: 3, atMs: 1_000 } as const;

test("forDeadLetter() says where the message was, why it died, when, and how often tried", () => {
  const letter = forDeadLetter(record({}), letters, exhausted);

  assert.deepEqual(deathFacts(letter.record), {
    messageId: "id-1",
    originTopic: "orders",
    originQueueId: 2,
    originOffset: 40,
    reason: "attempts-exhausted",
    attempts: 3,
    diedMs: 1_000,
    by: null,
  });
  assert.equal(letter.tagHash, javaHash("red"));
});

test("forDeadLetter() names the first place of a message that came by the retry topic", () => {
  const retried = forRetry(record({}), { topic: "%RETRY%billing", queueId: 0 }).record;

  const story = deathFacts(forDeadLetter(retried, letters, exhausted).record);

  assert.equal(`${story.originTopic} ${story.originQueueId} ${story.originOffset}`, "orders 2 40");
});

test("forDeadLetter() names the operator who buried a message", () => {
  const death = { reason: "buried", attempts: 1, atMs: 5, by: "ada" } as const;

  const { reason, by } = deathFacts(forDeadLetter(record({}), letters, death).record);

  assert.equal(`${reason} by ${by}`, "buried by ada");
});

test("forDeadLetter() takes a message whose own properties fill the record", () => {
  const room = limits.propertiesBytesMax - record({}).length;
  for (const spare of [0, 40, 90]) {
    const filled = record({ long: "x".repeat(room - spare) });

    const letter = readRecord(forDeadLetter(filled, letters, exhausted).record);

    assert.equal(letter.topic, "%DLQ%billing");
    assert.equal(letter.reconsumeTimes, 3);
  }
});

test("forRedrive() makes the message as it first was, with its id", () => {
  const first = readRecord(record({}));
  const retried = forRetry(record({}), { topic: "%RETRY%billing", queueId: 0 }).record;
  const letter = forDeadLetter(retried, letters, { ...exhausted, by: "ada" }).record;

  const back = readRecord(forRedrive(letter, { topic: "orders", queueId: 2 }).record);

  assert.equal(back.properties, first.properties);
  assert.equal(`${back.topic} ${back.queueId} ${back.reconsumeTimes}`, "orders 2 0");
  assert.deepEqual(back.body, first.body);
});

function record(more: Readonly<Record<string, string>>): Uint8Array {
  const properties = encodeProperties([
    ["UNIQ_KEY", "id-1"],
    ["TAGS", "red"],
    ...Object.entries(more),
  ]);
  const fields: RecordFields = {
    queueId: 2,
    flag: 0,
    queueOffset: 40,
    physicalOffset: 512,
    sysFlag: 0,
    bornMs: 1,
    bornHost: host,
    storedMs: 2,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new TextEncoder().encode("hello"),
    topic: "orders",
    properties,
  };
  const writer = new ByteWriter(recordBytes(fields));
  writeRecord(writer, fields);
  return writer.view().slice();
}
