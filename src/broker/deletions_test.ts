/** What is deleted while a shard is away is gone when it comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OneThreadBroker, sendOf, withBroker } from "../../tests/support/one_thread_broker.ts";
import { BrokerError } from "../model/errors.ts";
import { everything } from "../model/subscription.ts";

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

const receive = (broker: OneThreadBroker, topic: string, waitMs = 0) => {
  const wish = { clientId: "c", messagesMax: 1, bytesMax: 1_000, invisibleMs: 60_000, waitMs };
  return broker.door.receive({ topic, group: "g", ...wish, filter: everything });
};

/** In each shard: who reads, as open deliveries, and what waits to be tried again. */
async function openIn(broker: OneThreadBroker): Promise<readonly number[]> {
  const { shards } = await broker.run(broker.door.health());
  return shards.map(({ stats }) => stats.openDeliveries);
}

/** Group g has a lease in each of two shards. */
async function lease(broker: OneThreadBroker): Promise<void> {
  await fill(broker, "t");
  await broker.run(broker.door.createGroup("g", {}));
  for (let queueId = 0; queueId < 4; queueId++) await broker.run(receive(broker, "t"));
}

test("deleteGroup() is answered while a shard is away, which drops it when it hears", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    await lease(broker);
    assert.deepEqual(await openIn(broker), [2, 2]);
    await broker.without(1, async () => {
      assert.equal(await codeOf(broker, broker.door.deleteGroup("g")), "none");
      assert.equal(broker.door.group("g"), undefined);
      assert.equal(await codeOf(broker, broker.door.deleteGroup("g")), "group_not_found");
    });
    assert.deepEqual(await openIn(broker), [0, 2]);
    await broker.pass(1_000);
    await broker.settle();
    assert.deepEqual(await openIn(broker), [0, 0]);
  });
});

test("a group made anew has nothing of the deleted one, whatever a shard has still", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    await lease(broker);
    const { door } = broker;
    await broker.run(door.resetOffsets("g", "t", { kind: "latest" }, "ops"));
    await broker.without(1, async () => {
      await broker.run(door.deleteGroup("g"));
      await broker.run(door.createGroup("g", { startFrom: "earliest" }));
    });
    const look = async () => ({
      places: (await broker.run(broker.door.places("g", "t"))).map(({ nextOffset }) => nextOffset),
      events: await broker.run(broker.door.placeEvents("g", "t")),
      letters: (await broker.run(broker.door.deadLetters.list("g", null, 9))).letters,
    });
    const nothing = { places: [null, null, null, null], events: [], letters: [] };
    assert.deepEqual(await look(), nothing);
    // The shard comes back as the start of a new process: with the old group in its file.
    await broker.restart();
    await broker.settle();
    assert.deepEqual([await look(), await openIn(broker)], [nothing, [0, 0]]);
    for (let queueId = 0; queueId < 4; queueId++) {
      assert.equal((await broker.run(receive(broker, "t"))).length, 1);
    }
  });
});

test("who waits for a topic or in a group is told at once that it was deleted", async () => {
  await withBroker({ shards: 2 }, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("t", { queues: 4 }));
    await broker.run(door.createGroup("g", {}));
    const poll = codeOf(broker, receive(broker, "t", 60_000));
    const pull = { topic: "t", queueId: 1, offset: 0, messagesMax: 1, bytesMax: 1_000 };
    const read = codeOf(broker, door.pull({ ...pull, waitMs: 60_000, filter: everything }));
    await broker.settle();
    await broker.run(door.deleteTopic("t"));
    const fresh = await codeOf(broker, (async () => await receive(broker, "t"))());
    const codes = [await poll, await read, fresh];
    assert.deepEqual(codes, ["topic_not_found", "topic_not_found", "topic_not_found"]);

    await broker.run(door.createTopic("t", { queues: 4 }));
    const again = codeOf(broker, receive(broker, "t", 60_000));
    await broker.settle();
    // One shard stands still: what is told is that the group is gone.
    await broker.without(1, async () => await broker.run(door.deleteGroup("g")));
    await broker.pass(1_000);
    assert.equal(await again, "group_not_found");
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
