/** Protocol 10: what mqadmin and the dashboard ask. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { recordBody, splitRecords } from "../../../src/model/record.ts";
import { shardStats } from "../../support/shard_stats.ts";
import { type Received, type TestClient, TestWorld } from "./test_client.ts";

function json(answer: Received) {
  return JSON.parse(textOf(answer.body));
}

function topicFields(changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...{ topic: "T", defaultTopic: "TBW102", readQueueNums: "2", writeQueueNums: "2", perm: "6" },
    ...{ topicFilterType: "SINGLE_TAG", topicSysFlag: "0", order: "false" },
    ...changes,
  };
}

async function send(client: TestClient, queueId: string, properties: string): Promise<void> {
  await client.call(310, {
    ...{ a: "PG", b: "T", c: "TBW102", d: "4", e: queueId, f: "0", g: "1", h: "0" },
    i: properties,
  }, { body: utf8(properties.slice(-2, -1)) });
}

const subscription = { topic: "T", subString: "A || B", subVersion: 17, expressionType: "TAG" };
const heartbeat = utf8(JSON.stringify({
  clientID: "c1",
  producerDataSet: [{ groupName: "PG" }],
  consumerDataSet: [{ groupName: "G", subscriptionDataSet: [subscription] }],
}));

test("10 code 17 makes a topic, and changes the one there is", async () => {
  const world = new TestWorld();
  const client = world.connect();
  const attributes = "+message.type=FIFO";
  assert.equal((await client.call(17, topicFields({ attributes }))).code, 0);
  assert.deepEqual(world.broker.topic("T")?.settings.attributes, { "message.type": "FIFO" });

  const changed = { writeQueueNums: "8", perm: "4", order: "true", attributes: "-message.type" };
  assert.equal((await client.call(17, topicFields(changed))).code, 0);

  const { queues, perm, ordered, attributes: kept } = world.broker.topic("T")?.settings ?? {};
  assert.deepEqual([queues, perm, ordered, kept], [8, 4, true, {}]);
});

test("10 code 17 refuses names of the protocol with 1", async () => {
  const answer = await new TestWorld().connect().call(17, topicFields({ topic: "TBW102" }));

  assert.equal(answer.code, 1);
});

test("10 code 351 shows a topic, 17 if there is none", async () => {
  const client = new TestWorld().connect();
  await client.call(17, topicFields({ attributes: "+message.type=FIFO" }));

  assert.deepEqual(json(await client.call(351, { topic: "T" })), {
    attributes: { "message.type": "FIFO" },
    order: false,
    perm: 6,
    readQueueNums: 2,
    topicFilterType: "SINGLE_TAG",
    topicName: "T",
    topicSysFlag: 0,
    writeQueueNums: 2,
  });
  assert.equal((await client.call(351, { topic: "None" })).code, 17);
});

test("10 code 21 shows all topics, or a page of them in the order of names", async () => {
  const world = new TestWorld();
  for (const name of ["c", "a", "b"]) world.broker.addTopic(name);
  const client = world.connect();

  const all = await client.call(21, {});
  const page = await client.call(21, { topicSeq: "1", maxTopicNum: "1" });

  assert.equal(all.extFields["totalTopicNum"], "3");
  assert.deepEqual(Object.keys(json(all).topicConfigTable), ["a", "b", "c"]);
  assert.ok(json(all).dataVersion.counter > 0);
  assert.deepEqual(Object.keys(json(page).topicConfigTable), ["b"]);
});

test("10 codes 215 and 216 delete a topic, also one that is gone", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();

  assert.equal((await client.call(215, { topic: "T" })).code, 0);
  assert.equal((await client.call(216, { topic: "T", clusterName: "DefaultCluster" })).code, 0);
  assert.equal((await client.call(215, { topic: "T" })).code, 0);
  assert.equal(world.broker.topic("T"), undefined);
});

test("10 code 215 keeps the topics of groups and of the protocol", async () => {
  const world = new TestWorld();
  world.broker.addGroup("G");

  assert.equal((await world.connect().call(215, { topic: "%RETRY%G" })).code, 1);
  assert.ok(world.broker.topic("%RETRY%G"));
});

test("10 code 202 shows where each queue begins and ends, keyed by queue objects", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 2 });
  const client = world.connect();
  await send(client, "1", "UNIQ_KEY\x01K1\x02");
  const storedMs = world.broker.clock.wallMs();

  assert.equal(
    textOf((await client.call(202, { topic: "T" })).body),
    '{"offsetTable":{{"brokerName":"curlew","queueId":0,"topic":"T"}:' +
      '{"lastUpdateTimestamp":0,"maxOffset":0,"minOffset":0},' +
      '{"brokerName":"curlew","queueId":1,"topic":"T"}:' +
      `{"lastUpdateTimestamp":${storedMs},"maxOffset":1,"minOffset":0}},"topicPutTps":1}`,
  );
  assert.equal((await client.call(202, { topic: "None" })).code, 17);
});

test("10 code 300 names groups that subscribe to a topic, or have an offset in it", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  world.broker.addGroup("Idle");
  const client = world.connect();
  await client.call(34, {}, { body: heartbeat });
  const place = { consumerGroup: "Away", topic: "T", queueId: "0", commitOffset: "0" };
  await client.call(15, place);

  assert.deepEqual(json(await client.call(300, { topic: "T" })).groupList.sort(), ["Away", "G"]);
  assert.deepEqual(json(await client.call(300, { topic: "None" })), { groupList: [] });
});

test("10 code 200 makes a group and changes only what it names", async () => {
  const world = new TestWorld();
  const client = world.connect();
  const put = (body: unknown) => client.call(200, {}, { body: utf8(JSON.stringify(body)) });
  assert.equal((await put({ groupName: "G", retryMaxTimes: 3, consumeEnable: true })).code, 0);
  assert.equal(world.broker.group("G")?.settings.attemptsMax, 4);

  const next = [1000, 2000, 3000, 4000];
  const groupRetryPolicy = { type: "CUSTOMIZED", customizedRetryPolicy: { next } };
  await put({ groupName: "G", consumeEnable: false, groupRetryPolicy });

  const { attemptsMax, consumeEnabled, retryDelaysMs } = world.broker.group("G")?.settings ?? {};
  assert.deepEqual([attemptsMax, consumeEnabled, retryDelaysMs], [4, false, [3000, 4000]]);
  const told = json(await client.call(352, { group: "G" }));
  assert.deepEqual(told.groupRetryPolicy.customizedRetryPolicy.next, [1000, 5000, 3000, 4000]);
  await put({ groupName: "G", groupRetryPolicy: told.groupRetryPolicy });
  assert.deepEqual(world.broker.group("G")?.settings.retryDelaysMs, [3000, 4000]);
});

test("10 code 200 takes an exponential policy, and 352 tells it in the same form", async () => {
  const world = new TestWorld();
  const client = world.connect();
  const put = (groupRetryPolicy: object) =>
    client.call(200, {}, { body: utf8(JSON.stringify({ groupName: "G", groupRetryPolicy })) });
  const backoff = () => world.broker.group("G")?.settings.retryBackoff;

  const exponentialRetryPolicy = { initial: 2000, max: 60_000, multiplier: 3 };
  await put({ type: "EXPONENTIAL", exponentialRetryPolicy });
  assert.deepEqual(backoff(), { firstMs: 2000, maxMs: 60_000, factor: 3, jitter: 0 });
  const told = json(await client.call(352, { group: "G" }));
  assert.deepEqual(told.groupRetryPolicy, { type: "EXPONENTIAL", exponentialRetryPolicy });

  // What a tool sends that says nothing of retries.
  await put({ type: "CUSTOMIZED" });
  assert.equal(backoff()?.factor, 3);
  await put({ type: "CUSTOMIZED", customizedRetryPolicy: { next: [1, 2, 3000] } });
  assert.deepEqual([backoff(), world.broker.group("G")?.settings.retryDelaysMs], [null, [3000]]);
});

test("10 codes 352, 201 and 207 show a group, show all, and delete one", async () => {
  const world = new TestWorld();
  world.broker.addGroup("G");
  const client = world.connect();

  const { groupName, retryMaxTimes, consumeEnable } = json(await client.call(352, { group: "G" }));
  assert.deepEqual([groupName, retryMaxTimes, consumeEnable], ["G", 16, true]);
  const all = await client.call(201, {});
  assert.deepEqual(Object.keys(json(all).subscriptionGroupTable), ["G"]);
  assert.equal(all.extFields["totalGroupNum"], "1");
  assert.equal((await client.call(207, { groupName: "G", cleanOffset: "true" })).code, 0);
  assert.equal((await client.call(352, { group: "G" })).code, 26);
});

test("10 code 203 shows a group's members and subscriptions, 206 when there are none", async () => {
  const client = new TestWorld().connect();
  assert.equal((await client.call(203, { consumerGroup: "G" })).code, 206);
  await client.call(34, {}, { body: heartbeat });

  const { connectionSet, subscriptionTable, messageModel } = json(
    await client.call(203, { consumerGroup: "G" }),
  );

  assert.deepEqual(connectionSet, [
    { clientAddr: "10.0.0.7:50123", clientId: "c1", language: "JAVA", version: 479 },
  ]);
  assert.equal(messageModel, "CLUSTERING");
  assert.deepEqual(subscriptionTable, {
    T: { ...subscription, classFilterMode: false, tagsSet: ["A", "B"], codeSet: [65, 66] },
  });
});

test("10 code 204 shows a producer group's connections, 1 when nobody is there", async () => {
  const client = new TestWorld().connect();
  assert.equal((await client.call(204, { producerGroup: "PG" })).code, 1);
  await client.call(34, {}, { body: heartbeat });

  const { connectionSet } = json(await client.call(204, { producerGroup: "PG" }));

  assert.equal(connectionSet[0].clientId, "c1");
});

test("10 code 208 shows how far a group is, and when its last finished message came", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 1 });
  const client = world.connect();
  const firstMs = world.broker.clock.wallMs();
  await send(client, "0", "UNIQ_KEY\x01K1\x02");
  world.broker.advance(500);
  await send(client, "0", "UNIQ_KEY\x01K2\x02");
  await client.call(15, { consumerGroup: "G", topic: "T", queueId: "0", commitOffset: "1" });
  const row = '{"consumeTps":0,"offsetTable":{{"brokerName":"curlew","queueId":0,"topic":"T"}:' +
    `{"brokerOffset":2,"consumerOffset":1,"lastTimestamp":${firstMs},"pullOffset":1}}}`;

  assert.equal(textOf((await client.call(208, { consumerGroup: "G" })).body), row);
  assert.equal(textOf((await client.call(208, { consumerGroup: "G", topic: "T" })).body), row);
  assert.equal(textOf((await client.call(208, { consumerGroup: "G", topicList: "T;" })).body), row);
  const nobody = await client.call(208, { consumerGroup: "None", topic: "%RETRY%None" });
  assert.equal(textOf(nobody.body), '{"consumeTps":0,"offsetTable":{}}');
});

test("10 code 12 finds messages by key and by unique key within a time, else 22", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client, "0", "KEYS\x01order-1 x\x02UNIQ_KEY\x01K1\x02");
  await send(client, "1", "KEYS\x01order-1\x02UNIQ_KEY\x01K2\x02");
  const ask = {
    topic: "T",
    maxNum: "32",
    beginTimestamp: "0",
    endTimestamp: "9223372036854775807",
  };

  const byKey = await client.call(12, { ...ask, key: "order-1", _UNIQUE_KEY_QUERY: "false" });
  const byId = await client.call(12, { ...ask, key: "K2", _UNIQUE_KEY_QUERY: "true" });

  assert.equal(splitRecords(byKey.body).length, 2);
  assert.deepEqual(byKey.extFields, {
    indexLastUpdateTimestamp: String(world.broker.clock.wallMs()),
    indexLastUpdatePhyoffset: "512",
  });
  assert.equal(textOf(recordBody(byId.body, 0)), "2");
  assert.equal((await client.call(12, { ...ask, key: "none" })).code, 22);
  assert.equal((await client.call(12, { ...ask, key: "K2", endTimestamp: "5" })).code, 22);
});

test("10 code 33 shows the message at a physical offset, 1 if there is none", async () => {
  const client = new TestWorld().connect();
  await send(client, "0", "UNIQ_KEY\x01K1\x02");

  assert.equal(textOf(recordBody((await client.call(33, { offset: "256" })).body, 0)), "1");
  assert.equal((await client.call(33, { offset: "512" })).code, 1);
  assert.equal((await client.call(33, { offset: "-5" })).code, 1);
});

test("10.2 code 28 has the figures tools take apart", async () => {
  const world = new TestWorld();
  world.broker.advance(3_661_000);

  const { table } = json(await world.connect().call(28));

  assert.equal(table.runtime, "[ 0 days, 1 hours, 1 minutes, 1 seconds ]");
  for (const name of ["putTps", "getTransferredTps", "getTotalTps"]) {
    assert.equal(table[name].split(" ").length, 3, name);
  }
  assert.ok(Object.values(table).every((value) => typeof value === "string"));
  assert.equal(
    table.earliestMessageTimeStamp,
    String(world.broker.clock.wallMs()),
    "no message, no age",
  );
});

test("10.2 code 28 tells how old the oldest message is and how full the disk", async () => {
  const world = new TestWorld();
  world.broker.shardsStats = [
    shardStats({ firstStoredMs: 9_000, disk: { freeBytes: 750, totalBytes: 1_000 } }),
    shardStats({ firstStoredMs: 4_000, disk: { freeBytes: 600, totalBytes: 1_000 } }),
    shardStats({}),
  ];

  const { table } = json(await world.connect().call(28));

  const { earliestMessageTimeStamp, commitLogDiskRatio, consumeQueueDiskRatio } = table;
  assert.equal(earliestMessageTimeStamp, "4000");
  assert.deepEqual([commitLogDiskRatio, consumeQueueDiskRatio], ["0.4000", "0.4000"]);
});
