/** Protocol 7.2, 7.4, 7.5, 7.6 and 9: groups, offsets, send-back, locks, heartbeats. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { settled, type TestClient, TestWorld } from "./test_client.ts";

function body(value: unknown): { body: Uint8Array } {
  return { body: utf8(JSON.stringify(value)) };
}

function heartbeat(changes: Record<string, unknown> = {}) {
  return body({
    clientID: "10.0.0.7@1#2",
    producerDataSet: [{ groupName: "PG" }],
    consumerDataSet: [{
      ...{ groupName: "G", consumeType: "CONSUME_PASSIVELY", messageModel: "CLUSTERING" },
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: [{
        ...{ classFilterMode: false, topic: "T", subString: "A || B", tagsSet: ["A", "B"] },
        ...{ codeSet: [65, 66], subVersion: 1_700_000_000_000, expressionType: "TAG" },
      }],
      unitMode: false,
    }],
    ...changes,
  });
}

async function send(client: TestClient, queueId = "0"): Promise<void> {
  await client.call(310, {
    ...{ a: "PG", b: "T", c: "TBW102", d: "4", e: queueId, f: "0", g: "1", h: "0" },
    i: "UNIQ_KEY\x01K\x02",
  });
}

const queue = { consumerGroup: "G", topic: "T", queueId: "0" };

test("9 code 34: a heartbeat registers who is there, and welcomes light ones", async () => {
  const world = new TestWorld();

  const answer = await world.connect().call(34, {}, heartbeat());

  assert.equal(answer.code, 0);
  assert.deepEqual(answer.extFields, {
    IS_SUPPORT_HEART_BEAT_V2: "true",
    IS_SUB_CHANGE: "false",
  });
  assert.deepEqual(world.broker.heartbeats, [{
    clientId: "10.0.0.7@1#2",
    connection: 1,
    address: "10.0.0.7:50123",
    language: "JAVA",
    version: 479,
    producerGroups: ["PG"],
    consumers: [{
      group: "G",
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptions: [{
        topic: "T",
        expression: { language: "TAG", text: "A || B" },
        version: 1_700_000_000_000,
      }],
    }],
  }]);
  assert.ok(world.broker.group("G"));
});

test("9 code 34: a heartbeat may leave fields out and write numbers as text", async () => {
  const world = new TestWorld();
  const subscriptionDataSet = [{ topic: "T", subVersion: "17" }];
  const consumerDataSet = [{ groupName: "G", subscriptionDataSet }];

  const answer = await world.connect().call(34, {}, body({ clientID: "c", consumerDataSet }));

  assert.equal(answer.code, 0);
  assert.deepEqual(world.broker.heartbeats[0]?.consumers[0]?.subscriptions, [
    { topic: "T", expression: { language: "TAG", text: "*" }, version: 17 },
  ]);
});

test("9 code 34: a heartbeat that is no JSON or has no client answers 29", async () => {
  const client = new TestWorld().connect();

  assert.equal((await client.call(34, {}, { body: utf8("{") })).code, 29);
  assert.equal((await client.call(34, {}, body({}))).code, 29);
});

test("9 code 34: a light heartbeat repeats the full one with its fingerprint", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await client.call(34, {}, heartbeat({ heartbeatFingerprint: 77 }));

  const light = { heartbeatFingerprint: 77, withoutSub: true, consumerDataSet: [] };
  const answer = await client.call(34, {}, heartbeat(light));

  assert.equal(answer.extFields["IS_SUB_CHANGE"], "false");
  assert.deepEqual(world.broker.heartbeats[1], world.broker.heartbeats[0]);
});

test("9 code 34: a heartbeat that says the same again is told on as a repetition", async () => {
  const world = new TestWorld();
  const { members } = world.broker;
  const client = world.connect();
  members.knowsRepeated = true;
  await client.call(34, {}, heartbeat({}));
  const answer = await client.call(34, {}, heartbeat({}));

  assert.deepEqual([answer.code, answer.extFields["IS_SUB_CHANGE"]], [0, "false"]);
  assert.equal(members.heartbeats.length, 1);
  const { clientId, consumers, producerGroups } = members.heartbeats[0]!;
  const groupCount = consumers.length + producerGroups.length;
  assert.deepEqual(members.repeated, [{ clientId, connection: 1, groupCount }]);

  await client.call(34, {}, heartbeat({ consumerDataSet: [] }));
  assert.deepEqual([members.heartbeats.length, members.repeated.length], [2, 1]);
});

test("9 code 34: a repeated heartbeat the broker does not know is taken as a whole", async () => {
  const world = new TestWorld();
  const { members } = world.broker;
  const client = world.connect();
  await client.call(34, {}, heartbeat({}));
  await client.call(34, {}, heartbeat({}));

  assert.deepEqual([members.heartbeats.length, members.repeated.length], [2, 1]);
});

test("9 code 34: a light heartbeat with an unknown fingerprint asks for the full one", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await client.call(34, {}, heartbeat({ heartbeatFingerprint: 77 }));

  const answer = await client.call(
    34,
    {},
    heartbeat({ heartbeatFingerprint: 78, withoutSub: true }),
  );

  assert.equal(answer.extFields["IS_SUB_CHANGE"], "true");
  assert.equal(world.broker.heartbeats.length, 1);
});

test("9 code 34: a group that may not be made is left out, the rest registered", async () => {
  const world = new TestWorld();
  world.broker.autoCreateGroups = false;

  const answer = await world.connect().call(34, {}, heartbeat());

  assert.equal(answer.code, 0);
  assert.deepEqual(world.broker.heartbeats[0]?.consumers, []);
  assert.deepEqual(world.broker.heartbeats[0]?.producerGroups, ["PG"]);
});

test("9 code 35: UNREGISTER_CLIENT leaves the named group", async () => {
  const world = new TestWorld();

  await world.connect().call(35, { clientID: "c", consumerGroup: "G" });

  assert.deepEqual(world.broker.unregistered, [
    { clientId: "c", connection: 1, producerGroup: null, consumerGroup: "G" },
  ]);
});

test("7.2 code 38: the list holds each member once, and is 1 when there is none", async () => {
  const world = new TestWorld();
  const client = world.connect();
  assert.equal((await client.call(38, { consumerGroup: "G" })).code, 1);
  await client.call(34, {}, heartbeat());
  await client.call(34, {}, heartbeat());

  const answer = await client.call(38, { consumerGroup: "G" });

  assert.equal(textOf(answer.body), '{"consumerIdList":["10.0.0.7@1#2"]}');
});

test("9 code 40: a change of members is told to whom it concerns, one-way", async () => {
  const world = new TestWorld();
  const [first, second] = [world.connect(), world.connect()];

  world.broker.announce("G", [2, 9]);
  await settled();

  assert.equal(first.connection.received.length, 0);
  const [notice] = second.connection.received;
  assert.deepEqual([notice?.code, notice?.flag, notice?.extFields], [40, 2, {
    consumerGroup: "G",
  }]);
});

test("9 code 40: a notice has the form of the client's own requests", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await client.call(106, {}, { serializer: "binary" });

  world.broker.announce("G", [1]);
  await settled();

  assert.equal(client.connection.received.at(-1)?.serializer, "binary");
});

test("9 a closed connection is told to the broker, once", () => {
  const world = new TestWorld();
  const client = world.connect();

  client.connection.destroy();

  assert.deepEqual(world.broker.gone, [1]);
  assert.equal(world.sessions.size, 0);
});

test("7.4 codes 14 and 15: a committed offset is answered", async () => {
  const client = new TestWorld().connect();
  await send(client);
  await send(client);
  assert.equal((await client.call(15, { ...queue, commitOffset: "1" })).code, 0);

  const answer = await client.call(14, queue);

  assert.deepEqual([answer.code, answer.extFields], [0, { offset: "1" }]);
});

test("7.4 code 14: a new group starts a young topic at 0, and sees what came before", async () => {
  const client = new TestWorld().connect();
  await send(client);

  const answer = await client.call(14, queue);

  assert.deepEqual([answer.code, answer.extFields], [0, { offset: "0" }]);
});

test("7.4 code 14: a new group is told 22 if it asked for it, or the topic is old", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client);
  await send(client);

  assert.equal((await client.call(14, { ...queue, setZeroIfNotFound: "false" })).code, 22);
  world.broker.trim("T", 0, 1);
  assert.equal((await client.call(14, queue)).code, 22);
});

test("7.4 code 14: a group that starts at the latest message is told 22", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client);
  world.broker.addGroup("G", { startFrom: "latest" });

  assert.equal((await client.call(14, queue)).code, 22);
});

test("7.4 codes 14 and 15: an offset of an unknown topic answers 22 and 17", async () => {
  const client = new TestWorld().connect();

  assert.equal((await client.call(14, queue)).code, 22);
  assert.equal((await client.call(15, { ...queue, commitOffset: "1" })).code, 17);
});

test("7.4 code 15: a commit of an unknown group answers 26", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  world.broker.autoCreateGroups = false;

  assert.equal((await world.connect().call(15, { ...queue, commitOffset: "1" })).code, 26);
});

test("7.2 codes 30 and 31: max and min offset are those of the queue", async () => {
  const world = new TestWorld();
  const client = world.connect();
  for (let sent = 0; sent < 3; sent++) await send(client, "1");
  world.broker.trim("T", 1, 2);
  const offset = async (code: number, queueId: string) =>
    (await client.call(code, { topic: "T", queueId })).extFields["offset"];

  assert.equal(await offset(30, "1"), "3");
  assert.equal(await offset(31, "1"), "2");
  assert.equal(await offset(30, "0"), "0");
});

test("7.2 codes 30 and 31: a queue that is not there answers 29, a topic 17", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();

  assert.equal((await client.call(30, { topic: "T", queueId: "4" })).code, 29);
  assert.equal((await client.call(31, { topic: "None", queueId: "0" })).code, 17);
});

test("7.2 code 29: the first stored not earlier, and by UPPER the last not later", async () => {
  const world = new TestWorld();
  const client = world.connect();
  const startMs = world.broker.clock.wallMs();
  for (let sent = 0; sent < 3; sent++) {
    await send(client);
    world.broker.advance(1_000);
  }
  const search = async (afterMs: number, boundaryType?: string) => {
    const timestamp = String(startMs + afterMs);
    const boundary = boundaryType === undefined ? undefined : { boundaryType };
    const answer = await client.call(29, { topic: "T", queueId: "0", timestamp, ...boundary });
    return answer.extFields["offset"];
  };

  assert.equal(await search(500), "1");
  assert.equal(await search(1_000, "LOWER"), "1");
  assert.equal(await search(1_500, "UPPER"), "1");
  assert.equal(await search(99_000), "3");
  assert.equal(await search(-1, "UPPER"), "0");
});

test("7.2 code 32: the stored time of the oldest message, -1 for an empty queue", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client);
  const startMs = world.broker.clock.wallMs();
  const earliest = async (queueId: string) =>
    (await client.call(32, { topic: "T", queueId })).extFields["timestamp"];

  assert.equal(await earliest("0"), String(startMs));
  assert.equal(await earliest("1"), "-1");
});

test("7.5 code 36: a message goes back by its physical offset, for its level's delay", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client);
  world.broker.addGroup("G");
  const back = async (delayLevel: string, more: Record<string, string> = {}) =>
    (await client.call(36, { offset: "256", group: "G", delayLevel, ...more })).code;

  assert.equal(await back("0"), 0);
  assert.equal(await back("3", { maxReconsumeTimes: "5" }), 0);
  assert.equal(await back("99"), 0);
  assert.equal(await back("-1"), 0);

  const asked = world.broker.sentBack.map((each) => [each.delayMs, each.retriesMax]);
  assert.deepEqual(asked, [[null, null], [10_000, 5], [7_200_000, null], [-1, null]]);
  assert.equal(world.broker.sentBack[0]?.originMessageId, "7F000001000026940000000000000100");
});

test("7.5 code 36: clients before 3.4.9 get the group's number of retries", async () => {
  const world = new TestWorld();
  const client = world.connect();
  await send(client);
  world.broker.addGroup("G");
  const fields = { offset: "256", group: "G", delayLevel: "0", maxReconsumeTimes: "0" };

  await client.call(36, fields, { version: 120 });

  assert.equal(world.broker.sentBack[0]?.retriesMax, null);
});

test("7.5 code 36: an unknown group answers 26, an unknown message 1", async () => {
  const world = new TestWorld();
  const client = world.connect();

  assert.equal((await client.call(36, { offset: "0", group: "G", delayLevel: "0" })).code, 26);
  world.broker.addGroup("G");
  assert.equal((await client.call(36, { offset: "256", group: "G", delayLevel: "0" })).code, 1);
});

test("7.6 codes 41 and 42: a queue is locked by one client until it gives it back", async () => {
  const client = new TestWorld().connect();
  const ask = (clientId: string) =>
    body({
      ...{ consumerGroup: "G", clientId, onlyThisBroker: false },
      mqSet: [{ topic: "T", brokerName: "curlew", queueId: 0 }],
    });
  const locked = async (clientId: string) =>
    textOf((await client.call(41, {}, ask(clientId))).body);
  const granted = '{"lockOKMQSet":[{"brokerName":"curlew","queueId":0,"topic":"T"}]}';

  assert.equal(await locked("first"), granted);
  assert.equal(await locked("second"), '{"lockOKMQSet":[]}');
  await client.call(42, {}, ask("second"));
  assert.equal(await locked("second"), '{"lockOKMQSet":[]}', "not the owner's to give back");
  await client.call(42, {}, ask("first"));
  assert.equal(await locked("second"), granted);
});

test("7.2 code 46: tags and SQL are taken, and nonsense is refused with 23", async () => {
  const client = new TestWorld().connect();
  const check = async (expressionType: string, subString: string) =>
    (await client.call(
      46,
      {},
      body({ subscriptionData: { topic: "T", expressionType, subString } }),
    ))
      .code;

  assert.equal(await check("TAG", "A || B"), 0);
  assert.equal(await check("TAG", "A && B"), 23);
  assert.equal(await check("SQL92", "a > 1"), 0);
  assert.equal(await check("SQL92", "a > "), 23);
  assert.equal(await check("SQL92", ""), 23);
  assert.equal(await check("SQL2003", "a > 1"), 23);
});
