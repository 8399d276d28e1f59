/** Protocol 6.1: SEND_MESSAGE, SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../../src/base/bytes.ts";
import { parseOffsetMessageId } from "../../../src/model/message_id.ts";
import { recordProperties } from "../../../src/model/record.ts";
import { encodeBatch } from "../../../src/protocol/remoting/batch_encoding.ts";
import { TestWorld } from "./test_client.ts";

/** The fields of a V2 send, as a Java producer writes them. */
function v2(changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...{ a: "PG", b: "T", c: "TBW102", d: "4", e: "1", f: "0", g: "1700000000000", h: "0" },
    ...{ i: "TAGS\x01a\x02UNIQ_KEY\x01K1\x02", j: "0", k: "false", m: "false", n: "curlew" },
    ...changes,
  };
}

test("6.1 code 310: the answer has id, queue, offset, transaction id, region, trace", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(310, v2(), { body: utf8("hello") });

  assert.equal(answer.code, 0);
  assert.deepEqual(answer.extFields, {
    msgId: "7F000001000026940000000000000100",
    queueId: "1",
    queueOffset: "0",
    transactionId: "K1",
    MSG_REGION: "DefaultRegion",
    TRACE_ON: "true",
  });
});

test("6.1 code 310: the id in the answer leads to the address that was dialled", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(310, v2());

  assert.deepEqual(parseOffsetMessageId(answer.extFields["msgId"] ?? ""), {
    ip: "127.0.0.1",
    port: 9876,
    physicalOffset: 256,
  });
});

test("6.1 code 10: a V1 send says the same in long names", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(10, {
    ...{ producerGroup: "PG", topic: "T", defaultTopic: "TBW102", defaultTopicQueueNums: "4" },
    ...{ queueId: "2", sysFlag: "0", bornTimestamp: "1700000000000", flag: "7" },
    properties: "UNIQ_KEY\x01K9",
  }, { body: utf8("x") });

  assert.equal(answer.code, 0);
  const [request] = world.broker.sends;
  assert.equal(request?.queueId, 2);
  assert.deepEqual(request?.messages[0], {
    body: utf8("x"),
    properties: "UNIQ_KEY\x01K9",
    flag: 7,
    sysFlag: 0,
    bornMs: 1_700_000_000_000,
    bornHost: { ip: "10.0.0.7", port: 50_123 },
    reconsumeTimes: 0,
  });
});

test("6.1 code 310: properties pass through untouched when nothing has to be added", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const properties = "KEYS\x01k1 k2\x02UNIQ_KEY\x01K1\x02WAIT\x01true";

  await world.connect().call(310, v2({ i: properties }));

  assert.equal(world.broker.sends[0]?.messages[0]?.properties, properties);
});

test("6.1 code 310: a missing UNIQ_KEY is made, and told as the transaction id", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(310, v2({ i: "TAGS\x01a" }));

  const key = answer.extFields["transactionId"] ?? "";
  assert.match(key, /^[0-9A-F]{32}$/);
  const record = world.broker.byPosition[0]?.record ?? new Uint8Array();
  assert.equal(recordProperties(record, 0), `TAGS\x01a\x02UNIQ_KEY\x01${key}\x02`);
});

test("6.1 code 310: a POP_CK that came along is taken away", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  await world.connect().call(310, v2({ i: "POP_CK\x01 0 1 2\x02UNIQ_KEY\x01K1\x02" }));

  assert.equal(world.broker.sends[0]?.messages[0]?.properties, "UNIQ_KEY\x01K1\x02");
});

test("6.1 code 310: a queue below 0 leaves the choice to the broker, by key", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const properties = "__SHARDINGKEY\x01order-7\x02UNIQ_KEY\x01K1\x02";
  const answer = await world.connect().call(310, v2({ e: "-1", i: properties }));

  assert.equal(answer.extFields["queueId"], "0");
  assert.equal(world.broker.sends[0]?.queueId, null);
  assert.equal(world.broker.sends[0]?.shardingKey, "order-7");
});

test("6.1 code 310: an unknown topic is made with min(d, 8) queues", async () => {
  const world = new TestWorld();

  const answer = await world.connect().call(310, v2({ b: "New", d: "16" }));

  assert.equal(answer.code, 0);
  assert.equal(world.broker.topic("New")?.settings.queues, 8);
});

test("6.1 code 310: an unknown topic answers 17 when topics are not made on the fly", async () => {
  const world = new TestWorld();
  world.broker.autoCreateTopics = false;

  assert.equal((await world.connect().call(310, v2())).code, 17);
});

test("6.1 code 310: the checks answer with their codes", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  world.broker.addTopic("ReadOnly", { perm: 4 });
  const client = world.connect();
  const codes = async (changes: Record<string, string>, body = utf8("x")) =>
    (await client.call(310, v2(changes), { body })).code;

  assert.equal(await codes({ b: "bad name!" }), 29, "a name with forbidden characters");
  assert.equal(await codes({ b: "SCHEDULE_TOPIC_XXXX" }), 16, "a topic of the broker");
  assert.equal(await codes({ b: "ReadOnly" }), 16, "a topic without write permission");
  assert.equal(await codes({ e: "4" }), 29, "a queue the topic does not have");
  assert.equal(await codes({}, new Uint8Array(4 * 1024 * 1024 + 1)), 13, "a body too large");
  assert.equal(await codes({ i: `A\x01${"x".repeat(32_767)}` }), 13, "properties too large");
  assert.equal(await codes({ e: "seven" }), 29, "a number that is none");
  assert.equal(world.broker.sends.length, 0);
});

test("4.2 code 320: a batch stores each message and answers offset and all ids", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const body = encodeBatch(["A", "B", "C"].map((key) => ({
    flag: 0,
    body: utf8(key),
    properties: `UNIQ_KEY\x01${key}\x02`,
  })));

  const answer = await world.connect().call(320, v2({ m: "true" }), { body });

  assert.equal(answer.extFields["queueOffset"], "0");
  assert.deepEqual(answer.extFields["msgId"]?.split(",").map((id) => id.slice(-4)), [
    "0100",
    "0200",
    "0300",
  ]);
  const keys = world.broker.sends[0]?.messages.map((each) => each.properties);
  assert.deepEqual(keys, ["UNIQ_KEY\x01A\x02", "UNIQ_KEY\x01B\x02", "UNIQ_KEY\x01C\x02"]);
});

test("4.2 code 320: a batch that does not add up is refused as a whole", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(320, v2({ m: "true" }), { body: utf8("no batch") });

  assert.equal(answer.code, 29);
  assert.equal(world.broker.sends.length, 0);
});

test("6.1 code 310: a batch to a retry topic answers 13", async () => {
  const answer = await new TestWorld().connect().call(310, v2({ b: "%RETRY%G", m: "true" }));

  assert.equal(answer.code, 13);
});

test("6.1 code 310: a send to a retry topic is stored there, its group made", async () => {
  const world = new TestWorld();

  const answer = await world.connect().call(310, v2({ b: "%RETRY%G", e: "0", j: "2", l: "16" }));

  assert.equal(answer.code, 0);
  assert.equal(world.broker.sends[0]?.topic, "%RETRY%G");
  assert.equal(world.broker.sends[0]?.messages[0]?.reconsumeTimes, 2);
});

test("6.1 code 310: a send to a retry topic beyond its retries is a dead letter", async () => {
  const world = new TestWorld();
  const properties = "DELAY\x0118\x02UNIQ_KEY\x01K1\x02";

  await world.connect().call(310, v2({ b: "%RETRY%G", e: "0", j: "3", l: "2", i: properties }));

  assert.equal(world.broker.sends[0]?.topic, "%DLQ%G");
  assert.equal(world.broker.sends[0]?.messages[0]?.properties, "UNIQ_KEY\x01K1\x02");
});

test("6.1 code 310: a send to the retry topic of an unknown group answers 26", async () => {
  const world = new TestWorld();
  world.broker.autoCreateGroups = false;

  assert.equal((await world.connect().call(310, v2({ b: "%RETRY%G" }))).code, 26);
});

test("6.1 code 310: records name the advertised address, and so do ids", async () => {
  const world = new TestWorld({ advertise: { host: "192.0.2.9", port: 10_911 } });
  world.broker.addTopic("T");

  const answer = await world.connect().call(310, v2());

  assert.deepEqual(world.broker.sends[0]?.storeHost, { ip: "192.0.2.9", port: 10_911 });
  assert.match(answer.extFields["msgId"] ?? "", /^C000020900002A9F/);
});
