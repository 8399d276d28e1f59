import assert from "node:assert/strict";
import { test } from "node:test";
import {
  groupOf,
  plainSigner,
  ScriptedShards,
  topicIn,
} from "../../tests/support/scripted_shards.ts";
import { codeOf, recordOf } from "../../tests/support/shard_bench.ts";
import { ManualClock } from "../base/clock.ts";
import type { ReceiveAsk } from "../link/shard_messages.ts";
import { BrokerError } from "../model/errors.ts";
import { packPhysicalOffset } from "../model/message_id.ts";
import { everything } from "../model/subscription.ts";
import { Reader } from "./receive.ts";
import { writeReceipt } from "./receipts.ts";

const delivery = { offset: 4, attempt: 1, lease: 99, invisibleUntilMs: 5 };

/** One leased message of the first queue that was asked for. */
function oneOf(ask: ReceiveAsk) {
  const record = recordOf("a");
  const [queueKey = 0] = ask.queueKeys;
  const deliveries = [{ ...delivery, queueKey, bytes: record.length }];
  return { head: { deliveries }, blob: record };
}
const none = { head: { deliveries: [] }, blob: new Uint8Array(0) };

/** A reader of topic "t", queues 1 and 2 in shards 0 and 1, for group "g". */
function reading(receive: ConstructorParameters<typeof ScriptedShards>[1]["receive"]) {
  const shards = new ScriptedShards(2, {
    ...(receive === undefined ? {} : { receive }),
    ack: ({ leases }) => ({ verdicts: leases.map(() => "done" as const) }),
    nack: ({ leases }) => ({ verdicts: leases.map(() => "done" as const) }),
    sendBack: () => ({ outcome: "retry", dueMs: 1 }),
    forget: () => null,
  });
  shards.view.putTopic(topicIn("t", [0, 1]));
  shards.view.putTopic(topicIn("%RETRY%g", [0, 1], {}, 10));
  shards.view.putTopic(topicIn("%DLQ%g", [0, 1], {}, 20));
  shards.view.putGroup(groupOf("g", 3));
  const { view, router } = shards;
  const otherFilters = { beside: () => [], changed: () => undefined };
  const clock = new ManualClock();
  const readerKeys = { of: () => Promise.resolve(900) };
  const parts = { view, router, signer: plainSigner, clock, otherFilters, readerKeys };
  const reader = new Reader(parts);
  return { reader, shards };
}

function request(waitMs = 0) {
  return {
    topic: "t",
    group: "g",
    clientId: "c",
    messagesMax: 8,
    bytesMax: 1_000,
    invisibleMs: 1_000,
    waitMs,
    filter: everything,
  };
}

function receiptIn(shard: number, offset: number, groupKey = 3): string {
  return writeReceipt(plainSigner, { groupKey, shard, queueKey: shard + 1, offset, lease: 99 });
}

test("receive() asks shard after shard, and stops at the first that has something", async () => {
  const { reader, shards } = reading((ask, shard) => shard === 1 ? oneOf(ask) : none);
  const [message] = await reader.receive(request(5_000));

  assert.deepEqual([message?.queueId, message?.offset, message?.attempt], [1, 4, 1]);
  assert.deepEqual(shards.asked, ["0 receive", "1 receive"]);
  const waits = shards.requests.map(({ asked }) =>
    asked.name === "receive" && asked.request.waitMs
  );
  assert.deepEqual(waits, [0, 0]);
});

test("receive() names the dead-letter queue of the very shard it asks", async () => {
  const { reader, shards } = reading(() => none);
  assert.deepEqual(await reader.receive(request()), []);
  const keys = shards.requests.map(({ asked }) =>
    asked.name === "receive" && asked.request.policy.deadLetterQueueKey
  );
  assert.deepEqual(keys, [21, 22]);
});

test("receive() gives back, uncounted, what a second shard found at the same moment", async () => {
  const { reader, shards } = reading((ask) => ask.waitMs > 0 ? oneOf(ask) : none);
  const messages = await reader.receive(request(5_000));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();

  assert.equal(messages.length, 1);
  const nacks = shards.requests.flatMap(({ asked, shard }) =>
    asked.name === "nack" ? [{ shard, ...asked.request }] : []
  );
  assert.deepEqual(nacks.map(({ shard, unseen, delayMs }) => [shard, unseen, delayMs]), [
    [1, true, 0],
  ]);
});

test("receive() refuses for a group that is switched off, and for names nobody knows", async () => {
  const { reader, shards } = reading(() => none);
  assert.equal(await codeOf(reader.receive({ ...request(), group: "x" })), "group_not_found");
  assert.equal(await codeOf(reader.receive({ ...request(), topic: "x" })), "topic_not_found");
  const group = groupOf("g", 3);
  shards.view.putGroup({ ...group, settings: { ...group.settings, consumeEnabled: false } });
  assert.equal(await codeOf(reader.receive(request())), "no_permission");
  assert.deepEqual(shards.asked, []);
});

test("ack() answers in the order of the receipts, whatever shards they lead to", async () => {
  const { reader, shards } = reading(undefined);
  const receipts = [
    receiptIn(1, 1),
    "forged",
    receiptIn(0, 2),
    receiptIn(1, 3),
    receiptIn(0, 4, 9),
  ];
  const verdicts = await reader.ack("g", receipts);

  assert.deepEqual(verdicts.map(({ verdict }) => verdict), [
    "done",
    "invalid",
    "done",
    "done",
    "invalid",
  ]);
  assert.deepEqual(verdicts.map(({ receipt }) => receipt), receipts);
  assert.deepEqual(shards.asked.sort(), ["0 ack", "1 ack"]);
});

test("ack() knows no receipt of a shard that is not there", async () => {
  const { reader } = reading(undefined);
  const [answer] = await reader.ack("g", [receiptIn(2, 1)]);
  assert.equal(answer?.verdict, "invalid");
});

test("nack() of a consumer counts the attempt", async () => {
  const { reader, shards } = reading(undefined);
  await reader.nack("g", [receiptIn(0, 1)], null);
  const [{ asked } = { asked: null }] = shards.requests;
  assert.ok(asked?.name === "nack");
  assert.deepEqual([asked.request.unseen, asked.request.delayMs], [false, null]);
});

test("sendBack() stays in the shard of the message, and knows which shards there are", async () => {
  const { reader, shards } = reading(undefined);
  const back = { group: "g", delayMs: null, retriesMax: null, originMessageId: "" };
  await reader.sendBack({ ...back, physicalOffset: packPhysicalOffset(1, 7) });
  const [{ asked } = { asked: null }] = shards.requests;
  assert.ok(asked?.name === "sendBack");
  const { position, retryQueueKey, deadLetterQueueKey } = asked.request;
  assert.deepEqual([position, retryQueueKey, deadLetterQueueKey], [7, 12, 22]);

  const nowhere = { ...back, physicalOffset: packPhysicalOffset(2, 7) };
  assert.equal(await codeOf(reader.sendBack(nowhere)), "message_not_found");
});

test("receive() fails as its shards do", async () => {
  const { reader } = reading(() => {
    throw new BrokerError("storage_failed");
  });
  assert.equal(await codeOf(reader.receive(request(5_000))), "storage_failed");
});

test("receive() hands out what other shards have while one stands still", async () => {
  const stopped = new BrokerError("storage_failed", "it was stopped");
  const { reader } = reading((ask, shard) => {
    if (shard === 0) throw stopped;
    return oneOf(ask);
  });
  for (const _ of [1, 2]) assert.equal((await reader.receive(request())).length, 1);

  const { reader: idle } = reading((_, shard) => {
    if (shard === 0) throw stopped;
    return none;
  });
  assert.deepEqual(await idle.receive(request(10)), []);
});

test("receive() tells what is wrong when no shard can be asked", async () => {
  const { reader } = reading(() => {
    throw new BrokerError("storage_damaged", "a turn does not match its checksum");
  });
  assert.equal(await codeOf(reader.receive(request(10))), "storage_damaged");
});
