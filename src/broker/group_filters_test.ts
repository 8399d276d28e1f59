import assert from "node:assert/strict";
import { test } from "node:test";
import { javaHash } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { liveMs } from "../core/live_filters.ts";
import { compileExpression } from "../core/filter.ts";
import { everything, type Filter } from "../model/subscription.ts";
import {
  bodyText,
  type OneThreadBroker,
  sendOf,
  withBroker,
} from "../../tests/support/one_thread_broker.ts";
import type { ReceivedMessage } from "./broker.ts";

function tags(...names: string[]): Filter {
  return { kind: "tags", tags: names, hashes: names.map(javaHash) };
}

/** What `clientId` would ask. */
function ask(filter: Filter, clientId = "c", messagesMax = 10, waitMs = 0) {
  const sizes = { messagesMax, bytesMax: 1_000_000, invisibleMs: 10_000, waitMs };
  return { topic: "orders", group: "billing", clientId, filter, ...sizes };
}

/** Receives, acknowledges, and shows the bodies. */
async function take(broker: OneThreadBroker, filter: Filter, max = 10): Promise<string[]> {
  const received = await broker.run(broker.door.receive(ask(filter, "c", max)));
  return await acked(broker, received);
}

async function acked(broker: OneThreadBroker, received: readonly ReceivedMessage[]) {
  const receipts = received.map(({ receipt }) => receipt);
  if (receipts.length > 0) await broker.run(broker.door.ack("billing", receipts));
  return received.map(({ record }) => bodyText(record));
}

async function send(broker: OneThreadBroker, tag: string, ...bodies: string[]): Promise<void> {
  await broker.run(broker.door.send(sendOf("orders", bodies, { TAGS: tag })));
}

async function passed(broker: OneThreadBroker): Promise<[number, number, number]> {
  const [place] = await broker.run(broker.door.places("billing", "orders"));
  assert.ok(place);
  return [place.unmatched, place.expired, place.lag];
}

/** A broker with topic "orders" of one queue, where "a" and "b" are wanted. */
async function withMembers(work: (broker: OneThreadBroker) => Promise<void>): Promise<void> {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("orders", { queues: 1 }));
    assert.deepEqual([await take(broker, tags("a")), await take(broker, tags("b"))], [[], []]);
    await work(broker);
  });
}

test("OtherFilters let members of one group have what each of them wants", async () => {
  await withMembers(async (broker) => {
    await send(broker, "a", "a1");
    await send(broker, "b", "b1");
    await send(broker, "c", "c1");
    await send(broker, "a", "a2");

    assert.deepEqual(await take(broker, tags("a")), ["a1", "a2"]);
    assert.deepEqual(await take(broker, tags("b")), ["b1"]);
    assert.deepEqual(await passed(broker), [1, 0, 0]);
  });
});

test("OtherFilters keep what a member wants over a restart of the broker", async () => {
  await withMembers(async (broker) => {
    await send(broker, "b", "b1");
    await send(broker, "a", "a1");
    await broker.restart();
    await send(broker, "b", "b2");

    assert.deepEqual(await take(broker, tags("a")), ["a1"]);
    await broker.restart();
    assert.deepEqual(await take(broker, tags("b")), ["b1", "b2"]);
    assert.deepEqual(await passed(broker), [0, 0, 0]);
  });
});

test("OtherFilters join SQL and tags", async () => {
  await withMembers(async (broker) => {
    const sql = compileExpression({ language: "SQL92", text: "price > 10" });
    assert.deepEqual(await take(broker, sql), []);
    await broker.run(broker.door.send(sendOf("orders", ["dear"], { price: "11" })));
    await broker.run(broker.door.send(sendOf("orders", ["cheap"], { price: "9" })));
    await send(broker, "a", "a1");

    assert.deepEqual(await take(broker, tags("a")), ["a1"]);
    assert.deepEqual(await take(broker, sql), ["dear"]);
    assert.deepEqual(await passed(broker), [1, 0, 0]);
  });
});

test("OtherFilters stop the scan when a slow member has much waiting; none is lost", async () => {
  await withMembers(async (broker) => {
    const count = limits.heldPerQueueMax + 10;
    const all = Array.from({ length: count }, (_, at) => `b${at}`);
    for (let at = 0; at < count; at += 500) await send(broker, "b", ...all.slice(at, at + 500));
    await send(broker, "a", "a1");

    assert.deepEqual(await take(broker, tags("a")), []);
    const slow: string[] = [];
    while (slow.length < count) {
      const more = await take(broker, tags("b"), limits.popMessagesMax);
      assert.ok(more.length > 0, `${slow.length} of ${count} came`);
      slow.push(...more);
    }
    assert.deepEqual(slow.sort(), all.sort());
    assert.deepEqual(await take(broker, tags("a")), ["a1"]);
    assert.deepEqual(await passed(broker), [0, 0, 0]);
  });
});

test("OtherFilters forget a member that is gone, and count what was kept for it", async () => {
  await withMembers(async (broker) => {
    await send(broker, "b", "b1");
    await send(broker, "a", "a1");
    for (let spentMs = 0; spentMs <= liveMs + 120_000; spentMs += 60_000) {
      await take(broker, tags("a"));
      await broker.pass(60_000);
    }
    await send(broker, "b", "b2");

    assert.deepEqual(await take(broker, tags("a")), []);
    assert.deepEqual(await passed(broker), [2, 0, 0]);
  });
});

test("OtherFilters reach a member that waits already when another one comes", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    const waiting = door.receive(ask(tags("a"), "early", 10, 30_000));
    await broker.settle();
    assert.deepEqual(await take(broker, tags("b")), []);
    await send(broker, "b", "b1");
    await send(broker, "a", "a1");

    assert.deepEqual(await acked(broker, await broker.run(waiting)), ["a1"]);
    assert.deepEqual(await take(broker, tags("b")), ["b1"]);
  });
});

test("OtherFilters do not lengthen a wait that is begun anew", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    let answered = false;
    const waiting = door.receive(ask(tags("a"), "early", 10, 30_000)).then((received) => {
      answered = true;
      return received;
    });
    await broker.pass(20_000);
    await take(broker, tags("b"));
    await broker.pass(9_999);
    assert.equal(answered, false);
    await broker.pass(1);
    assert.deepEqual(await broker.run(waiting), []);
  });
});

test("Reader.receive() passes over what has expired, and counts it", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1, messageTtlMs: 60_000 }));
    await broker.run(door.send(sendOf("orders", ["short"], { __TTL_MS: "1000" })));
    await broker.run(door.send(sendOf("orders", ["topic's"])));
    await broker.run(door.send(sendOf("orders", ["long"], { __TTL_MS: "120000" })));
    await broker.pass(60_000);

    assert.deepEqual(await take(broker, everything), ["long"]);
    assert.deepEqual(await passed(broker), [0, 2, 0]);
  });
});

test("Reader.pull() leaves out what has expired, and its next offset lies behind it", async () => {
  await withBroker({}, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("orders", { queues: 1 }));
    await broker.run(door.send(sendOf("orders", ["a", "b"], { __TTL_MS: "1000" })));
    await broker.run(door.send(sendOf("orders", ["__TTL_MS in a body is no time to live"])));
    const ask = { topic: "orders", queueId: 0, messagesMax: 2, bytesMax: 1_000_000, waitMs: 0 };
    const pull = (offset: number) => broker.run(door.pull({ ...ask, offset, filter: everything }));

    assert.equal((await pull(0)).count, 2);
    await broker.pass(1_000);
    const { outcome, count, nextOffset } = await pull(0);
    assert.deepEqual({ outcome, count, nextOffset }, {
      outcome: "filtered",
      count: 0,
      nextOffset: 2,
    });
    assert.equal((await pull(2)).count, 1);
    const [stats] = (await broker.run(door.health())).shards;
    assert.equal(stats?.stats.expired, 2);
  });
});
