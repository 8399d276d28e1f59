/** Protocol 5 and 10: figures, settings and lists of names, for tools. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { type Received, type TestClient, TestWorld } from "./test_client.ts";

function json(answer: Received) {
  return JSON.parse(textOf(answer.body));
}

async function send(client: TestClient, topic = "T"): Promise<void> {
  const fields = { a: "PG", b: topic, c: "TBW102", d: "4", e: "0", f: "0", g: "1", h: "0" };
  const answer = await client.call(310, { ...fields, i: "TAGS\x01A" }, { body: utf8("body") });
  assert.equal(answer.code, 0);
}

async function beat(client: TestClient): Promise<void> {
  const subscription = { topic: "T", subString: "A", subVersion: 7 };
  const consumerDataSet = [{ groupName: "G", subscriptionDataSet: [subscription] }];
  const ask = { clientID: "c1", producerDataSet: [{ groupName: "PG" }], consumerDataSet };
  assert.equal((await client.call(34, {}, { body: utf8(JSON.stringify(ask)) })).code, 0);
}

function worldWithTopic(): { world: TestWorld; client: TestClient } {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 1 });
  return { world, client: world.connect() };
}

test("10 code 315 counts what was sent within the last minute, hour and day", async () => {
  const { world, client } = worldWithTopic();
  await send(client);
  await send(client);
  const ask = { statsName: "TOPIC_PUT_NUMS", statsKey: "T" };
  world.broker.advance(20_000);

  const { statsMinute, statsHour, statsDay } = json(await client.call(315, ask));

  assert.deepEqual(statsMinute, { avgpt: 1, sum: 2, tps: 0.1 });
  assert.deepEqual([statsHour.sum, statsDay.sum], [2, 2]);
  world.broker.advance(120_000);
  assert.equal(json(await client.call(315, ask)).statsMinute.sum, 0);
});

test("10 code 315 counts what groups were given, and answers 1 of what it never saw", async () => {
  const { client } = worldWithTopic();
  await send(client);
  await client.call(11, {
    ...{ consumerGroup: "G", topic: "T", queueId: "0", queueOffset: "0", maxMsgNums: "32" },
    ...{ sysFlag: "4", commitOffset: "0", suspendTimeoutMillis: "0", subVersion: "0" },
  });

  const got = await client.call(315, { statsName: "GROUP_GET_NUMS", statsKey: "T@G" });

  assert.equal(json(got).statsDay.sum, 1);
  assert.equal((await client.call(315, { statsName: "TOPIC_PUT_NUMS", statsKey: "U" })).code, 1);
  assert.equal((await client.call(315, { statsName: "NOISE", statsKey: "T" })).code, 1);
});

test("10.2 code 28 has rates of what came in, three windows in one text", async () => {
  const { world, client } = worldWithTopic();
  await send(client);
  world.broker.advance(2_000);

  const { putTps, getTransferredTps } = json(await client.call(28)).table;

  assert.deepEqual([putTps, getTransferredTps], ["0.5 0.5 0.5", "0 0 0"]);
});

test("10.2 code 28 has what came in up to now, and before today and yesterday", async () => {
  const { world, client } = worldWithTopic();
  await send(client);
  world.broker.advance(24 * 3_600_000);
  await send(client);
  await send(client);

  const { table } = json(await client.call(28));

  const { msgPutTotalTodayNow, msgPutTotalTodayMorning, msgPutTotalYesterdayMorning } = table;
  const told = [msgPutTotalTodayNow, msgPutTotalTodayMorning, msgPutTotalYesterdayMorning];
  assert.deepEqual(told, ["3", "1", "0"]);
});

test("10 code 317 shows how far every group is behind", async () => {
  const { world, client } = worldWithTopic();
  await send(client);
  world.broker.addGroup("G");
  world.broker.offsets.set("G@T/0", 0);

  const text = textOf((await client.call(317, { isOrder: "false" })).body);

  assert.match(
    text,
    /"consumeStatsList":\[\{"G":\[\{"consumeTps":0,"offsetTable":\{\{"brokerName"/,
  );
  assert.match(text, /"totalDiff":1,"totalInflightDiff":0/);
  const ordered = json(await client.call(317, { isOrder: "true" }));
  assert.deepEqual([ordered.consumeStatsList, ordered.totalDiff], [[], 0]);
});

test("10 code 303 shows from when a topic's messages are, and how late a group is", async () => {
  const { world, client } = worldWithTopic();
  world.broker.addGroup("G");
  const sentMs = world.broker.clock.wallMs();
  await send(client);
  world.broker.advance(5_000);

  const { consumeTimeSpanSet: [span] } = json(await client.call(303, { topic: "T", group: "G" }));

  assert.deepEqual([span.minTimeStamp, span.maxTimeStamp, span.delayTime], [sentMs, sentMs, 5_000]);
  assert.deepEqual(span.messageQueue, { brokerName: "curlew", queueId: 0, topic: "T" });
});

test("10 code 321 shows the entries of a queue", async () => {
  const { client } = worldWithTopic();
  await send(client);

  const ask = { topic: "T", queueId: "0", index: "0", count: "5", consumerGroup: "" };
  const { queueData, maxQueueIndex, minQueueIndex } = json(await client.call(321, ask));

  assert.deepEqual([minQueueIndex, maxQueueIndex, queueData.length], [0, 1, 1]);
  assert.deepEqual([queueData[0].physicOffset, queueData[0].tagsCode], [256, 65]);
});

test("10 codes 25, 26, 318 and 319 show settings, and never change them", async () => {
  const { client } = worldWithTopic();

  const broker = await client.call(26);
  const nameServer = await client.call(319);

  assert.match(textOf(broker.body), /^autoCreateTopicEnable=true$/m);
  assert.match(textOf(broker.body), /^brokerName=curlew$/m);
  assert.ok(broker.extFields["version"]);
  assert.match(textOf(nameServer.body), /^listenPort=9876$/m);
  for (const code of [25, 318]) {
    const body = utf8("rocketmqHome=/tmp\nbrokerName=x\n");
    const refused = await client.call(code, {}, { body });
    assert.equal(refused.code, 16);
    assert.match(refused.remark ?? "", /Cannot change settings/);
  }
});

test("5 codes 205 and 327 take write permission from topics, and give back only that", async () => {
  const { world, client } = worldWithTopic();
  world.broker.addTopic("ReadOnly", { perm: 4 });
  world.broker.addGroup("G");
  const topics = ["T", "ReadOnly", "%RETRY%G"];
  const perms = () => topics.map((name) => world.broker.topic(name)?.settings.perm);

  const wiped = await client.call(205, { brokerName: "curlew" });
  assert.deepEqual([wiped.extFields["wipeTopicCount"], perms()], ["1", [4, 4, 6]]);
  const added = await client.call(327, { brokerName: "curlew" });

  assert.deepEqual([added.extFields["addTopicCount"], perms()], ["1", [6, 4, 6]]);
  assert.deepEqual(world.broker.topic("T")?.settings.attributes, {});
  assert.equal((await client.call(205, { brokerName: "other" })).extFields["wipeTopicCount"], "0");
});

test("10 codes 18 and 225 make topics and groups by the list", async () => {
  const { world, client } = worldWithTopic();
  const topicConfigList = [
    { topicName: "A", readQueueNums: 2, writeQueueNums: 3, perm: 6, order: true },
    { topicName: "B", readQueueNums: 1, writeQueueNums: 1, perm: 4, attributes: { "+x": "y" } },
  ];
  const groupConfigList = [
    { groupName: "G1", retryMaxTimes: 3 },
    { groupName: "G2", consumeMessageOrderly: true },
  ];

  const topics = await client.call(18, {}, { body: utf8(JSON.stringify({ topicConfigList })) });
  const groups = await client.call(225, {}, { body: utf8(JSON.stringify({ groupConfigList })) });

  assert.deepEqual([topics.code, groups.code], [0, 0]);
  const [a, b] = ["A", "B"].map((name) => world.broker.topic(name)?.settings);
  assert.deepEqual([a?.queues, a?.ordered, b?.perm, b?.attributes], [3, true, 4, { x: "y" }]);
  const [g1, g2] = ["G1", "G2"].map((name) => world.broker.group(name)?.settings);
  assert.deepEqual([g1?.attemptsMax, g2?.ordered], [4, true]);
});

test("10 codes 343, 345, 328 and 353 tell who is there and what they want", async () => {
  const { client } = worldWithTopic();
  await beat(client);
  await client.call(15, { consumerGroup: "G", topic: "T", queueId: "0", commitOffset: "0" });

  assert.deepEqual(json(await client.call(343, { group: "G" })).topicList, ["T"]);
  const { subscriptionData } = json(await client.call(345, { group: "G", topic: "T" }));
  assert.deepEqual([subscriptionData.subString, subscriptionData.codeSet], ["A", [65]]);
  const { data } = json(await client.call(328));
  assert.deepEqual([data.PG[0].clientId, data.PG[0].remoteIP], ["c1", "10.0.0.7:50123"]);
  const forbidden = { group: "G", topic: "T" };
  assert.equal(json(await client.call(353, forbidden)).readable, true);
  assert.equal((await client.call(353, { ...forbidden, readable: "false" })).code, 3);
});

test("5 codes 304, 305, 311 to 313 and 901 list what belongs to the broker", async () => {
  const { world, client } = worldWithTopic();
  world.broker.addGroup("G");
  world.broker.topicMap.set("SELF_TEST_TOPIC", {
    ...world.broker.addTopic("SELF_TEST_TOPIC"),
    system: true,
  });

  for (const code of [304, 305]) {
    const { topicList, brokerAddr } = json(await client.call(code));
    // Topics of groups are told from users' by their prefix: listed here, the dashboard shows each
    // a second time, under a name that leads nowhere.
    assert.deepEqual(topicList, ["DefaultCluster", "curlew", "SELF_TEST_TOPIC"]);
    assert.equal(brokerAddr, "127.0.0.1:9876");
  }
  for (const code of [311, 312, 313]) assert.deepEqual(json(await client.call(code)).topicList, []);
  const { brokerMemberGroup } = json(
    await client.call(901, { clusterName: "DefaultCluster", brokerName: "curlew" }),
  );
  assert.deepEqual(brokerMemberGroup.brokerAddrs, { 0: "127.0.0.1:9876" });
});

test("10 codes 306, 316 and 329 have nothing left to clean up", async () => {
  const { client } = worldWithTopic();
  for (const code of [306, 316, 329]) assert.equal((await client.call(code)).code, 0);
});

test("10 code 45 shows no places of levels: delayed messages are kept by their time", async () => {
  const { client } = worldWithTopic();
  assert.deepEqual(json(await client.call(45)), { offsetTable: {} });
});

test("12 codes 3003 to 3005 and 3008 to 3010 find nobody, and nobody is made", async () => {
  const { client } = worldWithTopic();
  for (const code of [3005, 3010]) assert.deepEqual(json(await client.call(code)), []);
  for (const code of [3003, 3004, 3008, 3009]) {
    const { code: answered, body } = await client.call(code, { username: "ann" });
    assert.deepEqual([answered, body.length], [0, 0]);
  }
  for (const code of [3001, 3002, 3006, 3007]) {
    const refused = await client.call(code);
    assert.equal(refused.code, 3);
    assert.match(refused.remark ?? "", /no users of RocketMQ's kind/);
  }
});
