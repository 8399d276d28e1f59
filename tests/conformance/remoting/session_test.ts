/** Protocol 2 and 3: frames, flags, opaque, errors, and what a session does under pressure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../../src/base/bytes.ts";
import { limits } from "../../../src/base/limits.ts";
import { BrokerError } from "../../../src/model/errors.ts";
import { absentRequests } from "../../../src/protocol/remoting/absent_requests.ts";
import { requestCodes, requestName } from "../../../src/protocol/remoting/codes.ts";
import { encodeCommand } from "../../../src/protocol/remoting/command_frames.ts";
import { silenceLookMs } from "../../../src/protocol/remoting/sessions.ts";
import { FakeConnection, settled, TestClient, TestWorld } from "./test_client.ts";

const pullWaiting = {
  ...{ consumerGroup: "G", topic: "T", queueId: "0", queueOffset: "0", maxMsgNums: "32" },
  ...{ sysFlag: "6", commitOffset: "0", suspendTimeoutMillis: "15000", subscription: "*" },
  ...{ subVersion: "0" },
};

/** A frame of request 106, whole. */
function clusterInfoFrame(opaque: number): Uint8Array {
  const [frame] = encodeCommand({
    ...{ code: 106, language: "GO", version: 317, opaque, flag: 0, remark: undefined },
    ...{ extFields: {}, serializer: "json" as const },
  });
  assert.ok(frame);
  return frame;
}

test("2 a frame may come in any pieces", async () => {
  const client = new TestWorld().connect();

  for (const byte of clusterInfoFrame(5)) client.feed(Uint8Array.of(byte));
  await settled();

  assert.equal(client.answerTo(5)?.code, 0);
});

test("2 several frames of one chunk are answered in one write", async () => {
  const client = new TestWorld().connect();
  const frames = [1, 2, 3].map(clusterInfoFrame);

  client.feed(new Uint8Array(frames.flatMap((frame) => [...frame])));
  await settled();

  assert.equal(client.connection.received.length, 3);
  assert.equal(client.connection.writes, 1);
});

test("2 an answer has the form of its request", async () => {
  const client = new TestWorld().connect();

  const binary = await client.call(106, {}, { serializer: "binary" });
  const json = await client.call(106, {}, { serializer: "json" });

  assert.deepEqual([binary.serializer, json.serializer], ["binary", "json"]);
});

test("2.3 an answer has the request's opaque, response bit, version and extFields", async () => {
  const client = new TestWorld().connect();
  const opaque = client.post(9999, {});
  await settled();

  const answer = client.answerTo(opaque);

  assert.ok(answer);
  assert.deepEqual([answer.opaque, answer.flag, answer.version], [opaque, 1, 479]);
  assert.deepEqual(answer.extFields, {});
});

test("2.3 an unknown code answers 3 with a sentence", async () => {
  const client = new TestWorld().connect();

  assert.match((await client.call(9999)).remark ?? "", /9999/);
  const known = await client.call(3001);
  assert.equal(known.code, 3);
  assert.match(known.remark ?? "", /AUTH_CREATE_USER/);
});

test("2.3 every request that is known and not fulfilled answers 3, and says why", async () => {
  const client = new TestWorld().connect();
  for (const [name, reason] of Object.entries(absentRequests)) {
    const code = requestCodes[name as keyof typeof absentRequests];
    const answer = await client.call(code);
    assert.equal(answer.code, 3, name);
    assert.ok(answer.remark?.endsWith(`${requestName(code)}: ${reason}`), answer.remark);
  }
});

test("2.3 a one-way request is fulfilled and never answered", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();

  client.post(15, { consumerGroup: "G", topic: "T", queueId: "0", commitOffset: "3" }, {
    oneway: true,
  });
  client.post(9999, {}, { oneway: true });
  await settled();

  assert.equal(world.broker.offsets.get("G@T/0"), 3);
  assert.equal(client.connection.received.length, 0);
});

test("2.3 a response to nothing is passed over", async () => {
  const client = new TestWorld().connect();
  const [frame] = encodeCommand({
    ...{ code: 0, language: "JAVA", version: 479, opaque: 1, flag: 1, remark: undefined },
    ...{ extFields: {}, serializer: "json" as const },
  });

  client.feed(frame ?? new Uint8Array());
  await settled();

  assert.equal(client.connection.received.length, 0);
  assert.equal(client.connection.isDestroyed, false);
});

test("2 an oversized frame closes the connection, with a line in the log", () => {
  const world = new TestWorld();
  const client = world.connect();

  client.feed(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0));

  assert.equal(client.connection.isDestroyed, true);
  assert.deepEqual(world.logged.map((record) => record.level), ["warn"]);
  assert.deepEqual(world.broker.gone, [1]);
});

test("2 a header that cannot be read closes the connection", () => {
  const client = new TestWorld().connect();

  client.feed(Uint8Array.of(0, 0, 0, 6, 0, 0, 0, 2, 0x7b, 0x7b));

  assert.equal(client.connection.isDestroyed, true);
});

test("2.1 ali-ons' numbers, booleans and nulls in extFields are understood", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();
  const header = utf8(
    '{"code":310,"language":"JAVA","opaque":2,"flag":0,"version":121,"extFields":{"a":"p",' +
      '"b":"T","c":"TBW102","d":4,"e":0,"f":0,"g":1795379976293,"h":0,"j":null,"k":false}}',
  );
  const head = new Uint8Array(8);
  new DataView(head.buffer).setInt32(0, 4 + header.length);
  new DataView(head.buffer).setInt32(4, header.length);

  client.feed(head);
  client.feed(header);
  await settled();

  assert.equal(client.answerTo(2)?.code, 0);
});

test("3 each failure of the broker has its code, its sentence as the remark", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T");
  const client = world.connect();
  const failing = async (failure: unknown) => {
    world.broker.failure = failure;
    const answer = await client.call(30, { topic: "T", queueId: "0" });
    return `${answer.code} ${answer.remark}`;
  };

  assert.equal(await failing(new BrokerError("too_busy", "Full")), "2 Full");
  assert.equal(await failing(new BrokerError("shutting_down", "Stopping")), "14 Stopping");
  assert.match(await failing(new TypeError("secret inner detail")), /^1 The broker made a mistake/);
  assert.deepEqual(world.logged.map((record) => record.event), ["remoting request failed"]);
});

test("2.3 a full connection is paused, and resumed when it has drained", async () => {
  const client = new TestWorld().connect();
  client.connection.bufferedBytes = limits.outboundBytesMax + 1;
  await client.call(106);
  assert.equal(client.connection.isPaused, true);

  client.connection.bufferedBytes = 0;
  client.connection.listener?.onDrain?.();

  assert.equal(client.connection.isPaused, false);
});

test("2.3 too many requests at work pause the connection; parked pulls do not count", async () => {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues: 1 });
  const client = world.connect();
  for (let pull = 0; pull < 2 * limits.requestsPerConnectionMax; pull++) {
    client.post(11, pullWaiting);
  }
  await settled(() => !client.connection.isPaused);
  assert.equal(client.connection.isPaused, false);

  for (let ask = 0; ask < limits.requestsPerConnectionMax; ask++) {
    client.post(30, { topic: "T", queueId: "0" });
  }
  assert.equal(client.connection.isPaused, true);
  await settled();

  assert.equal(client.connection.isPaused, false);
});

test("9 a session that is gone takes no news and answers nothing", async () => {
  const world = new TestWorld();
  const connection = new FakeConnection();
  const session = world.sessions.open(7, connection);
  session.feed(clusterInfoFrame(1));
  world.sessions.close(7);

  session.feed(clusterInfoFrame(2));
  session.notifyMembersChanged("G");
  await settled();

  assert.equal(connection.writes, 0);
  assert.equal(new TestClient(connection).answerTo(1), undefined);
});

test("9 a client is told once for all members that came together, and again later", async () => {
  const world = new TestWorld();
  const told = world.connect();
  const other = world.connect();
  const notices = ({ connection }: TestClient) =>
    connection.received
      .filter(({ code }) => code === requestCodes.notifyConsumerIdsChanged)
      .map(({ extFields }) => extFields["consumerGroup"]);

  world.broker.announce("G", [1]);
  world.broker.announce("H", [1]);
  world.broker.announce("G", [1, 2]);
  await settled();
  assert.deepEqual([notices(told), notices(other)], [["G", "H"], ["G"]]);

  world.broker.announce("G", [1]);
  await settled();
  assert.deepEqual([notices(told), notices(other)], [["G", "H", "G"], ["G"]]);
});

test("2.3 a connection that is silent for the longest time that is borne is ended", async () => {
  const world = new TestWorld();
  const silent = world.connect();
  const speaking = world.connect();
  const looks = limits.connectionIdleMsMax / silenceLookMs;
  for (let look = 0; look < looks; look++) world.sessions.endSilent();
  await speaking.call(106);
  assert.deepEqual([silent.connection.isDestroyed, world.sessions.size], [false, 2]);

  world.sessions.endSilent();

  assert.equal(silent.connection.isDestroyed, true);
  assert.deepEqual([speaking.connection.isDestroyed, world.sessions.size], [false, 1]);
  assert.deepEqual(world.logged.map(({ event }) => event), ["remoting connection closed: silent"]);
});
