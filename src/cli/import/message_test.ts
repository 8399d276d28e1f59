import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter, utf8 } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { writeRecord } from "../../model/record.ts";
import {
  carriedProperties,
  digestOf,
  isCopyOf,
  type Message,
  messagesOf,
  obstacleOf,
  sendFields,
} from "./message.ts";

function text(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties).map(([name, value]) => `${name}\x01${value}\x02`).join("");
}

function message(more: Partial<Message> & { readonly text?: string } = {}): Message {
  const { text: body = "hello", ...fields } = more;
  const writer = new ByteWriter();
  writeRecord(writer, {
    queueId: 2,
    flag: 7,
    queueOffset: 41,
    physicalOffset: 0,
    sysFlag: 0,
    bornMs: 1_700_000_000_000,
    bornHost: { ip: "127.0.0.1", port: 1 },
    storedMs: 1_700_000_000_001,
    storeHost: { ip: "127.0.0.1", port: 2 },
    reconsumeTimes: 3,
    preparedTransactionOffset: 0,
    body: utf8(body),
    topic: "t",
    properties: text({ UNIQ_KEY: "K", TAGS: "a" }),
    ...fields,
  });
  const [read] = messagesOf(writer.view());
  assert.ok(read !== undefined);
  return { ...read, ...fields };
}

test("messagesOf() reads records back to back, and refuses a damaged body", () => {
  const read = message();
  assert.deepEqual([read.offset, read.queueId, read.flag, read.reconsumeTimes], [41, 2, 7, 3]);

  const writer = new ByteWriter();
  writer.put(utf8("no record at all, and long enough to be looked at: ".repeat(4)));
  assert.throws(() => messagesOf(writer.view()), /Cannot read record/);
});

test("sendFields() carries what the producer said, and not what a transaction was", () => {
  const committed = 0x8;
  const compressed = 0x1 | 0x300;
  const hosts = 0x30;

  const fields = sendFields(message({ sysFlag: committed | compressed | hosts }), "t", 5);

  const { e, f, g, h, j } = fields;
  assert.deepEqual([e, f, g, h, j], ["5", String(compressed), "1700000000000", "7", "3"]);
  assert.equal(fields["i"], text({ UNIQ_KEY: "K", TAGS: "a" }));
});

test("carriedProperties() leaves a delay that is over behind, and keeps a timer that rang", () => {
  const relative = text({ KEYS: "k", DELAY: "3", TIMER_DELAY_SEC: "5", POP_CK: "x" });
  const rang = text({ TIMER_DELIVER_MS: "17", TIMER_OUT_MS: "17" });

  assert.equal(carriedProperties(relative), text({ KEYS: "k" }));
  assert.equal(carriedProperties(rang), rang);
});

test("obstacleOf() tells what cannot be stored", () => {
  assert.equal(obstacleOf(message()), undefined);
  assert.match(obstacleOf(message({ sysFlag: 0x40 })) ?? "", /batch/);
  assert.match(obstacleOf(message({ sysFlag: 0x4 })) ?? "", /undecided/);
  const long = { ...message(), properties: "x".repeat(limits.propertiesBytesMax + 1) };
  assert.match(obstacleOf(long) ?? "", /properties/);
});

test("isCopyOf() and digestOf() do not mind what a target adds, and mind all else", () => {
  const bare = message({ properties: text({ TAGS: "a" }) });
  const keyed = message({ properties: text({ TAGS: "a", UNIQ_KEY: "made" }) });

  assert.equal(isCopyOf(bare, keyed), true);
  assert.equal(digestOf(bare, 0), digestOf(keyed, 0));
  assert.equal(isCopyOf(keyed, message({ properties: text({ UNIQ_KEY: "other" }) })), false);
  for (const other of [message({ text: "hallo" }), message({ bornMs: 1 }), message({ flag: 1 })]) {
    assert.equal(isCopyOf(message(), other), false);
    assert.notEqual(digestOf(message(), 0), digestOf(other, 0));
  }
  assert.notEqual(digestOf(bare, 0), digestOf(bare, 1), "the order counts");
});
