/** Protocol 6.3: half messages, verdicts, and questions to producers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOffsetMessageId } from "../../../src/model/message_id.ts";
import { decodeProperties } from "../../../src/model/properties.ts";
import { readRecord } from "../../../src/model/record.ts";
import type { Received } from "./test_client.ts";
import { inWorld, type WholeClient } from "./whole_world.ts";

const [commit, rollback, unknown] = ["8", "12", "0"];
/** Until a producer is asked for the first time, and again. */
const [firstCheckMs, intervalMs] = [6_000, 30_000];

/** Sends a half message of group `payments`, as Java does. */
async function half(
  client: WholeClient,
  text: string,
  properties: Record<string, string> = {},
): Promise<Received> {
  const all = { TRAN_MSG: "true", PGROUP: "payments", ...properties };
  const answer = await client.send(text, all, { a: "payments", f: "4" });
  assert.equal(answer.code, 0, answer.remark);
  return answer;
}

/** What ends the transaction of a half message's answer. */
function verdictOf({ extFields }: Received, decision: string, changes = {}) {
  const id = parseOffsetMessageId(extFields["msgId"] ?? "");
  assert.ok(id, "the answer has an id that can be taken apart");
  return {
    ...{ topic: "orders", producerGroup: "payments", commitOrRollback: decision },
    tranStateTableOffset: extFields["queueOffset"] ?? "",
    commitLogOffset: String(id.physicalOffset),
    msgId: extFields["transactionId"] ?? "",
    transactionId: extFields["transactionId"] ?? "",
    fromTransactionCheck: "false",
    ...changes,
  };
}

/** The verdict a producer gives when it is asked. */
function verdictOfCheck({ extFields }: Received, decision: string) {
  const { tranStateTableOffset = "", commitLogOffset = "", msgId = "" } = extFields;
  return {
    ...{ tranStateTableOffset, commitLogOffset, msgId, producerGroup: "payments" },
    ...{ commitOrRollback: decision, fromTransactionCheck: "true" },
  };
}

test("6.3 a half message is answered with queue and ids, and not seen", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const { extFields } = await half(client, "a");
    assert.deepEqual([extFields["queueId"], extFields["transactionId"]], ["1", "K-a"]);
    const id = parseOffsetMessageId(extFields["msgId"] ?? "");
    assert.deepEqual([id?.ip, id?.port], ["127.0.0.1", 9876]);
    assert.ok((id?.physicalOffset ?? 0) > 2 ** 51, "no stored message has the number");
    assert.deepEqual(await client.pull(), []);
  });
});

test("6.3 code 37: a commit makes the message visible, with RocketMQ's bits", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const answer = await half(client, "a", { TAGS: "t" });
    const fields = verdictOf(answer, commit);
    assert.equal((await client.call(37, fields)).code, 0);
    const [record] = await client.pull();
    assert.equal((record?.sysFlag ?? 0) & 0xc, 8);
    assert.equal(String(record?.preparedTransactionOffset), fields.commitLogOffset);
    assert.deepEqual(Object.fromEntries(decodeProperties(record?.properties ?? "")), {
      ...{ UNIQ_KEY: "K-a", PGROUP: "payments", TAGS: "t", __transactionId__: "K-a" },
    });
  });
});

test("6.3 code 37: a rolled back message is never seen, and the first verdict stays", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const answer = await half(client, "a");
    assert.equal((await client.call(37, verdictOf(answer, rollback))).code, 0);
    assert.equal((await client.call(37, verdictOf(answer, rollback))).code, 0);
    const late = await client.call(37, verdictOf(answer, commit));
    assert.equal(late.code, 604);
    assert.match(late.remark ?? "", /rolled-back already/);
    assert.deepEqual(await client.pull(), []);
  });
});

test("6.3 code 37: a verdict of another group, or of other offsets, is refused", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const answer = await half(client, "a");
    const wrong: [Record<string, string>, RegExp][] = [
      [{ producerGroup: "others" }, /another group/],
      [{ tranStateTableOffset: "77" }, /not those of one half message/],
      [{ commitLogOffset: "256" }, /not those of one half message/],
      [{ commitLogOffset: "-1" }, /not those of one half message/],
      [{ commitOrRollback: "4" }, /8 commits, 12 rolls back/],
    ];
    for (const [changes, why] of wrong) {
      const refused = await client.call(37, verdictOf(answer, commit, changes));
      assert.equal(refused.code, 1);
      assert.match(refused.remark ?? "", why);
    }
    assert.equal(world.logged.length, wrong.length);
    assert.deepEqual(await client.pull(), []);
  });
});

test("6.3 a batch cannot be half", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const answer = await client.send("", { TRAN_MSG: "true" }, { m: "true", f: "4" });
    assert.equal(answer.code, 13);
  });
});

test("6.3 code 39: an undecided producer is asked, with all it has to know", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.produce("c1", "payments");
    const sent = await half(client, "a", { KEYS: "k" });
    await client.call(37, verdictOf(sent, unknown));
    await world.house.pass(firstCheckMs - 1);
    assert.deepEqual(client.asked(39), []);
    await world.house.pass(1);
    const [question] = client.asked(39);
    assert.ok(question);
    assert.equal(question.flag, 2);
    assert.deepEqual(question.extFields, {
      ...{ topic: "orders", msgId: "K-a", transactionId: "K-a", bname: "curlew" },
      tranStateTableOffset: sent.extFields["queueOffset"],
      commitLogOffset: verdictOf(sent, commit).commitLogOffset,
      offsetMsgId: sent.extFields["msgId"],
    });
    const record = readRecord(question.body);
    assert.deepEqual([record.topic, record.queueId], ["orders", 1]);
    assert.equal(String(record.physicalOffset), question.extFields["commitLogOffset"]);
    assert.deepEqual(Object.fromEntries(decodeProperties(record.properties)), {
      ...{ UNIQ_KEY: "K-a", PGROUP: "payments", KEYS: "k", __transactionId__: "K-a" },
      TRANSACTION_CHECK_TIMES: "1",
    });
    assert.equal((await client.call(37, verdictOfCheck(question, commit))).code, 0);
    assert.equal((await client.pull()).length, 1);
  });
});

test("6.3 code 39: after a restart another producer of the group is asked", async () => {
  await inWorld(async (world) => {
    await half(world.connect(), "a");
    await world.restart();
    const stranger = world.connect();
    await stranger.produce("c2", "others");
    const client = world.connect();
    await client.produce("c3", "payments");
    await world.house.pass(firstCheckMs);
    assert.deepEqual(stranger.asked(39), []);
    const [question] = client.asked(39);
    assert.ok(question);
    await client.call(37, verdictOfCheck(question, commit));
    assert.equal((await client.pull()).length, 1);
  });
});

test("6.3 code 39: only what was written to a connection counts as asked", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.produce("c1", "payments");
    await half(client, "a");
    client.connection.bufferedBytes = 64 * 1024 * 1024;
    await world.house.pass(firstCheckMs);
    assert.deepEqual(client.asked(39), []);
    const state = "prepared";
    const query = { state, after: null, transactionsMax: 9 } as const;
    const checks = async () => {
      const { house: { broker } } = world;
      const { transactions } = await broker.run(broker.door.transactions.list(query));
      return transactions.map((each) => each.checks);
    };
    assert.deepEqual(await checks(), [0]);
    client.connection.bufferedBytes = 0;
    await world.house.pass(intervalMs);
    assert.equal(client.asked(39).length, 1);
    assert.deepEqual(await checks(), [1]);
    await world.house.pass(intervalMs);
    assert.equal(client.asked(39).length, 2);
  });
});

test("10 code 323 has an undecided producer asked anew, by either id", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.produce("c1", "payments");
    const sent = await half(client, "a");
    const msgId = sent.extFields["msgId"] ?? "";
    const early = await client.call(323, { topic: "orders", msgId });
    assert.equal(early.code, 1);
    assert.match(early.remark ?? "", /not parked/);
    await world.house.pass(firstCheckMs);
    for (let check = 0; check < 20; check++) {
      await client.produce("c1", "payments");
      await world.house.pass(intervalMs);
    }
    const asked = client.asked(39).length;

    assert.equal((await client.call(323, { topic: "orders", msgId })).code, 0);

    await world.house.pass(firstCheckMs);
    assert.deepEqual([asked, client.asked(39).length], [15, 16]);
    assert.equal((await client.call(323, { topic: "orders", msgId: "K-a" })).code, 29);
    const stored = await client.send("b", {});
    const { msgId: storedId = "" } = stored.extFields;
    assert.equal((await client.call(323, { topic: "orders", msgId: storedId })).code, 22);
  });
});

test("6.3 code 39: the producers of a group are asked in turn", async () => {
  await inWorld(async (world) => {
    const [one, other] = [world.connect(), world.connect()];
    await one.produce("c1", "payments");
    await other.produce("c2", "payments");
    for (const text of ["a", "b", "c", "d"]) await half(one, text);
    await world.house.pass(firstCheckMs);
    assert.deepEqual([one.asked(39).length, other.asked(39).length], [2, 2]);
  });
});

test("6.3 code 39: a producer may ask for a later first question", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    await client.produce("c1", "payments");
    await half(client, "a", { CHECK_IMMUNITY_TIME_IN_SECONDS: "20" });
    await world.house.pass(19_999);
    assert.deepEqual(client.asked(39), []);
    await world.house.pass(1);
    assert.equal(client.asked(39).length, 1);
  });
});

test("6.3 6.4 a timer of a half message begins to count when it was sent", async () => {
  await inWorld(async (world) => {
    const client = world.connect();
    const sent = await half(client, "a", { TIMER_DELAY_SEC: "60" });
    await client.call(37, verdictOf(sent, commit));
    await world.house.pass(59_999);
    assert.deepEqual(await client.pull(), []);
    await world.house.pass(1);
    assert.equal((await client.pull()).length, 1);
  });
});
