import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyText, sendOf, withBroker } from "../../tests/support/one_thread_broker.ts";
import type { OneThreadBroker } from "../../tests/support/one_thread_broker.ts";

const windowMs = 600_000;

/** Sends one message with an id, and shows the receipt as "queue/offset", with "again" if so. */
async function send(broker: OneThreadBroker, id: string, body = id): Promise<string> {
  const request = sendOf("orders", [body], { UNIQ_KEY: id });
  const [receipt] = await broker.run(broker.door.send(request));
  assert.ok(receipt);
  return `${receipt.queueId}/${receipt.offset}${receipt.repeated ? " again" : ""}`;
}

/** The bodies of queue 0. */
async function bodies(broker: OneThreadBroker): Promise<string[]> {
  const received = await broker.run(broker.door.receive({
    topic: "orders",
    group: "reader",
    clientId: "r",
    messagesMax: 100,
    bytesMax: 1_000_000,
    invisibleMs: 1_000,
    waitMs: 0,
    filter: { kind: "all" },
  }));
  return received.map(({ record }) => bodyText(record));
}

test("Sender.send() answers the first receipt when an id comes again", async () => {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 1 }));

    const places = [await send(broker, "a"), await send(broker, "b"), await send(broker, "a", "x")];

    assert.deepEqual(places, ["0/0", "0/1", "0/0 again"]);
    assert.deepEqual(await bodies(broker), ["a", "b"]);
  });
});

test("Sender.send() recognises an id within one batch and one turn", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    const batch = sendOf("orders", ["a", "b", "c"], { UNIQ_KEY: "same" });
    const single = sendOf("orders", ["d"], { UNIQ_KEY: "same" });

    const [first, second] = await broker.run(Promise.all([door.send(batch), door.send(single)]));

    assert.deepEqual(first?.map(({ offset, repeated }) => [offset, repeated]), [
      [0, false],
      [0, true],
      [0, true],
    ]);
    assert.deepEqual(second?.map(({ offset, repeated }) => [offset, repeated]), [[0, true]]);
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("Sender.send() gives new messages their places around repeated ones", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    await send(broker, "b");
    const [a] = sendOf("orders", ["a"], { UNIQ_KEY: "a" }).messages;
    const [b] = sendOf("orders", ["b"], { UNIQ_KEY: "b" }).messages;
    const [c] = sendOf("orders", ["c"]).messages;
    assert.ok(a && b && c);

    const request = { ...sendOf("orders", []), messages: [a, b, c] };
    const receipts = await broker.run(door.send(request));

    assert.deepEqual(receipts.map(({ offset, repeated }) => [offset, repeated]), [
      [1, false],
      [0, true],
      [2, false],
    ]);
    const found = await broker.run(door.findByPhysicalOffset(receipts[2]?.physicalOffset ?? -1));
    assert.equal(found && bodyText(found.record), "c");
  });
});

test("Sender.send() recognises an id after a restart", async () => {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 1 }));
    await send(broker, "a");
    await broker.pass(1_000);
    await broker.restart();

    assert.deepEqual([await send(broker, "a"), await send(broker, "b")], ["0/0 again", "0/1"]);
    await broker.pass(windowMs - 1_000);
    assert.equal(await send(broker, "b"), "0/1 again");
  });
});

test("Sender.send() stores an id anew once the window is over, to the millisecond", async () => {
  await withBroker({ dedupeWindowMs: windowMs }, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 1 }));
    await send(broker, "a");

    await broker.pass(windowMs);
    assert.equal(await send(broker, "a"), "0/0 again");
    await broker.pass(1);
    assert.equal(await send(broker, "a"), "0/1");
  });
});

test("Sender.send() tells topics apart, also one made anew with the same name", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    await broker.run(door.createTopic("others", { queues: 1 }));
    await broker.run(door.send(sendOf("others", ["x"], { UNIQ_KEY: "a" })));
    assert.equal(await send(broker, "a"), "0/0");

    await broker.run(door.deleteTopic("orders"));
    await broker.pass(1);
    await broker.run(door.createTopic("orders", { queues: 1 }));
    assert.equal(await send(broker, "a"), "0/0");
  });
});

test("Sender.send() leads an id to the same queue and shard every time", async () => {
  await withBroker({ shards: 3 }, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 7 }));
    const ids = Array.from({ length: 30 }, (_, at) => `id-${at}`);
    const first: string[] = [];
    for (const id of ids) first.push(await send(broker, id));
    const second: string[] = [];
    for (const id of ids) second.push(await send(broker, id));

    assert.deepEqual(second, first.map((place) => `${place} again`));
    assert.ok(new Set(first.map((place) => place.split("/")[0])).size > 3);
  });
});

test("Sender.send() stores everything where the topic or the broker says so", async () => {
  for (const [dedupe, dedupeWindowMs] of [["off", windowMs], ["explicit", 0]] as const) {
    await withBroker({ dedupeWindowMs }, async (broker) => {
      await broker.run(broker.door.createTopic("orders", { queues: 1, dedupe }));
      assert.deepEqual([await send(broker, "a"), await send(broker, "a")], ["0/0", "0/1"]);
    });
  }
});

test("Sender.send() looks at ids of RocketMQ's clients only when the topic says all", async () => {
  for (const [dedupe, expected] of [["explicit", [0, 1]], ["all", [0, 0]]] as const) {
    await withBroker({}, async (broker) => {
      const { door } = broker;
      await broker.run(door.createTopic("orders", { queues: 1, dedupe }));
      const { ownIds: _, ...request } = sendOf("orders", ["a"], { UNIQ_KEY: "made-up" });
      const offsets: (number | null | undefined)[] = [];
      for (let time = 0; time < 2; time++) {
        offsets.push((await broker.run(door.send(request)))[0]?.offset);
      }
      assert.deepEqual(offsets, expected);
    });
  }
});

test("Sender.send() counts what is sent, timers and requests too, and no refusal", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    const counted = () => door.traffic.window("put", "orders", 60_000);
    const { messages, ...target } = sendOf("orders", ["abc", "de"], {});
    const [message] = messages;
    assert.ok(message);

    await broker.run(door.send({ ...target, messages }));
    assert.deepEqual([counted()?.messages, counted()?.bytes, counted()?.times], [2, 5, 1]);
    const timing = { deliverAtMs: null, delayMs: 1_000, timerKey: null };
    await broker.run(door.send({ ...target, messages: [{ ...message, timing }] }));
    assert.deepEqual([counted()?.messages, counted()?.bytes], [3, 8]);
    const reply = door.request({ ...target, message, timeoutMs: 10 });
    reply.catch(() => null);
    await broker.pass(20);
    assert.deepEqual([counted()?.messages, counted()?.bytes], [4, 11]);
    const refused = broker.run(door.send({ ...target, queueId: 7, messages }));
    await assert.rejects(refused, { code: "queue_not_found" });
    assert.equal(counted()?.messages, 4);
  });
});
