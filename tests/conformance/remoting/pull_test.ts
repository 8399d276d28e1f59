/** Protocol 7.3: PULL_MESSAGE and LITE_PULL_MESSAGE. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../../src/base/bytes.ts";
import { recordQueueOffset, splitRecords } from "../../../src/model/record.ts";
import { type Received, settled, TestWorld } from "./test_client.ts";

/** The fields of a pull that carries its subscription and does not wait. */
function pull(changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...{ consumerGroup: "G", topic: "T", queueId: "0", queueOffset: "0", maxMsgNums: "32" },
    ...{ sysFlag: "4", commitOffset: "0", suspendTimeoutMillis: "15000", subscription: "*" },
    ...{ subVersion: "0", expressionType: "TAG" },
    ...changes,
  };
}

/** A world whose topic T has one queue with a message per tag. */
async function worldWith(...tags: string[]): Promise<TestWorld> {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 1 });
  for (const tag of tags) await send(world, tag);
  return world;
}

async function send(world: TestWorld, tag: string): Promise<void> {
  await world.broker.send({
    topic: "T",
    queueId: 0,
    storeHost: { ip: "127.0.0.1", port: 9876 },
    messages: [{
      ...{ body: utf8(tag), properties: `TAGS\x01${tag}\x02`, flag: 0, sysFlag: 0, bornMs: 1 },
      ...{ bornHost: { ip: "127.0.0.1", port: 5000 }, reconsumeTimes: 0 },
    }],
  });
}

/** Code and the four numbers, as "code next min max". */
function result(answer: Received): string {
  const { nextBeginOffset, minOffset, maxOffset, suggestWhichBrokerId } = answer.extFields;
  assert.equal(suggestWhichBrokerId, "0");
  return `${answer.code} ${nextBeginOffset} ${minOffset} ${maxOffset}`;
}

test("7.3 code 11: what is found answers 0 with the records and the next offset", async () => {
  const world = await worldWith("a", "b", "c");

  const answer = await world.connect().call(11, pull({ maxMsgNums: "2" }));

  assert.equal(result(answer), "0 2 0 3");
  const offsets = splitRecords(answer.body).map((record) => recordQueueOffset(record, 0));
  assert.deepEqual(offsets, [0, 1]);
});

test("7.3 code 11: at least one record comes, whatever its size", async () => {
  const world = await worldWith("a", "b");

  const answer = await world.connect().call(361, pull({ maxMsgBytes: "1" }));

  assert.equal(splitRecords(answer.body).length, 1);
});

test("7.3 code 11: a tag filter that matches nothing answers 20, the next offset", async () => {
  const world = await worldWith("a", "b");

  const answer = await world.connect().call(11, pull({ subscription: "x || y" }));

  assert.equal(result(answer), "20 2 0 2");
});

test("7.3 code 11: an offset at max answers 19 with the offset", async () => {
  const world = await worldWith("a");

  assert.equal(result(await world.connect().call(11, pull({ queueOffset: "1" }))), "19 1 0 1");
});

test("7.3 code 11: an empty queue at offset 0 answers 19 with 0", async () => {
  const world = await worldWith();

  assert.equal(result(await world.connect().call(11, pull())), "19 0 0 0");
});

test("7.3 code 11: an empty queue at another offset answers 21 with 0", async () => {
  const world = await worldWith();

  assert.equal(result(await world.connect().call(11, pull({ queueOffset: "5" }))), "21 0 0 0");
});

test("7.3 code 11: an offset above max answers 21 with max", async () => {
  const world = await worldWith("a", "b");

  assert.equal(result(await world.connect().call(11, pull({ queueOffset: "9" }))), "21 2 0 2");
});

test("7.3 code 11: an offset below min answers 21 with min", async () => {
  const world = await worldWith("a", "b", "c");
  world.broker.trim("T", 0, 2);

  assert.equal(result(await world.connect().call(11, pull({ queueOffset: "1" }))), "21 2 2 3");
});

test("7.3 code 11: a suspended pull is answered by the next message", async () => {
  const world = await worldWith();
  const client = world.connect();
  const opaque = client.post(11, pull({ sysFlag: "6" }));
  await settled();
  assert.equal(client.answerTo(opaque), undefined);

  await send(world, "a");
  await settled();

  const answer = client.answerTo(opaque);
  assert.ok(answer);
  assert.equal(result(answer), "0 1 0 1");
});

test("7.3 code 11: a suspended pull answers 19 when its time is over, and not before", async () => {
  const world = await worldWith();
  const client = world.connect();
  const opaque = client.post(11, pull({ sysFlag: "6", suspendTimeoutMillis: "20000" }));
  await settled();

  world.broker.advance(19_999);
  await settled();
  assert.equal(client.answerTo(opaque), undefined);
  world.broker.advance(1);
  await settled();

  assert.equal(client.answerTo(opaque)?.code, 19);
});

test("7.3 code 11: a suspended pull does not hold up the requests after it", async () => {
  const world = await worldWith();
  const client = world.connect();
  const parked = client.post(11, pull({ sysFlag: "6" }));

  const answer = await client.call(30, { topic: "T", queueId: "0" });

  assert.equal(answer.code, 0);
  assert.equal(client.answerTo(parked), undefined);
});

test("7.3 code 11: a closed connection drops its suspended pulls", async () => {
  const world = await worldWith();
  const client = world.connect();
  client.post(11, pull({ sysFlag: "6" }));
  await settled();
  assert.equal(world.broker.waiters.size, 1);

  client.connection.destroy();

  assert.equal(world.broker.waiters.size, 0);
  assert.deepEqual(world.broker.gone, [1]);
});

test("7.3 code 11: no such topic, queue, group or permission is 17, 1, 26 or 16", async () => {
  const world = await worldWith();
  world.broker.addTopic("WriteOnly", { perm: 2 });
  world.broker.addGroup("Stopped", { consumeEnabled: false });
  world.broker.addGroup("G");
  world.broker.autoCreateGroups = false;
  const client = world.connect();
  const code = async (changes: Record<string, string>) =>
    (await client.call(11, pull(changes))).code;

  assert.equal(await code({ topic: "None" }), 17);
  assert.equal(await code({ queueId: "1" }), 1);
  assert.equal(await code({ queueId: "-1" }), 1);
  assert.equal(await code({ consumerGroup: "None" }), 26);
  assert.equal(await code({ consumerGroup: "Stopped" }), 16);
  assert.equal(await code({ topic: "WriteOnly" }), 16);
});

test("7.3 code 11: an expression that cannot be parsed answers 23", async () => {
  const world = await worldWith();

  assert.equal((await world.connect().call(11, pull({ subscription: "a && b" }))).code, 23);
});

test("7.3 code 11: SQL selects by properties, in a pull and in a heartbeat", async () => {
  const world = await worldWith("a", "b", "c");
  const client = world.connect();
  const sql = { expressionType: "SQL92", subscription: "TAGS in ('a', 'c')" };
  const consumerDataSet = [{
    groupName: "G",
    subscriptionDataSet: [{
      ...{ topic: "T", expressionType: "SQL92", subString: "not TAGS = 'a'", subVersion: "1" },
    }],
  }];

  const carried = await client.call(11, pull(sql));
  await client.call(34, {}, { body: utf8(JSON.stringify({ clientID: "c1", consumerDataSet })) });
  const told = await client.call(11, pull({ sysFlag: "0", subVersion: "1" }));

  const offsets = [carried, told].map(({ body }) =>
    splitRecords(body).map((record) => recordQueueOffset(record, 0))
  );
  assert.deepEqual(offsets, [[0, 2], [1, 2]]);
});

test("7.3 code 11: SQL that cannot be parsed, or of no known type, answers 23", async () => {
  const world = await worldWith("a");
  const code = async (expressionType: string, subscription: string) =>
    (await world.connect().call(11, pull({ expressionType, subscription }))).code;

  assert.equal(await code("SQL92", "TAGS = 'a' TAGS"), 23);
  assert.equal(await code("SQL92", "*"), 23);
  assert.equal(await code("LUA", "return true"), 23);
});

test("7.3 code 11: without a subscription and without a heartbeat the answer is 24", async () => {
  const world = await worldWith();

  assert.equal((await world.connect().call(11, pull({ sysFlag: "0" }))).code, 24);
});

test("7.3 code 11: one newer than the heartbeat's answers 25, an equal one is used", async () => {
  const world = await worldWith("a", "b");
  const client = world.connect();
  const subscriptionDataSet = [{ topic: "T", subString: "b", subVersion: "1700000000000" }];
  const consumerDataSet = [{ groupName: "G", subscriptionDataSet }];
  const body = utf8(JSON.stringify({ clientID: "c1", consumerDataSet }));
  await client.call(34, {}, { body });

  const newer = await client.call(11, pull({ sysFlag: "0", subVersion: "1700000000001" }));
  const equal = await client.call(11, pull({ sysFlag: "0", subVersion: "1700000000000" }));

  assert.equal(newer.code, 25);
  assert.equal(result(equal), "0 2 0 2");
  assert.equal(splitRecords(equal.body).length, 1);
});

test("7.3 code 11: a commit offset that comes along is stored with bit 0 only", async () => {
  const world = await worldWith("a", "b");
  const client = world.connect();

  await client.call(11, pull({ sysFlag: "4", commitOffset: "2" }));
  assert.equal(world.broker.offsets.get("G@T/0"), undefined);
  await client.call(11, pull({ sysFlag: "5", commitOffset: "2" }));

  assert.equal(world.broker.offsets.get("G@T/0"), 2);
});

test("7.3 code 11: a client that does not read gets 20 instead of records", async () => {
  const world = await worldWith("a", "b");
  const client = world.connect();
  client.connection.bufferedBytes = 5 * 1024 * 1024;

  const answer = await client.call(11, pull({ queueOffset: "1" }));

  assert.equal(result(answer), "20 1 0 2");
  assert.equal(answer.body.length, 0);
});

test("7.3 code 361: LITE_PULL_MESSAGE is a pull, which waits too", async () => {
  const world = await worldWith("a");
  const client = world.connect();
  const found = await client.call(361, pull());
  assert.deepEqual([result(found), splitRecords(found.body).length], ["0 1 0 1", 1]);

  const waiting = client.post(361, pull({ queueOffset: "1", sysFlag: "6" }));
  await settled();
  assert.equal(client.answerTo(waiting), undefined);
  await send(world, "b");
  await settled();

  assert.equal(client.answerTo(waiting)?.code, 0);
});
