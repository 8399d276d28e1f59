/** Protocol 6.4 and 7.5: delay levels, timers, recall, and retries a client sends itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProperties } from "../../../src/model/properties.ts";
import type { RecordFields } from "../../../src/model/record.ts";
import {
  parseRecallHandle,
  recallHandleText,
} from "../../../src/protocol/remoting/recall_handle.ts";
import { inWorld, type WholeClient, type WholeWorld } from "./whole_world.ts";

const texts = (records: readonly RecordFields[]) =>
  records.map(({ body }) => new TextDecoder().decode(body));

/** The properties a message is delivered with. */
async function delivered(client: WholeClient, at = 0): Promise<Map<string, string>> {
  const record = (await client.pull())[at];
  assert.ok(record, "the message is there");
  return decodeProperties(record.properties);
}

/** A message is not there after `ms - 1`, and is after `ms`. */
async function comesAfter(world: WholeWorld, client: WholeClient, ms: number): Promise<void> {
  await world.house.pass(ms - 1);
  assert.deepEqual(await client.pull(), []);
  await world.house.pass(1);
  assert.equal((await client.pull()).length, 1);
}

test("6.4 a delay level puts a message off, and the answer has no handle", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const answer = await client.send("later", { DELAY: "3", TIMER_DELAY_SEC: "1", TAGS: "a" });
    assert.deepEqual([answer.code, answer.extFields["queueId"]], [0, "1"]);
    assert.equal(answer.extFields["recallHandle"], undefined);
    await comesAfter(world, client, 10_000);
  });
});

test("6.4 levels are the table's, and beyond 18 they are 18", async () => {
  const minute = 60_000;
  const cases = [["1", 1_000], ["2", 5_000], ["5", minute], ["18", 120 * minute]] as const;
  for (const [level, ms] of [...cases, ["99", 120 * minute]] as const) {
    await inWorld(async (world) => {
      const client = world.connect();
      assert.equal((await client.send("later", { DELAY: level })).code, 0);
      await comesAfter(world, client, ms);
    });
  }
});

test("6.4 a delivered message keeps level, tag and id, and says where it was sent", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.send("later", { DELAY: "1", TAGS: "a", TIMER_DELIVER_MS: "5" });
    await world.house.pass(1_000);
    assert.deepEqual(Object.fromEntries(await delivered(client)), {
      ...{ UNIQ_KEY: "K-later", DELAY: "1", TAGS: "a", REAL_TOPIC: "orders", REAL_QID: "1" },
    });
    const [record] = await client.pull();
    assert.equal((record?.storedMs ?? 0) - (record?.bornMs ?? 0), 1_000);
  });
});

test("6.4 seconds beat milliseconds, and these beat a time of day", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const at = String(world.nowMs + 9_000);
    await client.send("a", { TIMER_DELAY_SEC: "2", TIMER_DELAY_MS: "5000", TIMER_DELIVER_MS: at });
    await client.send("b", { TIMER_DELAY_MS: "5000", TIMER_DELIVER_MS: at });
    await client.send("c", { TIMER_DELIVER_MS: at });
    await world.house.pass(2_000);
    assert.deepEqual(texts(await client.pull()), ["a"]);
    await world.house.pass(3_000);
    assert.deepEqual(texts(await client.pull()), ["a", "b"]);
    await world.house.pass(4_000);
    assert.deepEqual(texts(await client.pull()), ["a", "b", "c"]);
  });
});

test("6.4 a time that is past, a delay of nothing and level 0 mean now", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const past = String(world.nowMs - 1);
    for (
      const properties of [{ TIMER_DELIVER_MS: past }, { TIMER_DELAY_MS: "0" }, { DELAY: "0" }]
    ) {
      const answer = await client.send(JSON.stringify(properties), properties);
      assert.deepEqual([answer.code, answer.extFields["recallHandle"]], [0, undefined]);
    }
    assert.equal((await client.pull()).length, 3);
    assert.equal((await delivered(client)).get("TIMER_OUT_MS"), undefined);
  });
});

test("6.4 what is no time, or too far ahead, answers 13 and why, and is not stored", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const wrong: [Record<string, string>, RegExp][] = [
      [{ TIMER_DELAY_SEC: String(41 * 86_400) }, /3542400000 ms from now: at most/],
      [{ TIMER_DELIVER_MS: String(world.nowMs + 41 * 86_400_000) }, /at most/],
      [{ TIMER_DELIVER_MS: "tomorrow" }, /TIMER_DELIVER_MS is no time: "tomorrow"/],
      [{ TIMER_DELAY_SEC: "9007199254740991" }, /TIMER_DELAY_SEC is no time/],
      [{ DELAY: "soon" }, /DELAY is no time/],
    ];
    for (const [properties, why] of wrong) {
      const answer = await client.send("far", properties);
      assert.equal(answer.code, 13);
      assert.match(answer.remark ?? "", why);
    }
    const { broker } = world.house;
    const query = { topic: "orders", fromMs: 0, toMs: 2 ** 52, after: null, timersMax: 1 };
    assert.equal((await broker.run(broker.door.timers.list(query))).count, 0);
    assert.deepEqual(await client.pull(), []);
  });
});

test("6.4 timers outlive the process", async () => {
  await inWorld(async (world) => {
    await world.connect().send("kept", { TIMER_DELAY_SEC: "60" });
    await world.restart();
    await comesAfter(world, world.connect(), 60_000);
  });
});

test("6.4 code 370: a timed message is recalled by its handle, once", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const sent = await client.send("recalled", { TIMER_DELAY_SEC: "60" });
    const recallHandle = sent.extFields["recallHandle"] ?? "";
    assert.deepEqual(parseRecallHandle(recallHandle), {
      ...{ topic: "orders", brokerName: "curlew", uniqueKey: "K-recalled" },
      deliverMs: world.nowMs + 60_000,
    });
    const recalled = await client.call(370, { topic: "orders", recallHandle });
    assert.deepEqual([recalled.code, recalled.extFields], [0, {
      ...{ msgId: "K-recalled", MSG_REGION: "DefaultRegion" },
    }]);
    const again = await client.call(370, { topic: "orders", recallHandle });
    assert.equal(again.code, 604);
    assert.match(again.remark ?? "", /no message K-recalled waits/);
    await world.house.pass(61_000);
    assert.deepEqual(await client.pull(), []);
  });
});

test("6.4 code 370: a recall is refused with 604 or 17, and says why", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const handle = { topic: "orders", brokerName: "curlew", deliverMs: 9, uniqueKey: "K-came" };
    await client.send("came", { TIMER_DELAY_SEC: "1" });
    await world.house.pass(1_000);
    const { door } = world.house.broker;
    await world.house.broker.run(door.createTopic("other", { queues: 1 }));
    const cases: [string, string, number, RegExp][] = [
      ["orders", recallHandleText(handle), 604, /was delivered already/],
      ["orders", "not a handle", 604, /none that a send answered/],
      ["other", recallHandleText(handle), 604, /of topic orders/],
      ["orders", recallHandleText({ ...handle, brokerName: "b" }), 604, /of broker b/],
      ["nobody", recallHandleText(handle), 17, /does not exist/],
    ];
    for (const [topic, recallHandle, code, why] of cases) {
      const answer = await client.call(370, { topic, recallHandle });
      assert.equal(answer.code, code);
      assert.match(answer.remark ?? "", why);
    }
  });
});

test("7.5 a consumer's own retry waits for its level, and counts", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const fields = { b: "%RETRY%readers", e: "0", j: "2", l: "16" };
    const answer = await client.send("again", { DELAY: "4", RETRY_TOPIC: "orders" }, fields);
    assert.deepEqual([answer.code, answer.extFields["recallHandle"]], [0, undefined]);
    await world.house.pass(29_999);
    assert.deepEqual(await client.pull("%RETRY%readers", 0), []);
    await world.house.pass(1);
    const [record] = await client.pull("%RETRY%readers", 0);
    assert.equal(record?.reconsumeTimes, 2);
    assert.equal(decodeProperties(record.properties).get("RETRY_TOPIC"), "orders");
  });
});

test("7.5 a consumer's own retry beyond the last one is a dead letter at once", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const fields = { b: "%RETRY%readers", e: "1", j: "3", l: "2" };
    await client.send("enough", { DELAY: "5", RETRY_TOPIC: "orders" }, fields);
    const [letter] = await client.pull("%DLQ%readers", 0);
    assert.equal(letter?.topic, "%DLQ%readers");
    assert.equal(letter.reconsumeTimes, 3);
    assert.equal(decodeProperties(letter.properties).get("DELAY"), undefined);
  });
});

test("7.5 a transaction's message is tried again as any other", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const properties = { DELAY: "1", RETRY_TOPIC: "orders", TRAN_MSG: "true" };
    await client.send("again", properties, { b: "%RETRY%readers", e: "0", j: "1", l: "16" });
    await world.house.pass(1_000);
    assert.deepEqual(texts(await client.pull("%RETRY%readers", 0)), ["again"]);
  });
});

test("6.4 the topic of delayed messages can be looked at, and holds none", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.send("later", { DELAY: "3" });
    const answer = await client.call(202, { topic: "SCHEDULE_TOPIC_XXXX" });
    assert.equal(answer.code, 0);
    assert.equal((await client.send("x", {}, { b: "SCHEDULE_TOPIC_XXXX" })).code, 16);
  });
});
