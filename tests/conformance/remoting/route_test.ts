/** Protocol 5: what clients ask a name server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../../src/base/bytes.ts";
import { TestWorld } from "./test_client.ts";

const queueData =
  '{"brokerName":"curlew","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}';

test("5 code 105: a route leads to the address that was dialled, as sorted JSON", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");

  const answer = await world.connect().call(105, { topic: "T" });

  assert.equal(
    textOf(answer.body),
    '{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:9876"},"brokerName":"curlew",' +
      '"cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},' +
      `"queueDatas":[${queueData}]}`,
  );
});

test("5 code 105: below version 401 integer keys are bare, unless asked otherwise", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();
  const addresses = async (version: number, more: Record<string, string> = {}) =>
    textOf((await client.call(105, { topic: "T", ...more }, { version })).body)
      .match(/"brokerAddrs":(\{.*?\})/)?.[1];

  assert.equal(await addresses(399), '{0:"127.0.0.1:9876"}');
  assert.equal(await addresses(401), '{"0":"127.0.0.1:9876"}');
  assert.equal(await addresses(317, { acceptStandardJsonOnly: "true" }), '{"0":"127.0.0.1:9876"}');
});

test("5 code 105: an advertised address wins over the dialled one", async () => {
  const world = new TestWorld({ advertise: { host: "mq.example.org", port: 10_911 } });
  world.broker.addTopic("T");

  const answer = await world.connect().call(105, { topic: "T" });

  assert.match(textOf(answer.body), /"0":"mq\.example\.org:10911"/);
});

test("5 code 105: an unknown topic answers 17 with a remark", async () => {
  const answer = await new TestWorld().connect().call(105, { topic: "None" });

  assert.equal(answer.code, 17);
  assert.match(answer.remark ?? "", /None/);
});

test("5 code 105: TBW102 has a route only if topics are made on the fly", async () => {
  const answer = await new TestWorld().connect().call(105, { topic: "TBW102" });
  const closed = new TestWorld({ autoCreateTopics: false }).connect();

  assert.match(
    textOf(answer.body),
    /"perm":7,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8/,
  );
  assert.equal((await closed.call(105, { topic: "TBW102" })).code, 17);
});

test("5 code 105: a retry topic has a route once its group is known", async () => {
  const world = new TestWorld();
  const client = world.connect();
  assert.equal((await client.call(105, { topic: "%RETRY%G" })).code, 17);

  world.broker.addGroup("G");

  assert.equal((await client.call(105, { topic: "%RETRY%G" })).code, 0);
});

test("5 code 105: an ordered topic's order comes from the key-value table", async () => {
  const world = new TestWorld();
  world.broker.addTopic("Ordered", { ordered: true });
  world.broker.addTopic("Plain");
  const client = world.connect();
  for (const key of ["Ordered", "Plain"]) {
    await client.call(100, { namespace: "ORDER_TOPIC_CONFIG", key, value: "curlew:4" });
  }
  const route = async (topic: string) => textOf((await client.call(105, { topic })).body);

  assert.match(await route("Ordered"), /"orderTopicConf":"curlew:4"/);
  assert.doesNotMatch(await route("Plain"), /orderTopicConf/);
});

test("5 codes 100 to 102 and 219: the key-value table keeps, lists and forgets", async () => {
  const client = new TestWorld().connect();
  const entry = { namespace: "N", key: "k" };
  assert.equal((await client.call(101, entry)).code, 22);
  assert.equal((await client.call(219, entry)).code, 22);

  await client.call(100, { ...entry, value: "v" });
  assert.equal((await client.call(101, entry)).extFields["value"], "v");
  assert.equal(textOf((await client.call(219, entry)).body), '{"table":{"k":"v"}}');
  await client.call(102, entry);

  assert.equal((await client.call(101, entry)).code, 22);
});

test("5 code 106: the cluster is one broker", async () => {
  const answer = await new TestWorld().connect().call(106);

  assert.equal(
    textOf(answer.body),
    '{"brokerAddrTable":{"curlew":{"brokerAddrs":{"0":"127.0.0.1:9876"},"brokerName":"curlew",' +
      '"cluster":"DefaultCluster","enableActingMaster":false}},' +
      '"clusterAddrTable":{"DefaultCluster":["curlew"]}}',
  );
});

test("5 codes 206 and 224: topic lists are sorted; a foreign cluster has no topics", async () => {
  const world = new TestWorld();
  world.broker.addTopic("b");
  world.broker.addTopic("a");
  const client = world.connect();

  assert.equal(textOf((await client.call(206)).body), '{"brokerAddr":null,"topicList":["a","b"]}');
  assert.match(textOf((await client.call(224, { cluster: "DefaultCluster" })).body), /"a","b"/);
  assert.match(textOf((await client.call(224, { cluster: "other" })).body), /"topicList":\[\]/);
});
