import assert from "node:assert/strict";
import { test } from "node:test";
import { JavaObject, parseJavaJson } from "./java_json.ts";
import { clusterInfoText, readsStandardJson, topicRouteText } from "./route_data.ts";

const addresses = new Map([[1, "10.0.0.2:10911"], [0, "10.0.0.1:10911"]]);
const broker = { cluster: "DefaultCluster", brokerName: "broker-a", addresses };
const queue = { brokerName: "broker-a", readQueues: 8, writeQueues: 4, perm: 6, topicSysFlag: 0 };
const route = { orderTopicConf: undefined, queues: [queue], brokers: [broker] };

test("topicRouteText() quotes integer keys in the standard form, not in the old one (5)", () => {
  assert.equal(
    topicRouteText(route, true),
    '{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},' +
      '"brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}],' +
      '"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,' +
      '"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":4}]}',
  );
  assert.ok(topicRouteText(route, false).includes('{0:"10.0.0.1:10911",1:"10.0.0.2:10911"}'));
});

test("topicRouteText() can be split as by the Go client: at commas and the first colon (5)", () => {
  for (const standardJson of [true, false]) {
    const found = /"brokerAddrs":\{([^}]*)\}/.exec(topicRouteText(route, standardJson))?.[1] ?? "";
    const pairs = found.split(",").map((pair) => {
      const colon = pair.indexOf(":");
      return [pair.slice(0, colon), pair.slice(colon + 1)].map((part) => part.replaceAll('"', ""));
    });
    assert.deepEqual(pairs, [["0", "10.0.0.1:10911"], ["1", "10.0.0.2:10911"]]);
  }
});

test("topicRouteText() carries the order of an ordered topic, in ASCII if standard (5)", () => {
  const ordered = { ...route, orderTopicConf: "brokér:4" };

  assert.equal(JSON.parse(topicRouteText(ordered, true)).orderTopicConf, "brokér:4");
  assert.ok(topicRouteText(ordered, true).includes("brok\\u00e9r:4"));
  assert.ok(topicRouteText(ordered, false).includes("brokér:4"));
});

test("clusterInfoText() groups brokers by cluster, in both forms (5)", () => {
  const info = { brokers: [broker, { ...broker, brokerName: "broker-b" }] };
  const old = parseJavaJson(clusterInfoText(info, false));

  assert.deepEqual(JSON.parse(clusterInfoText(info, true)).clusterAddrTable, {
    DefaultCluster: ["broker-a", "broker-b"],
  });
  assert.ok(old instanceof JavaObject);
  assert.deepEqual(Object.keys(JSON.parse(clusterInfoText(info, true)).brokerAddrTable), [
    "broker-a",
    "broker-b",
  ]);
});

test("readsStandardJson() begins at 4.9.4, or when asked (2.5)", () => {
  const answers = [readsStandardJson(400, undefined), readsStandardJson(401, undefined)];

  assert.deepEqual([...answers, readsStandardJson(0, true)], [false, true, true]);
});
