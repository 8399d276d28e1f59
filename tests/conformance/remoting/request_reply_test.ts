/** Protocol 6.5: requests, replies, and both across protocols. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { utf8 } from "../../../src/base/bytes.ts";
import { decodeProperties } from "../../../src/model/properties.ts";
import { inWorld, type WholeClient, type WholeWorld } from "./whole_world.ts";

const asking = { CORRELATION_ID: "C1", REPLY_TO_CLIENT: "asker", TTL: "3000" };
const httpRequest = "POST /v1/topics/orders/requests";

/** The frame of a reply, as Java's responder writes it. */
function replyFields(properties: Record<string, string>, changes: Record<string, string> = {}) {
  const i = Object.entries({ MSG_TYPE: "reply", ...properties })
    .map(([name, value]) => `${name}\x01${value}\x02`).join("");
  return {
    ...{ a: "responders", b: "test_REPLY_TOPIC", c: "TBW102", d: "4", e: "0", f: "0", g: "7" },
    ...{ h: "5", i, j: "0" },
    ...changes,
  };
}

/** Posts a reply, and waits until the asker has been told, or the responder answered. */
async function post(
  world: WholeWorld,
  responder: WholeClient,
  fields: Record<string, string>,
  body: Uint8Array = utf8("42"),
): Promise<number> {
  const opaque = responder.bytes.post(325, fields, { body });
  for (let look = 0; look < 20; look++) await world.house.settle();
  return opaque;
}

test("6.5 a request says its cluster, and nothing else does", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.send("asked", asking);
    await client.send("told", {});
    const clusters = (await client.pull()).map(({ properties }) =>
      decodeProperties(properties).get("CLUSTER")
    );
    assert.deepEqual(clusters, ["test", undefined]);
  });
});

test("6.5 codes 325 and 326: a reply is pushed to the client that asked", async () => {
  await inWorld(async (world) => {
    const [asker, responder] = [world.connect(), world.connect()];
    await asker.produce("asker", "PG");
    const opaque = await post(world, responder, replyFields(asking));
    const [pushed] = asker.asked(326);
    assert.ok(pushed);
    assert.equal(pushed.flag, 0);
    assert.equal(new TextDecoder().decode(pushed.body), "42");
    const { properties = "", storeTimestamp, ...fields } = pushed.extFields;
    assert.deepEqual(fields, {
      ...{ producerGroup: "responders", topic: "test_REPLY_TOPIC", defaultTopic: "TBW102" },
      ...{ defaultTopicQueueNums: "4", queueId: "0", sysFlag: "0", bornTimestamp: "7", flag: "5" },
      ...{ reconsumeTimes: "0", bornHost: "10.0.0.7:50123", storeHost: "127.0.0.1:9876" },
    });
    assert.deepEqual(Object.fromEntries(decodeProperties(properties)), {
      ...asking,
      ...{ MSG_TYPE: "reply", PUSH_REPLY_TIME: storeTimestamp },
    });
    assert.equal(responder.bytes.answerTo(opaque), undefined, "the asker has not taken it yet");
    asker.answer(pushed);
    await world.house.settle();
    const answer = responder.bytes.answerTo(opaque);
    assert.equal(answer?.code, 0);
    assert.deepEqual(answer.extFields, {
      ...{ msgId: "0", queueId: "0", queueOffset: "0" },
      ...{ MSG_REGION: "DefaultRegion", TRACE_ON: "false" },
    });
  });
});

test("6.5 code 324: a reply in long names is the same", async () => {
  await inWorld(async (world) => {
    const [asker, responder] = [world.connect(), world.connect()];
    await asker.produce("asker", "PG");
    responder.bytes.post(324, {
      ...{ producerGroup: "responders", topic: "test_REPLY_TOPIC", defaultTopic: "TBW102" },
      ...{ defaultTopicQueueNums: "4", queueId: "0", sysFlag: "0", bornTimestamp: "7", flag: "0" },
      properties: "CORRELATION_ID\x01C1\x02REPLY_TO_CLIENT\x01asker\x02",
    });
    for (let look = 0; look < 20; look++) await world.house.settle();
    assert.equal(asker.asked(326).length, 1);
  });
});

test("6.5 code 325: a reply nobody waits for answers 1 and why", async () => {
  await inWorld(async (world) => {
    const [asker, responder] = [world.connect(), world.connect()];
    await asker.produce("asker", "PG");
    const nobody = { ...asking, REPLY_TO_CLIENT: "nobody" };
    const [gone, lost] = [
      await responder.call(325, replyFields(nobody)),
      await responder.call(325, replyFields({ CORRELATION_ID: "C1" })),
    ];
    assert.deepEqual([gone.code, lost.code], [1, 1]);
    assert.match(gone.remark ?? "", /nobody waits for it/);
    assert.match(lost.remark ?? "", /REPLY_TO_CLIENT/);
    asker.connection.destroy();
    assert.equal((await responder.call(325, replyFields(asking))).code, 1);
  });
});

test("6.5 code 326: a client that refuses a reply, or is late, is told as 1", async () => {
  await inWorld(async (world) => {
    const [asker, responder] = [world.connect(), world.connect()];
    await asker.produce("asker", "PG");
    const refused = await post(world, responder, replyFields(asking));
    const [first] = asker.asked(326);
    assert.ok(first);
    asker.answer(first, 1);
    await world.house.settle();
    assert.match(responder.bytes.answerTo(refused)?.remark ?? "", /it answered 1/);
    const late = await post(world, responder, replyFields(asking));
    await world.house.pass(2_500);
    const answer = responder.bytes.answerTo(late);
    assert.equal(answer?.code, 1);
    assert.match(answer.remark ?? "", /did not answer within 2500 ms/);
  });
});

test("6.5 a request over HTTP is answered by a responder of this protocol", async () => {
  for (const [body, sysFlag] of [[utf8("42"), "0"], [deflateSync("42"), "1"]] as const) {
    await inWorld(async (world) => {
      const asked = world.house.begin(httpRequest, { body: "6 x 7?" });
      await world.house.settle();
      const responder = world.connect();
      const found = [];
      for (const queueId of [0, 1, 2, 3]) found.push(...await responder.pull("orders", queueId));
      const properties = decodeProperties(found[0]?.properties ?? "");
      assert.equal(properties.get("CLUSTER"), "test");
      const fields = replyFields({
        CORRELATION_ID: properties.get("CORRELATION_ID") ?? "",
        REPLY_TO_CLIENT: properties.get("REPLY_TO_CLIENT") ?? "",
      }, { f: sysFlag });
      assert.equal((await responder.call(325, fields, { body: new Uint8Array(body) })).code, 0);
      assert.equal((await asked).json.body, "42");
    });
  }
});

test("6.5 a request of this protocol is answered over HTTP", async () => {
  await inWorld(async (world) => {
    const asker = world.connect();
    await asker.produce("asker", "PG");
    const reply = {
      correlationId: "C1",
      replyTo: "asker",
      body: "42",
      properties: { sure: "yes" },
    };
    const told = world.house.begin("POST /v1/replies", reply);
    for (let look = 0; look < 20; look++) await world.house.settle();
    const [pushed] = asker.asked(326);
    assert.ok(pushed);
    const properties = decodeProperties(pushed.extFields["properties"] ?? "");
    assert.deepEqual([properties.get("CORRELATION_ID"), properties.get("sure")], ["C1", "yes"]);
    assert.equal(properties.get("MSG_TYPE"), "reply");
    asker.answer(pushed);
    await world.house.settle();
    assert.equal((await told).status, 204);
  });
});
