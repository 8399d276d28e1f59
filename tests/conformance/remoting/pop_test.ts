/** Protocol 8: POP consumers. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { textOf, utf8 } from "../../../src/base/bytes.ts";
import { readProperty } from "../../../src/model/properties.ts";
import { readRecord, type RecordFields, splitRecords } from "../../../src/model/record.ts";
import { type Received, settled, type TestClient, TestWorld } from "./test_client.ts";

const popped = { consumerGroup: "G", topic: "T", queueId: "-1", initMode: "0", bornTime: "1" };

function popFields(changes: Record<string, string> = {}): Record<string, string> {
  return { ...popped, maxMsgNums: "32", invisibleTime: "30000", pollTime: "0", ...changes };
}

function worldWithTopic(queues = 2): { world: TestWorld; client: TestClient } {
  const world = new TestWorld();
  world.broker.addTopic("T", { queues });
  world.broker.addGroup("G");
  return { world, client: world.connect() };
}

async function send(client: TestClient, body: string, queueId = "0", properties = "") {
  await client.call(310, {
    ...{ a: "PG", b: "T", c: "TBW102", d: "4", e: queueId, f: "0", g: "1", h: "0" },
    i: properties,
  }, { body: utf8(body) });
}

function recordsOf(answer: Received): (RecordFields & { checkPoint: string })[] {
  return splitRecords(answer.body).map((bytes) => {
    const record = readRecord(bytes);
    return { ...record, checkPoint: readProperty(record.properties, "POP_CK") ?? "" };
  });
}

type Acked = { queueId: number; queueOffset: number; checkPoint: string };

function ackFields(record: Acked | undefined): Record<string, string> {
  assert.ok(record, "there is a message to acknowledge");
  return {
    ...{ consumerGroup: "G", topic: "T", queueId: String(record.queueId) },
    ...{ offset: String(record.queueOffset), extraInfo: record.checkPoint },
  };
}

test("8 code 200050: a pop leases from every queue, by check points of eight fields", async () => {
  const { client } = worldWithTopic();
  await send(client, "a", "0");
  await send(client, "b", "1", "TAGS\x01x");

  const answer = await client.call(200_050, popFields());

  assert.equal(answer.code, 0);
  const records = recordsOf(answer);
  assert.deepEqual(records.map(({ body }) => textOf(body)), ["a", "b"]);
  for (const { checkPoint, queueId, queueOffset } of records) {
    const fields = checkPoint.split(" ");
    assert.equal(fields.length, 8);
    assert.deepEqual(fields.slice(4), ["0", "curlew", `${queueId}`, `${queueOffset}`]);
    assert.equal(fields[2], "30000");
  }
  assert.equal(readProperty(records[1]?.properties ?? "", "TAGS"), "x");
  const { startOffsetInfo, msgOffsetInfo, invisibleTime, popTime } = answer.extFields;
  assert.deepEqual([startOffsetInfo, msgOffsetInfo], ["0 0 0;0 1 0", "0 0 0;0 1 0"]);
  assert.deepEqual([invisibleTime, popTime], ["30000", records[0]?.checkPoint.split(" ")[1]]);
});

test("8 code 200050: the time in a check point is the pop's, by which clients judge", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a");

  const [record] = recordsOf(await client.call(200_050, popFields()));

  assert.equal(Number(record?.checkPoint.split(" ")[1]), world.broker.clock.wallMs());
});

test("8 code 200050: a message popped again says how often, and voids the old point", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a");
  const [first] = recordsOf(await client.call(200_050, popFields()));
  world.broker.advance(30_001);

  const [second] = recordsOf(await client.call(200_050, popFields()));

  assert.deepEqual([first?.reconsumeTimes, second?.reconsumeTimes], [0, 1]);
  assert.equal((await client.call(200_051, ackFields(first))).code, 208);
  assert.equal((await client.call(200_051, ackFields(second))).code, 0);
  assert.equal((await client.call(200_051, ackFields(second))).code, 0);
  assert.deepEqual(world.broker.leases.openOf("G", "T"), []);
});

test("8 code 200050: an empty pop answers 210 in the end, and a message sooner", async () => {
  const { world, client } = worldWithTopic();
  const late = client.post(200_050, popFields({ pollTime: "15000" }));
  await settled();
  assert.equal(client.answerTo(late), undefined);
  world.broker.advance(15_000);
  await settled();
  assert.equal(client.answerTo(late)?.code, 210);
  assert.equal(client.answerTo(late)?.extFields["restNum"], "0");

  const woken = client.post(200_050, popFields({ pollTime: "15000" }));
  await settled();
  await send(client, "now");
  await settled();

  assert.equal(client.answerTo(woken)?.code, 0);
  assert.equal((await client.call(200_050, popFields())).code, 210);
});

test("8 code 200055: pops that wait are counted, and gone with their connection", async () => {
  const { world, client } = worldWithTopic();
  const other = world.connect();
  client.post(200_050, popFields({ pollTime: "15000" }));
  await settled();
  const info = { consumerGroup: "G", topic: "T", queueId: "-1" };
  assert.equal((await other.call(200_055, info)).extFields["pollingNum"], "1");

  client.connection.destroy();
  await settled();

  assert.equal((await other.call(200_055, info)).extFields["pollingNum"], "0");
  assert.equal(world.broker.leases.waiters.size, 0);
});

test("8 code 200050: a pop names its queue, its filter and its bounds to the broker", async () => {
  const { world, client } = worldWithTopic();
  const wish = { queueId: "1", expType: "TAG", exp: "A || B", maxMsgNums: "9999" };
  await client.call(200_050, popFields({ ...wish, invisibleTime: "1" }));

  const [asked] = world.broker.leases.receives;

  assert.deepEqual([asked?.queueId, asked?.messagesMax, asked?.invisibleMs], [1, 256, 100]);
  assert.equal(asked?.filter.kind, "tags");
});

test("8 code 200050: a pop is refused: 17 no topic, 29 no queue, 23 no filter", async () => {
  const { client } = worldWithTopic();
  const codes = [{ topic: "None" }, { queueId: "2" }, { expType: "TAG", exp: "a && b" }];

  const found = [];
  for (const wish of codes) found.push((await client.call(200_050, popFields(wish))).code);

  assert.deepEqual(found, [17, 29, 23]);
});

test("8 code 200050: an orderly pop makes the group ordered, and counts tries", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a");

  const answer = await client.call(200_050, popFields({ order: "true" }));

  assert.equal(world.broker.group("G")?.settings.ordered, true);
  assert.equal(answer.extFields["orderCountInfo"], "0 qo0%0 0");
});

test("8 codes 200053 and 200051: invisibility changes, the check point stays good", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a");
  const [record] = recordsOf(await client.call(200_050, popFields()));

  const changed = await client.call(200_053, { ...ackFields(record), invisibleTime: "90000" });

  const [, popTime, , reviveQid] = record?.checkPoint.split(" ") ?? [];
  assert.deepEqual(
    [changed.code, changed.extFields["popTime"], changed.extFields["reviveQid"]],
    [0, popTime, reviveQid],
  );
  world.broker.advance(60_000);
  assert.equal((await client.call(200_050, popFields())).code, 210);
  assert.equal((await client.call(200_051, ackFields(record))).code, 0);
});

test("8 code 200151: a batch of acknowledgements is numbers and bits", async () => {
  const { world, client } = worldWithTopic(1);
  for (const body of ["a", "b", "c"]) await send(client, body);
  const records = recordsOf(await client.call(200_050, popFields()));
  const acks = records.slice(0, 2).map(({ checkPoint }) => {
    const [so, pt, it, rq, r, , q] = checkPoint.split(" ");
    const b = Buffer.from([1]).toString("base64");
    return { c: "G", t: "T", r, so: Number(so), q: Number(q), rq: Number(rq), pt, it, b };
  });

  const body = utf8(JSON.stringify({ brokerName: "curlew", acks }));
  const answer = await client.call(200_151, {}, { body });

  assert.equal(answer.code, 0);
  assert.deepEqual(world.broker.leases.openOf("G", "T"), ["0/2 1"]);
});

test("8 code 200051: what is no check point is refused with 29", async () => {
  const { client } = worldWithTopic();
  const point = { queueId: 0, queueOffset: 0, checkPoint: "0 1 2" };

  assert.equal((await client.call(200_051, ackFields(point))).code, 29);
  const forged = { ...point, checkPoint: "0 1 2 1000 0 curlew 0 0" };
  assert.equal((await client.call(200_051, ackFields(forged))).code, 208);
});

test("8 code 200050: a record with no room for a check point has it in the header", async () => {
  const { client } = worldWithTopic(1);
  await send(client, "full", "0", `UNIQ_KEY\x01U\x02a\x01${"x".repeat(32_740)}\x02`);

  const answer = await client.call(200_050, popFields());

  const [record] = recordsOf(answer);
  assert.equal(record?.checkPoint, "");
  // As clients make it themselves.
  const { popTime, reviveQid } = answer.extFields;
  const checkPoint = `0 ${popTime} 30000 ${reviveQid} 0 curlew 0 0`;
  assert.equal(
    (await client.call(200_051, ackFields({ queueId: 0, queueOffset: 0, checkPoint }))).code,
    0,
  );
});

test("8 code 200052: PEEK shows what a pop would give, and takes nothing", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a", "0");
  await send(client, "b", "1");
  const peek = { consumerGroup: "G", topic: "T", queueId: "-1", maxMsgNums: "1" };

  const answer = await client.call(200_052, peek);

  assert.deepEqual(recordsOf(answer).map(({ body }) => textOf(body)), ["a"]);
  assert.equal(answer.extFields["restNum"], "1");
  assert.deepEqual(world.broker.leases.openOf("G", "T"), []);
});

test("8 code 200054: NOTIFICATION tells at once, waits, and tells when nothing came", async () => {
  const { world, client } = worldWithTopic();
  const ask = { consumerGroup: "G", topic: "T", queueId: "-1", bornTime: "1" };
  const waiting = client.post(200_054, { ...ask, pollTime: "10000" });
  const hopeless = client.post(200_054, { ...ask, queueId: "1", pollTime: "10000" });
  await settled();
  assert.equal(client.answerTo(waiting), undefined);

  await send(client, "a", "0");
  await settled();
  assert.equal(client.answerTo(waiting)?.extFields["hasMsg"], "true");
  world.broker.advance(10_000);
  await settled();

  assert.equal(client.answerTo(hopeless)?.extFields["hasMsg"], "false");
  const now = await client.call(200_054, { ...ask, pollTime: "0" });
  assert.deepEqual([now.extFields["hasMsg"], now.extFields["pollingFull"]], ["true", "false"]);
});

test("8 code 200054: NOTIFICATION wakes when a message is to be tried again", async () => {
  const { world, client } = worldWithTopic();
  await send(client, "a", "0");
  await client.call(200_050, popFields({ invisibleTime: "3000" }));
  const ask = { consumerGroup: "G", topic: "T", queueId: "-1", bornTime: "1" };
  const waiting = client.post(200_054, { ...ask, pollTime: "10000" });

  world.broker.advance(2_999);
  await settled();
  assert.equal(client.answerTo(waiting), undefined);
  world.broker.advance(1);
  await settled();

  assert.equal(client.answerTo(waiting)?.extFields["hasMsg"], "true");
});

test("2.2 a binary header's 16 bits still name the codes of POP", async () => {
  const { client } = worldWithTopic();
  await send(client, "a");

  const answer = await client.call(200_050, popFields(), { serializer: "binary" });

  assert.deepEqual([answer.code, recordsOf(answer).length], [0, 1]);
});

async function assign(client: TestClient, clientId: string, changes: object = {}) {
  const body = { topic: "T", consumerGroup: "G", clientId, strategyName: "AVG", ...changes };
  const answer = await client.call(400, {}, { body: utf8(JSON.stringify(body)) });
  if (answer.code !== 0) return [`code ${answer.code}`];
  return JSON.parse(textOf(answer.body)).messageQueueAssignments.map(
    ({ messageQueue, mode }: { messageQueue: { queueId: number }; mode: string }) =>
      `${mode} ${messageQueue.queueId}`,
  );
}

async function beat(client: TestClient, clientID: string): Promise<void> {
  const consumerDataSet = [{ groupName: "G", subscriptionDataSet: [] }];
  const body = utf8(JSON.stringify({ clientID, consumerDataSet }));
  assert.equal((await client.call(34, {}, { body })).code, 0);
}

test("7.2 code 400 shares the queues among the members, as they would themselves", async () => {
  const { world, client } = worldWithTopic(5);
  await beat(client, "c1");
  await beat(world.connect(), "c2");

  assert.deepEqual(await assign(client, "c1"), ["PULL 0", "PULL 1", "PULL 2"]);
  assert.deepEqual(await assign(client, "c2"), ["PULL 3", "PULL 4"]);
  assert.deepEqual(await assign(client, "c2", { strategyName: "AVG_BY_CIRCLE" }), [
    "PULL 1",
    "PULL 3",
  ]);
  assert.equal((await assign(client, "c1", { messageModel: "BROADCASTING" })).length, 5);
  assert.deepEqual(await assign(client, "stranger"), []);
  assert.deepEqual(await assign(client, "c1", { topic: "None" }), []);
  assert.deepEqual(await assign(client, "c1", { strategyName: "DICE" }), ["code 3"]);
});

test("7.2 code 401 lets a group pop a topic, but never its retry topic", async () => {
  const { client } = worldWithTopic();
  await beat(client, "c1");
  const mode = (topic: string, wish: string) =>
    client.call(401, {}, {
      body: utf8(JSON.stringify({ topic, consumerGroup: "G", mode: wish, popShareQueueNum: 8 })),
    });

  assert.equal((await mode("T", "POP")).code, 0);
  assert.deepEqual(await assign(client, "c1"), ["POP -1"]);
  assert.equal((await mode("T", "PULL")).code, 0);
  assert.deepEqual(await assign(client, "c1"), ["PULL 0", "PULL 1"]);
  assert.equal((await mode("%RETRY%G", "POP")).code, 16);
  assert.equal((await mode("T", "PUSH")).code, 29);
});
