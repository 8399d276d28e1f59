/** What is deleted while a shard is away is gone when it comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OneThreadBroker, sendOf, withBroker } from "../../tests/support/one_thread_broker.ts";
import { BrokerError } from "../model/errors.ts";

/** Messages and timers in each shard. */
async function stored(broker: OneThreadBroker): Promise<(readonly [number, number])[]> {
  const { shards } = await broker.run(broker.door.health());
  return shards.map(({ stats }) => [stats.messages, stats.delayed] as const);
}

/** A message and a timer for each of four queues, which lie in two shards. */
async function fill(broker: OneThreadBroker, topic: string): Promise<void> {
  await broker.run(broker.door.createTopic(topic, { queues: 4 }));
  for (let queueId = 0; queueId < 4; queueId++) {
    const now = { ...sendOf(topic, ["now"]), queueId };
    await broker.run(broker.door.send(now));
    const timing = { deliverAtMs: null, delayMs: 3_600_000, timerKey: null };
    const messages = now.messages.map((message) => ({ ...message, timing }));
    await broker.run(broker.door.send({ ...now, messages }));
  }
}

async function codeOf(broker: OneThreadBroker, asked: Promise<unknown>): Promise<string> {
  try {
    await broker.run(asked);
    return "none";
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.code;
    throw thrown;
  }
}

test("deleteTopic() leaves nothing in a shard that was away, once it has come back", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    await fill(broker, "gone");
    await fill(broker, "kept");
    await broker.without(1, async () => {
      // The deletion is decided, and stored: what is left to do is no business of who asked.
      assert.equal(await codeOf(broker, broker.door.deleteTopic("gone")), "none");
      assert.equal(broker.door.topic("gone"), undefined);
    });
    assert.deepEqual(await stored(broker), [[2, 2], [4, 4]]);

    await broker.restart();
    await broker.settle();
    assert.deepEqual(await stored(broker), [[2, 2], [2, 2]]);
    const ranges = await broker.run(broker.door.queueRanges("kept"));
    assert.deepEqual(ranges.map(({ maxOffset }) => maxOffset), [1, 1, 1, 1]);
  });
});

test("deleteTopic() that a shard did not hear is told to it by the coordinator", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    await fill(broker, "gone");
    await broker.without(1, async () => {
      await codeOf(broker, broker.door.deleteTopic("gone"));
    });
    await broker.pass(1_000);
    await broker.settle();
    assert.deepEqual(await stored(broker), [[0, 0], [0, 0]]);
    await fill(broker, "gone");
    assert.deepEqual(await stored(broker), [[2, 2], [2, 2]]);
  });
});

/** Sends one message with this id, now or as a timer with a key. */
async function sendWithId(broker: OneThreadBroker, messageId: string, isTimer: boolean) {
  const request = sendOf("again", [messageId], { UNIQ_KEY: messageId, KEYS: "red" });
  const timing = { deliverAtMs: null, delayMs: 60_000, timerKey: "k" };
  const messages = isTimer
    ? request.messages.map((message) => ({ ...message, timing }))
    : request.messages;
  const [receipt] = await broker.run(broker.door.send({ ...request, messages }));
  return receipt;
}

test("a topic made anew has nothing of the deleted one, after a start too", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    await broker.run(broker.door.createTopic("again", { queues: 4 }));
    await broker.run(broker.door.createGroup("g", {}));
    await sendWithId(broker, "now", false);
    await sendWithId(broker, "later", true);
    await broker.run(broker.door.deleteTopic("again"));
    await broker.run(broker.door.createTopic("again", { queues: 2 }));
    const look = async () => {
      const { door } = broker;
      const query = { topic: "again", fromMs: 0, toMs: 1e15, after: null, timersMax: 9 };
      const target = { by: "id", messageId: "now", topic: "again" } as const;
      return {
        ranges: (await broker.run(door.queueRanges("again"))).map(({ maxOffset }) => maxOffset),
        timers: (await broker.run(door.timers.list(query))).count,
        byKey: await broker.run(door.timers.find("again", { by: "key", timerKey: "k" })),
        byId: await broker.run(door.findById("again", "now")),
        byWord: await broker.run(door.findByKey("again", "red", 9)),
        cancels: await Promise.all(["now", "later"].map(async (messageId) => {
          const name = { by: "id", messageId } as const;
          return (await broker.run(door.timers.cancel("again", name))).verdict;
        })),
        cause: (await broker.run(door.explain(target, "g"))).causes[0]?.cause,
      };
    };
    const nothing = {
      ranges: [0, 0],
      timers: 0,
      byKey: null,
      byId: [],
      byWord: [],
      cancels: ["unknown", "unknown"],
      cause: "unknown-message",
    } as const;
    assert.deepEqual(await look(), nothing);
    await broker.restart();
    assert.deepEqual(await look(), nothing);
    await broker.pass(60_010);
    // Made in the very tick of the old one, it does not take a message for one it had.
    const again = await sendWithId(broker, "now", false);
    assert.deepEqual([again?.repeated, again?.offset], [false, 0]);
  });
});
