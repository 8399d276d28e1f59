/** Messages sent again after their topic was given more queues. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../base/limits.ts";
import type { BrokerError } from "../model/errors.ts";
import type { SendReceipt } from "../model/message.ts";
import { type OneThreadBroker, sendOf, withBroker } from "../../tests/support/one_thread_broker.ts";
import { queueOfId } from "./send.ts";

const windowMs = 600_000;
const ids = Array.from({ length: 30 }, (_, at) => `id-${at}`);

type Rest = { readonly shardingKey?: string; readonly delayMs?: number };

/** A send of one message. */
function requestOf(id: string, { shardingKey, delayMs }: Rest = {}) {
  const request = sendOf("orders", [id], { UNIQ_KEY: id });
  const timing = { deliverAtMs: null, delayMs: delayMs ?? 0, timerKey: null };
  return {
    ...request,
    ...(shardingKey === undefined ? {} : { shardingKey }),
    messages: request.messages.map((message) => {
      return delayMs === undefined ? message : { ...message, timing };
    }),
  };
}

async function send(broker: OneThreadBroker, id: string, rest: Rest = {}): Promise<SendReceipt> {
  const [receipt] = await broker.run(broker.door.send(requestOf(id, rest)));
  assert.ok(receipt);
  return receipt;
}

/** Where each id is, as "queue/offset"; all have to be of one kind. */
async function placesOf(
  broker: OneThreadBroker,
  repeated: boolean,
  rest: Rest = {},
): Promise<string[]> {
  const places: string[] = [];
  for (const id of ids) {
    const receipt = await send(broker, id, rest);
    assert.equal(receipt.repeated, repeated, id);
    places.push(`${receipt.queueId}/${receipt.offset}/${receipt.physicalOffset}`);
  }
  return places;
}

async function grow(broker: OneThreadBroker, queues: number): Promise<void> {
  await broker.run(broker.door.changeTopic("orders", { queues }));
}

/** Messages that anybody can see. */
async function storedCount(broker: OneThreadBroker): Promise<number> {
  const ranges = await broker.run(broker.door.queueRanges("orders"));
  return ranges.reduce((sum, { maxOffset }) => sum + maxOffset, 0);
}

async function pendingCount(broker: OneThreadBroker): Promise<number> {
  const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, after: null, timersMax: 100 };
  return (await broker.run(broker.door.timers.list({ topic: "orders", ...all }))).count;
}

/** A topic of two queues in a broker of three shards. */
async function withOrders(work: (broker: OneThreadBroker) => Promise<void>): Promise<void> {
  await withBroker({ shards: 3 }, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 2 }));
    await work(broker);
  });
}

test("Sender.send() knows an id from before its topic grew, also after a restart", async () => {
  await withOrders(async (broker) => {
    const first = await placesOf(broker, false);
    await grow(broker, 7);
    assert.deepEqual(await placesOf(broker, true), first);
    await broker.restart();
    assert.deepEqual(await placesOf(broker, true), first);
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() leads new ids to added queues while it asks for the old ones", async () => {
  await withOrders(async (broker) => {
    await grow(broker, 7);
    const queueIds = new Set<number>();
    for (const id of ids) queueIds.add((await send(broker, `new-${id}`)).queueId);
    assert.ok([...queueIds].filter((queueId) => queueId >= 2).length > 3);
  });
});

test("Sender.send() knows an id through more growths than are remembered one by one", async () => {
  await withOrders(async (broker) => {
    const first = await placesOf(broker, false);
    for (let step = 1; step <= limits.formerQueuesMax + 4; step++) {
      await grow(broker, 2 + step);
      await broker.pass(10_000);
    }
    assert.deepEqual(await placesOf(broker, true), first);
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() knows what was sent between two growths", async () => {
  await withOrders(async (broker) => {
    await grow(broker, 5);
    const first = await placesOf(broker, false);
    await grow(broker, 11);
    assert.deepEqual(await placesOf(broker, true), first);
  });
});

test("Sender.send() stores an id anew once its window is over, growth or not", async () => {
  await withOrders(async (broker) => {
    const first = await placesOf(broker, false);
    await broker.pass(1_000);
    await grow(broker, 7);
    await broker.pass(windowMs - 2_000);
    assert.deepEqual(await placesOf(broker, true), first);
    await broker.pass(2_000);
    await placesOf(broker, false);
    assert.equal(await storedCount(broker), 2 * ids.length);
  });
});

test("Sender.send() asks nobody once the window of the growth is over", async () => {
  await withOrders(async (broker) => {
    await grow(broker, 3);
    await broker.pass(windowMs + limits.formerQueuesLateMs + 1);
    for (const shard of [0, 1, 2]) {
      await broker.without(shard, async () => {
        for (const id of ids) {
          const topic = broker.door.topic("orders");
          assert.ok(topic);
          const name = `${shard} ${id}`;
          if (topic.queueRefs[queueOfId(topic, name)]?.shard === shard) continue;
          assert.equal((await send(broker, name)).repeated, false);
        }
      });
    }
  });
});

test("Sender.send() stores of a batch what it does not know, in its order", async () => {
  await withOrders(async (broker) => {
    const { door } = broker;
    // By the first id, as a batch of a client that sends it again as a whole.
    const batchOf = (names: readonly string[]) => ({
      ...sendOf("orders", []),
      messages: names.flatMap((id) => requestOf(id).messages),
    });
    const first = await broker.run(door.send(batchOf(["a", "b"])));
    await grow(broker, 7);
    const second = await broker.run(door.send(batchOf(["a", "x", "b", "y", "x"])));

    assert.deepEqual(second.map(({ repeated }) => repeated), [true, false, true, false, true]);
    const places = second.map(({ queueId, offset }) => `${queueId}/${offset}`);
    const [known] = first.map(({ queueId }) => queueId);
    const present = second[1]?.queueId;
    const expected = [`${known}/0`, `${present}/0`, `${known}/1`, `${present}/1`, `${present}/0`];
    assert.deepEqual(places, expected);
    assert.deepEqual(second.map(({ messageId }) => messageId), ["a", "x", "b", "y", "x"]);
    const found = await broker.run(door.findByPhysicalOffset(second[2]?.physicalOffset ?? -1));
    assert.equal(found?.queueId, known);
  });
});

test("Sender.send() knows an id whose sharding key led elsewhere before", async () => {
  await withOrders(async (broker) => {
    for (const shardingKey of ["red", "green", "blue", "grey"]) {
      const first = await send(broker, shardingKey, { shardingKey });
      await grow(broker, (broker.door.topic("orders")?.queueRefs.length ?? 0) + 2);
      const again = await send(broker, shardingKey, { shardingKey });
      assert.deepEqual([again.queueId, again.offset], [first.queueId, first.offset]);
      assert.ok(again.repeated);
    }
    assert.equal(await storedCount(broker), 4);
  });
});

test("Sender.send() refuses an id when who may know it cannot be asked", async () => {
  await withOrders(async (broker) => {
    const first = await placesOf(broker, false);
    await grow(broker, 7);
    for (const shard of [0, 1, 2]) {
      await broker.without(shard, async () => {
        for (const [at, id] of ids.entries()) {
          const told = await send(broker, id).catch((thrown: BrokerError) => thrown);
          if (!(told instanceof Error)) assert.ok(told.repeated, id);
          else {
            assert.equal(told.code, "storage_failed");
            assert.match(told.message, /holds the message already|Cannot ask shard/, `${at}`);
          }
        }
      });
    }
    assert.deepEqual(await placesOf(broker, true), first);
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() forgets what an earlier topic of the name had stored", async () => {
  await withOrders(async (broker) => {
    await placesOf(broker, false);
    await broker.run(broker.door.deleteTopic("orders"));
    await broker.run(broker.door.createTopic("orders", { queues: 2 }));
    assert.deepEqual(broker.door.topic("orders")?.formerQueues, []);
    await grow(broker, 7);
    await placesOf(broker, false);
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() looks again when its topic grows while it asks", async () => {
  await withOrders(async (broker) => {
    const { door } = broker;
    await grow(broker, 5);
    // The first are asked while the topic grows, and the second as soon as that is known.
    const first = Promise.all(ids.map((id) => door.send(requestOf(id))));
    const second = door.changeTopic("orders", { queues: 12 })
      .then(() => Promise.all(ids.map((id) => door.send(requestOf(id)))));
    const all = await broker.run(Promise.all([first, second]));
    const [one, other] = all.map((receipts) => receipts.flat().map((it) => it.physicalOffset));

    assert.deepEqual(one, other);
    const third = await broker.run(Promise.all(ids.map((id) => door.send(requestOf(id)))));
    assert.deepEqual(third.flat().map(({ physicalOffset }) => physicalOffset), one);
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() refuses ids as one when they part while their topic grows", async () => {
  await withOrders(async (broker) => {
    const { door } = broker;
    await grow(broker, 5);
    const topic = door.topic("orders") ?? assert.fail();
    const byQueue = [...Map.groupBy(ids, (id) => queueOfId(topic, id))];
    const sent = Promise.allSettled(byQueue.map(([queueId, its]) => {
      const messages = its.flatMap((id) => requestOf(id).messages);
      return door.send({ ...sendOf("orders", []), messages, queueId, queueByIds: true });
    }));
    const [outcomes] = await broker.run(
      Promise.all([sent, door.changeTopic("orders", { queues: 12 })]),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected");
    assert.ok(refused.length > 0);
    for (const outcome of refused) {
      assert.ok(outcome.status === "rejected");
      assert.match(String(outcome.reason), /got more queues in this very moment/);
    }
    await broker.run(Promise.all(ids.map((id) => door.send(requestOf(id)))));
    assert.equal(await storedCount(broker), ids.length);
  });
});

test("Sender.send() replaces a timer that is pending where it went before", async () => {
  await withOrders(async (broker) => {
    const delayMs = 30 * 86_400_000;
    for (const id of ids) await send(broker, id, { delayMs });
    for (const queues of [5, 8, 9]) await grow(broker, queues);
    // Of messages that are visible nobody would ask any more.
    await broker.pass(windowMs + limits.formerQueuesLateMs + 1);
    for (const id of ids) {
      const { replacedMessageId } = await send(broker, id, { delayMs });
      assert.equal(replacedMessageId, id);
    }
    assert.equal(await pendingCount(broker), ids.length);
    const queueIds: number[] = [];
    for (const id of ids) {
      const { queueId } = await send(broker, `${id} new`, { delayMs });
      queueIds.push(queueId);
    }
    assert.ok(Math.max(...queueIds) >= 2, "new timers go to the queues that were added");
  });
});

test("Sender.send() finds pending timers of one request, each where it is", async () => {
  await withOrders(async (broker) => {
    for (const id of ids) await send(broker, id, { delayMs: 5_000 });
    await grow(broker, 7);
    const messages = ids.flatMap((id) => requestOf(id, { delayMs: 9_000 }).messages);
    const asked = broker.door.send({ ...sendOf("orders", []), messages });
    const receipts = await broker.run(asked);

    assert.deepEqual(receipts.map(({ messageId }) => messageId), ids);
    assert.deepEqual(receipts.map(({ replacedMessageId }) => replacedMessageId), ids);
    assert.equal(await pendingCount(broker), ids.length);
  });
});

test("Sender.send() finds a pending timer by the sharding key it was sent with", async () => {
  await withOrders(async (broker) => {
    for (const id of ids) await send(broker, id, { delayMs: 5_000, shardingKey: `key ${id}` });
    await grow(broker, 7);
    for (const id of ids) await send(broker, id, { delayMs: 5_000, shardingKey: `key ${id}` });
    assert.equal(await pendingCount(broker), ids.length);
  });
});

test("Sender.send() knows what fired or was committed, from before its topic grew", async () => {
  await withOrders(async (broker) => {
    const { door } = broker;
    for (const id of ids) await send(broker, id, { delayMs: 1_000 });
    const prepared = await broker.run(door.transactions.prepare({
      ...requestOf("half"),
      producerGroup: "shop",
      message: requestOf("half").messages[0] ?? assert.fail(),
      checkUrl: null,
      immunityMs: null,
    }));
    await grow(broker, 7);
    await broker.pass(2_000);
    const { transactionId } = prepared;
    await broker.run(door.transactions.settle(transactionId, "commit", "shop"));

    const plain = await placesOf(broker, true);
    assert.deepEqual(await placesOf(broker, true, { delayMs: 1_000 }), plain);
    assert.deepEqual(await placesOf(broker, true, { delayMs: 0 }), plain);
    assert.equal(await pendingCount(broker), 0);
    assert.ok((await send(broker, "half")).repeated);
    assert.equal(await storedCount(broker), ids.length + 1);
  });
});

test("Sender.send() knows an id although the clock was set back since then", async () => {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 2 }));
    broker.timers.clock.jump(-5_000);
    const first = await placesOf(broker, false);
    assert.deepEqual(await placesOf(broker, true), first);
  });
});
