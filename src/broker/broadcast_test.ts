import assert from "node:assert/strict";
import { test } from "node:test";
import { keptMs } from "../core/broadcast_readers.ts";
import { everything } from "../model/subscription.ts";
import {
  bodyText,
  type OneThreadBroker,
  sendOf,
  withBroker,
} from "../../tests/support/one_thread_broker.ts";
import type { ReceivedMessage } from "./broker.ts";

async function receive(
  broker: OneThreadBroker,
  clientId: string,
  mode: "cluster" | "broadcast" = "broadcast",
): Promise<ReceivedMessage[]> {
  const sizes = { messagesMax: 100, bytesMax: 1_000_000, invisibleMs: 10_000, waitMs: 0 };
  const ask = { topic: "news", group: "screens", clientId, filter: everything, mode, ...sizes };
  return await broker.run(broker.door.receive(ask));
}

function bodies(received: readonly ReceivedMessage[]): string[] {
  return received.map(({ record }) => bodyText(record)).sort();
}

/** Receives and acknowledges. */
async function take(...args: Parameters<typeof receive>): Promise<string[]> {
  const [broker] = args;
  const received = await receive(...args);
  const receipts = received.map(({ receipt }) => receipt);
  const verdicts = receipts.length === 0
    ? []
    : await broker.run(broker.door.ack("screens", receipts));
  assert.ok(verdicts.every(({ verdict }) => verdict === "done"));
  return bodies(received);
}

async function withNews(work: (broker: OneThreadBroker) => Promise<void>): Promise<void> {
  await withBroker({ shards: 2 }, async (broker) => {
    await broker.run(broker.door.createTopic("news", { queues: 2 }));
    await work(broker);
  });
}

async function send(broker: OneThreadBroker, ...texts: string[]): Promise<void> {
  for (const text of texts) await broker.run(broker.door.send(sendOf("news", [text])));
}

test("broadcast gives each client every message, and the group's cluster its share", async () => {
  await withNews(async (broker) => {
    await send(broker, "a", "b", "c");

    const all = ["a", "b", "c"];
    const seen = async (clientId: string, mode?: "cluster") => {
      const first = await take(broker, clientId, mode);
      return [...first, ...await take(broker, clientId, mode)].sort();
    };
    assert.deepEqual(await seen("one"), all);
    assert.deepEqual(await seen("two"), all);
    assert.deepEqual(await seen("one", "cluster"), all);
    assert.deepEqual(await seen("two", "cluster"), []);
    assert.deepEqual(await seen("one"), []);
  });
});

test("broadcast lets a client that comes back miss nothing, also over a restart", async () => {
  await withNews(async (broker) => {
    await take(broker, "one");
    await send(broker, "a");
    await broker.restart();
    await send(broker, "b");
    broker.timers.clock.jump(keptMs - 1);

    const first = await take(broker, "one");
    assert.deepEqual([...first, ...await take(broker, "one")].sort(), ["a", "b"]);
  });
});

test("broadcast delivers again to the same client, without end or dead letters", async () => {
  await withNews(async (broker) => {
    const { door } = broker;
    await broker.run(door.createGroup("screens", { attemptsMax: 2, retryDelaysMs: [0] }));
    await send(broker, "a");
    for (let attempt = 1; attempt <= 5; attempt++) {
      const [message] = await receive(broker, "one");
      assert.equal(message?.attempt, attempt);
      const settled = await broker.run(door.nack("screens", [message.receipt], 0));
      assert.equal(settled[0]?.verdict, "done");
    }
    const ranges = await broker.run(door.queueRanges("%DLQ%screens"));
    assert.deepEqual(ranges.map(({ maxOffset }) => maxOffset), [0, 0]);
    assert.deepEqual(await take(broker, "two"), ["a"]);
  });
});

test("broadcast drops the places of a client that does not come for a week", async () => {
  await withNews(async (broker) => {
    await take(broker, "one");
    await send(broker, "a");
    await take(broker, "one");
    await take(broker, "one");
    broker.timers.clock.jump(keptMs);
    await broker.pass(120_000);
    const { shards } = await broker.run(broker.door.health());
    assert.equal(shards.length, 2);

    // Everything comes again: the client is a new one, and the group begins with the earliest.
    const first = await take(broker, "one");
    assert.deepEqual([...first, ...await take(broker, "one")], ["a"]);
  });
});

test("a broadcast receipt settles nothing for others, nor once its own group is gone", async () => {
  await withNews(async (broker) => {
    const { door } = broker;
    await send(broker, "a");
    const [message] = await receive(broker, "one");
    assert.ok(message);
    await broker.run(door.createGroup("others", {}));
    const foreign = await broker.run(door.ack("others", [message.receipt]));
    assert.equal(foreign[0]?.verdict, "invalid");

    await broker.run(door.deleteGroup("screens"));
    const first = await take(broker, "one");
    assert.deepEqual([...first, ...await take(broker, "one")], ["a"]);
  });
});
