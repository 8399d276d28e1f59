/** Protocol 10: moving groups, and questions relayed to consumers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { type Received, settled, type TestClient, TestWorld } from "./test_client.ts";

const pull = {
  ...{ consumerGroup: "G", topic: "T", queueId: "0", maxMsgNums: "32", subVersion: "0" },
  ...{ commitOffset: "0", suspendTimeoutMillis: "1000", sysFlag: "4", subscription: "*" },
};

async function worldWithMessages(): Promise<{ world: TestWorld; client: TestClient }> {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 1 });
  world.broker.addGroup("G");
  const client = world.connect();
  for (const body of ["a", "b", "c"]) {
    const fields = { a: "P", b: "T", c: "TBW102", d: "4", e: "0", f: "0", g: "1", h: "0" };
    await client.call(310, { ...fields, i: "KEYS\x01k" }, { body: utf8(body) });
  }
  world.broker.offsets.set("G@T/0", 3);
  return { world, client };
}

async function beat(client: TestClient, clientID: string): Promise<void> {
  const subscription = { topic: "T", subString: "*", subVersion: 1 };
  const consumerDataSet = [{ groupName: "G", subscriptionDataSet: [subscription] }];
  const body = utf8(JSON.stringify({ clientID, consumerDataSet }));
  assert.equal((await client.call(34, {}, { body })).code, 0);
}

function reset(changes: Record<string, string> = {}): Record<string, string> {
  return { group: "G", topic: "T", timestamp: "0", isForce: "true", queueId: "-1", ...changes };
}

function bodyOf(frame: Received | undefined): Uint8Array {
  assert.ok(frame, "the frame has come");
  return frame.body;
}

/** Requests the broker sent to a client. */
function pushed(client: TestClient, code: number): Received[] {
  return client.connection.received.filter((each) => each.code === code && (each.flag & 1) === 0);
}

function answer(
  client: TestClient,
  request: Received | undefined,
  code: number,
  body: string,
): void {
  assert.ok(request, "there is something to answer");
  const response = { ...request, code, flag: 1, extFields: {} };
  for (const piece of encodeCommand(response, utf8(body))) client.feed(piece);
}

test("10 code 222 moves a group, says where to, and names who did it", async () => {
  const { world, client } = await worldWithMessages();

  const moved = await client.call(222, reset());

  assert.equal(
    textOf(moved.body),
    '{"offsetTable":{{"brokerName":"curlew","queueId":0,"topic":"T"}:0}}',
  );
  assert.equal(world.broker.offsets.get("G@T/0"), 0);
  assert.match(world.broker.moves.movers[0] ?? "", /10\.0\.0\.7:50123/);
  assert.equal((await client.call(222, reset({ topic: "None" }))).code, 17);
});

test("10 code 222 goes to the end by -1, to an offset, and without force only back", async () => {
  const { world, client } = await worldWithMessages();
  const place = () => world.broker.offsets.get("G@T/0");

  await client.call(222, reset({ queueId: "0", offset: "1", timestamp: "-1" }));
  assert.equal(place(), 1);
  const stayed = await client.call(222, reset({ timestamp: "-1", isForce: "false" }));
  assert.equal(place(), 1);
  assert.match(textOf(stayed.body), /"topic":"T"\}:1\}\}$/, "where it stands is told all the same");
  await client.call(222, reset({ timestamp: "-1", offset: "-1" }));
  assert.equal(place(), 3);
});

test("10 code 222 answers 26 for a group that is not there, and does not make it", async () => {
  const { world, client } = await worldWithMessages();

  const refused = await client.call(222, reset({ group: "Tippo" }));

  assert.equal(refused.code, 26);
  assert.match(refused.remark ?? "", /Tippo/);
  assert.equal(world.broker.group("Tippo"), undefined);
});

test("10 codes 222 and 220 tell members of a reset, C++ by a list", async () => {
  const { world, client } = await worldWithMessages();
  const [java, cpp] = [world.connect(), world.connect()];
  await beat(java, "java");
  await beat(cpp, "cpp");
  world.broker.heartbeats.push({ ...world.broker.heartbeats[1]!, language: "CPP" });

  await client.call(222, reset());
  await settled();

  const [toJava, toCpp] = [pushed(java, 220)[0], pushed(cpp, 220)[0]];
  assert.deepEqual({ ...toJava?.extFields }, {
    ...{ topic: "T", group: "G", timestamp: "-1", isForce: "true" },
  });
  assert.match(textOf(bodyOf(toJava)), /^\{"offsetTable":\{\{"brokerName"/);
  assert.deepEqual(JSON.parse(textOf(bodyOf(toCpp))), {
    offsetTable: [{ topic: "T", brokerName: "curlew", queueId: 0, offset: 0 }],
  });
});

test("10 code 220 goes out for a reset over HTTP or by the command line, too", async () => {
  const { world, client } = await worldWithMessages();
  await beat(client, "java");

  await world.broker.resetOffsets("G", "T", { kind: "earliest" }, "curlew group reset");
  await world.broker.cloneOffsets("G", "H", "T", "curlew group clone");
  await settled();

  const told = pushed(client, 220);
  assert.equal(told.length, 1);
  assert.match(textOf(bodyOf(told[0])), /"queueId":0,"topic":"T"\}:0\}\}$/);
  const late = await client.call(11, { ...pull, queueOffset: "3" });
  assert.deepEqual([late.code, late.extFields["nextBeginOffset"]], [21, "0"]);
});

test("7.4 code 14: a reset that others followed over HTTP sends nobody back", async () => {
  const { world, client } = await worldWithMessages();
  await world.broker.resetOffsets("G", "T", { kind: "earliest" }, "curlew group reset");
  const place = { consumerGroup: "G", topic: "T", queueId: "0" };
  assert.equal((await client.call(14, place)).extFields["offset"], "0");
  world.broker.offsets.set("G@T/0", 2);

  assert.equal((await client.call(14, place)).extFields["offset"], "2");

  const pulled = await client.call(11, { ...pull, queueOffset: "2" });
  assert.deepEqual([pulled.code, pulled.extFields["nextBeginOffset"]], [0, "3"]);
});

test("7.4 codes 11 and 15: after a reset a pull is told 21, and old commits are void", async () => {
  const { world, client } = await worldWithMessages();
  await client.call(222, reset());

  const late = { consumerGroup: "G", topic: "T", queueId: "0", commitOffset: "3" };
  assert.equal((await client.call(15, late)).code, 0);
  assert.equal(world.broker.offsets.get("G@T/0"), 0);
  const told = await client.call(11, { ...pull, queueOffset: "3" });
  assert.deepEqual([told.code, told.extFields["nextBeginOffset"]], [21, "0"]);

  const followed = await client.call(11, { ...pull, queueOffset: "0" });
  assert.deepEqual([followed.code, followed.extFields["nextBeginOffset"]], [0, "3"]);
  await client.call(15, late);
  assert.equal(world.broker.offsets.get("G@T/0"), 3);
  assert.equal((await client.call(11, { ...pull, queueOffset: "3" })).code, 19);
});

test("10 codes 314 and 43 give a group another's offsets, and show all of them", async () => {
  const { client } = await worldWithMessages();
  const clone = { srcGroup: "G", destGroup: "H", topic: "T", offline: "true" };

  assert.equal((await client.call(314, clone)).code, 0);

  const { offsetTable } = JSON.parse(textOf((await client.call(43, {})).body));
  assert.deepEqual(offsetTable, { "T@G": { 0: 3 }, "T@H": { 0: 3 } });
});

test("7.2 code 308 says how far all groups are, and marks where one is behind", async () => {
  const { world, client } = await worldWithMessages();
  for (const name of ["H", "Slow", "Behind"]) world.broker.addGroup(name);
  world.broker.offsets.set("H@T/0", 2);
  world.broker.offsets.set("Slow@T/0", 1);
  world.broker.offsets.set("Behind@T/0", 0);
  const ask = { topic: "T", filterGroups: "Behind", compareGroup: "G" };
  const correction = async (changes = {}) =>
    textOf((await client.call(308, { ...ask, ...changes })).body);

  assert.equal(await correction(), '{"correctionOffsets":{"0":1}}');
  assert.equal(await correction({ filterGroups: "Behind,Slow" }), '{"correctionOffsets":{"0":2}}');
  assert.equal(
    await correction({ compareGroup: "Behind" }),
    '{"correctionOffsets":{"0":9223372036854775807}}',
  );
  assert.equal(await correction({ topic: "None" }), '{"correctionOffsets":{}}');
});

test("7.2 code 307 is relayed to the consumer it names, and its answer comes back", async () => {
  const { world, client } = await worldWithMessages();
  const consumer = world.connect();
  await beat(consumer, "c1");
  const ask = { consumerGroup: "G", clientId: "c1", jstackEnable: "true" };
  const opaque = client.post(307, ask);
  await settled();

  const [request] = pushed(consumer, 307);
  assert.deepEqual({ ...request?.extFields }, ask);
  answer(consumer, request, 0, '{"jstack":"at"}');
  await settled();

  assert.equal(textOf(bodyOf(client.answerTo(opaque))), '{"jstack":"at"}');
  assert.equal((await client.call(307, { ...ask, clientId: "c2" })).code, 1);
});

test("7.2 code 307: a consumer that does not answer, or leaves, is told of with 207", async () => {
  const { world, client } = await worldWithMessages();
  const consumer = world.connect();
  await beat(consumer, "c1");
  const ask = { consumerGroup: "G", clientId: "c1" };
  const slow = client.post(307, ask);
  await settled();
  world.timers.advance(10_000);
  await settled();
  const gone = client.post(307, ask);
  await settled();
  consumer.connection.destroy();
  await settled();

  assert.deepEqual([client.answerTo(slow)?.code, client.answerTo(gone)?.code], [207, 207]);
  assert.equal(world.timers.pending, 0);
});

test("7.2 code 309 hands the message it names to a consumer", async () => {
  const { world, client } = await worldWithMessages();
  const consumer = world.connect();
  await beat(consumer, "c1");
  const [first] = world.broker.byPosition;
  const opaque = client.post(309, {
    ...{ consumerGroup: "G", clientId: "", topic: "T", brokerName: "curlew" },
    msgId: "7F000001000026940000000000000100",
  });
  await settled();

  const [request] = pushed(consumer, 309);
  assert.deepEqual([...bodyOf(request)], [...(first?.record ?? [])]);
  answer(consumer, request, 0, '{"consumeResult":"CR_SUCCESS"}');
  await settled();

  assert.equal(client.answerTo(opaque)?.code, 0);
  const unknown = { consumerGroup: "G", clientId: "c1", msgId: "nonsense" };
  assert.equal((await client.call(309, unknown)).code, 1);
});

test("7.2 codes 223 and 221 gather the offsets of every member, by queue objects", async () => {
  const { world, client } = await worldWithMessages();
  const consumer = world.connect();
  await beat(consumer, "c1");
  const opaque = client.post(223, { topic: "T", group: "G", clientAddr: "" });
  await settled();
  const map = '{{"brokerName":"curlew","queueId":0,"topic":"T"}:2}';
  answer(consumer, pushed(consumer, 221)[0]!, 0, `{"messageQueueTable":${map}}`);
  await settled();

  assert.equal(textOf(bodyOf(client.answerTo(opaque))), `{"consumerTable":{"c1":${map}}}`);
  assert.equal((await client.call(223, { topic: "T", group: "None" })).code, 1);
});

test("2.3 an answer nobody waits for is passed over", async () => {
  const { client } = await worldWithMessages();
  const [request] = client.connection.received;

  answer(client, request, 0, "");

  assert.equal((await client.call(206)).code, 0);
});
