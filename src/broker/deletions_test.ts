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
      assert.equal(await codeOf(broker, broker.door.deleteTopic("gone")), "storage_failed");
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
