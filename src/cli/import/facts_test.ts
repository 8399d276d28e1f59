import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../base/bytes.ts";
import {
  brokersOf,
  delayOffsetsOf,
  groupPlacesOf,
  groupsOf,
  parseSource,
  placesOf,
  rangesOf,
  topicsOf,
} from "./facts.ts";

test("parseSource() reads name servers, their usual port, and nothing else", () => {
  const ports = parseSource("rocketmq://10.0.0.5;b:9877").map(({ host, port }) => [host, port]);
  assert.deepEqual(ports, [["10.0.0.5", 9876], ["b", 9877]]);
  for (const wrong of ["10.0.0.5:9876", "http://a:1", "rocketmq://", "rocketmq://a:9/b/c"]) {
    assert.throws(() => parseSource(wrong), /is not an address of a RocketMQ cluster/, wrong);
  }
});

test("brokersOf() reads bare and quoted ids, and passes over a broker without a master", () => {
  const body = utf8(
    `{"brokerAddrTable":{"b":{"brokerAddrs":{0:"10.0.0.2:10911"},"brokerName":"b","cluster":"C"},` +
      `"a":{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.9:1"},"cluster":"C"},` +
      `"c":{"brokerAddrs":{"1":"10.0.0.3:10911"},"cluster":"C"}}}`,
  );

  const found = brokersOf(body).map(({ name, cluster, address }) => [name, cluster, address.host]);

  assert.deepEqual(found, [["a", "C", "10.0.0.1"], ["b", "C", "10.0.0.2"]]);
});

test("topicsOf() and groupsOf() read settings, the groups' as they are", () => {
  const [topic] = topicsOf(utf8(
    `{"topicConfigTable":{"t":{"topicName":"t","readQueueNums":4,"writeQueueNums":8,"perm":6,` +
      `"order":true,"attributes":{"+message.type":"FIFO"}}},"dataVersion":{}}`,
  ));
  const config = { groupName: "g", retryMaxTimes: 3, groupRetryPolicy: { type: "CUSTOMIZED" } };
  const [group] = groupsOf(utf8(`{"subscriptionGroupTable":{"g":${JSON.stringify(config)}}}`));

  assert.deepEqual(topic, {
    name: "t",
    readQueues: 4,
    writeQueues: 8,
    perm: 6,
    order: true,
    attributes: { "message.type": "FIFO" },
  });
  assert.deepEqual(JSON.parse(group?.config ?? ""), config);
});

test("rangesOf() and groupPlacesOf() read maps whose keys are queues", () => {
  const key = `{"brokerName":"b","queueId":1,"topic":"t"}`;
  const ranges = rangesOf(utf8(`{"offsetTable":{${key}:{"maxOffset":9,"minOffset":4}}}`));
  const places = groupPlacesOf(utf8(`{"offsetTable":{${key}:{"consumerOffset":5}}}`), "g");

  assert.deepEqual(ranges, [{ queueId: 1, minOffset: 4, maxOffset: 9 }]);
  assert.deepEqual(places, [{ group: "g", topic: "t", queueId: 1, offset: 5 }]);
});

test("placesOf() parts topic and group at the last @, also of an empty broker", () => {
  const body = utf8(`{"offsetTable":{"%RETRY%g@g":{0:1},"t@g":{"3":17,4:-1}}}`);

  assert.deepEqual(placesOf(body), [
    { group: "g", topic: "%RETRY%g", queueId: 0, offset: 1 },
    { group: "g", topic: "t", queueId: 3, offset: 17 },
  ]);
  assert.deepEqual(placesOf(utf8("")), []);
  assert.deepEqual([...delayOffsetsOf(utf8(`{"offsetTable":{1:10,18:2}}`))], [[1, 10], [18, 2]]);
});
