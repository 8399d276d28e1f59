import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodyText,
  type OneThreadBroker,
  sendOf,
  withBroker,
} from "../../tests/support/one_thread_broker.ts";
import { ScriptedShards, topicIn } from "../../tests/support/scripted_shards.ts";
import { BrokerError } from "../model/errors.ts";
import type { Timing } from "../model/message.ts";
import { splitRecords } from "../model/record.ts";
import { Finder } from "./find.ts";
import type { TimerPage } from "./timer_door.ts";
import { PendingTimers } from "./timers.ts";

const dayMs = 86_400_000;

/** Sends one timed message; `properties` may bring an id. */
async function sendTimed(
  broker: OneThreadBroker,
  body: string,
  timing: Partial<Timing>,
  messageId?: string,
) {
  const request = sendOf("t", [body], messageId === undefined ? {} : { UNIQ_KEY: messageId });
  const whole = { deliverAtMs: null, delayMs: null, timerKey: null, ...timing };
  const messages = request.messages.map((message) => ({ ...message, timing: whole }));
  const [receipt] = await broker.run(broker.door.send({ ...request, messages }));
  assert(receipt !== undefined);
  return receipt;
}

/** Every body of the topic, queue after queue. */
async function bodies(broker: OneThreadBroker): Promise<string[]> {
  const found: string[] = [];
  const ranges = await broker.run(broker.door.queueRanges("t"));
  for (const [queueId, { minOffset }] of ranges.entries()) {
    const { records } = await broker.run(broker.door.pull({
      topic: "t",
      queueId,
      offset: minOffset,
      messagesMax: 100,
      bytesMax: 1_000_000,
      filter: { kind: "all" },
      waitMs: 0,
    }));
    found.push(...splitRecords(records).map((record) => bodyText(record)));
  }
  return found.sort();
}

function withTopic(work: (broker: OneThreadBroker) => Promise<void>, shards = 2): Promise<void> {
  return withBroker({ shards }, async (broker) => {
    await broker.run(broker.door.createTopic("t", { queues: 4 }));
    await work(broker);
  });
}

test("send() puts a timed message aside, tells when it is due, and it fires once", async () => {
  await withTopic(async (broker) => {
    const receipt = await sendTimed(broker, "a", { delayMs: 1000 });
    assert.deepEqual([receipt.offset, receipt.deliverAtMs], [null, broker.nowMs + 1000]);
    await broker.pass(999);
    assert.deepEqual(await bodies(broker), []);
    await broker.pass(1);
    await broker.pass(5);
    assert.deepEqual(await bodies(broker), ["a"]);
    await broker.pass(60_000);
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("send() fires overdue timers when the broker starts again, and no others", async () => {
  await withTopic(async (broker) => {
    await sendTimed(broker, "a", { delayMs: 1000 });
    await sendTimed(broker, "b", { delayMs: 90_000 });
    await broker.stop();
    broker.timers.clock.advance(50_000);
    await broker.start();
    await broker.settle();
    assert.deepEqual(await bodies(broker), ["a"]);
    await broker.pass(40_010);
    assert.deepEqual(await bodies(broker), ["a", "b"]);
  });
});

test("send() fires soon after the clock is set forward, and waits if it is set back", async () => {
  await withTopic(async (broker) => {
    await sendTimed(broker, "a", { delayMs: 3_600_000 });
    broker.timers.clock.jump(3_600_000);
    await broker.pass(600);
    assert.deepEqual(await bodies(broker), ["a"]);
    await sendTimed(broker, "b", { delayMs: 1000 });
    broker.timers.clock.jump(-3_600_000);
    await broker.pass(3_600_999);
    assert.deepEqual(await bodies(broker), ["a"]);
    await broker.pass(600);
    assert.deepEqual(await bodies(broker), ["a", "b"]);
  });
});

test("send() refuses two times, no time, and what lies too far ahead", async () => {
  await withTopic(async (broker) => {
    const refusals: [Partial<Timing>, RegExp][] = [
      [{ deliverAtMs: 5, delayMs: 5 }, /both at 5 and 5 ms/],
      [{ delayMs: -1 }, /at -1/],
      [{ deliverAtMs: 0.5 }, /at 0.5/],
      [{ delayMs: 41 * dayMs }, /3542400000 ms from now: at most 3456000000 ms/],
    ];
    for (const [timing, message] of refusals) {
      await assert.rejects(sendTimed(broker, "a", timing), { code: "invalid_argument", message });
    }
  });
});

test("send() keeps one timer of a key in the whole topic, whichever shard it is in", async () => {
  await withTopic(async (broker) => {
    const first = await sendTimed(broker, "a", { delayMs: 1000, timerKey: "order-1" });
    const second = await sendTimed(broker, "b", { delayMs: 500, timerKey: "order-1" });
    assert.equal(second.queueId, first.queueId);
    assert.equal(second.replacedMessageId, first.messageId);
    await broker.pass(2000);
    assert.deepEqual(await bodies(broker), ["b"]);
  });
});

test("a key has one timer while its topic grows into other shards, and over a start", async () => {
  await withBroker({ shards: 3 }, async (broker) => {
    const { door } = broker;
    await broker.run(door.createTopic("t", { queues: 2 }));
    const keys = Array.from({ length: 24 }, (_, at) => `order-${at}`);
    const send = (body: string) => (timerKey: string) =>
      sendTimed(broker, `${body} ${timerKey}`, { delayMs: 60_000, timerKey });
    const all = async <T>(work: (timerKey: string) => Promise<T>): Promise<T[]> => {
      const done: T[] = [];
      for (const timerKey of keys) done.push(await work(timerKey));
      return done;
    };
    const first = await all(send("first"));
    await broker.run(door.changeTopic("t", { queues: 7 }));
    const second = await all(send("second"));
    assert.deepEqual(
      second.map(({ replacedMessageId, queueId }) => [replacedMessageId, queueId]),
      first.map(({ messageId, queueId }) => [messageId, queueId]),
    );
    await broker.restart();
    await broker.run(broker.door.changeTopic("t", { queues: 9 }));
    const third = await all(send("third"));
    const replaced = third.map(({ replacedMessageId }) => replacedMessageId);
    assert.deepEqual(replaced, second.map(({ messageId }) => messageId));
    const found = await all((timerKey) =>
      broker.run(broker.door.timers.find("t", { by: "key", timerKey }))
    );
    const pending = found.map((timer) => timer?.messageId);
    assert.deepEqual(pending, third.map(({ messageId }) => messageId));
    const [one = ""] = keys;
    const name = { by: "key", timerKey: one } as const;
    const cancelled = await broker.run(broker.door.timers.cancel("t", name));
    const again = await broker.run(broker.door.timers.cancel("t", name));
    assert.deepEqual([cancelled.verdict, again.verdict], ["cancelled", "unknown"]);
    await broker.pass(60_010);
    assert.deepEqual(await bodies(broker), keys.slice(1).map((key) => `third ${key}`).sort());
  });
});

test("send() refuses a queue or another sharding key beside a timer key", async () => {
  await withTopic(async (broker) => {
    const request = sendOf("t", ["a"]);
    const timing = { deliverAtMs: null, delayMs: 1000, timerKey: "k" };
    const messages = request.messages.map((message) => ({ ...message, timing }));
    for (const wish of [{ queueId: 1 }, { shardingKey: "other" }]) {
      const sent = broker.run(broker.door.send({ ...request, ...wish, messages }));
      await assert.rejects(sent, { code: "invalid_argument", message: /timer key chooses/ });
    }
    await broker.run(broker.door.send({ ...request, shardingKey: "k", messages }));
  });
});

test("send() meets itself when a timed message is sent again with its id", async () => {
  await withTopic(async (broker) => {
    await sendTimed(broker, "a", { delayMs: 1000 }, "mine");
    const again = await sendTimed(broker, "a", { delayMs: 1000 }, "mine");
    assert.equal(again.replacedMessageId, "mine");
    await broker.pass(2000);
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("cancel() and what consumers see agree, by id in any topic, and by key", async () => {
  await withTopic(async (broker) => {
    const { timers } = broker.door;
    await sendTimed(broker, "a", { delayMs: 1000 }, "id-a");
    await sendTimed(broker, "b", { delayMs: 1000, timerKey: "k" }, "id-b");
    await sendTimed(broker, "c", { delayMs: 1000 }, "id-c");
    const cancel = async (topic: string | null, name: Parameters<typeof timers.cancel>[1]) =>
      (await broker.run(timers.cancel(topic, name))).verdict;
    assert.equal(await cancel(null, { by: "id", messageId: "id-a" }), "cancelled");
    assert.equal(await cancel("t", { by: "key", timerKey: "k" }), "cancelled");
    await broker.pass(1010);
    assert.deepEqual(await bodies(broker), ["c"]);
    assert.equal(await cancel(null, { by: "id", messageId: "id-c" }), "already-delivered");
    assert.equal(await cancel("t", { by: "id", messageId: "id-c" }), "already-delivered");
    assert.equal(await cancel("t", { by: "id", messageId: "id-a" }), "unknown");
    assert.equal(await cancel(null, { by: "id", messageId: "id-a" }), "unknown");
  });
});

test("move() brings a timer forward and puts it off", async () => {
  await withTopic(async (broker) => {
    const { timers } = broker.door;
    await sendTimed(broker, "a", { delayMs: 50_000 }, "id-a");
    await sendTimed(broker, "b", { delayMs: 1000, timerKey: "k" }, "id-b");
    const at = broker.nowMs;
    const name = { by: "id", messageId: "id-a" } as const;
    const sooner = await broker.run(timers.move("t", name, { deliverAtMs: null, delayMs: 10 }));
    assert.deepEqual(sooner, { verdict: "rescheduled", deliverAtMs: at + 10 });
    const key = { by: "key", timerKey: "k" } as const;
    await broker.run(timers.move("t", key, { deliverAtMs: at + 9000, delayMs: null }));
    await broker.pass(2000);
    assert.deepEqual(await bodies(broker), ["a"]);
    await broker.pass(7010);
    assert.deepEqual(await bodies(broker), ["a", "b"]);
  });
});

test("list() pages through all shards in order of due time, each timer once", async () => {
  await withTopic(async (broker) => {
    const { timers } = broker.door;
    const fromMs = broker.nowMs;
    for (let index = 0; index < 12; index++) {
      await sendTimed(broker, `m${index}`, { deliverAtMs: fromMs + 1000 + index % 3 });
    }
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const query = { topic: "t", fromMs, toMs: fromMs + 5000, after, timersMax: 5 };
      const page: TimerPage = await broker.run(timers.list(query));
      assert.equal(page.count, 12);
      seen.push(...page.timers.map(({ deliverAtMs, messageId }) => `${deliverAtMs} ${messageId}`));
      after = page.next;
    } while (after !== null);
    assert.equal(new Set(seen).size, 12);
    const dues = seen.map((text) => Number(text.split(" ")[0]));
    assert.deepEqual(dues, [...dues].sort());
    const inSpan = { topic: "t", fromMs: fromMs + 1001, toMs: fromMs + 1001 };
    const span = await broker.run(timers.list({ ...inSpan, after: null, timersMax: 50 }));
    assert.equal(span.timers.length, 4);
  });
});

test("find() tells topic, queue, key and time of a pending timer", async () => {
  await withTopic(async (broker) => {
    const { timers } = broker.door;
    const sent = await sendTimed(broker, "a", { delayMs: 1000, timerKey: "k" }, "id-a");
    const found = await broker.run(timers.find(null, { by: "id", messageId: "id-a" }));
    const { bytes: _bytes, ...told } = found ?? { bytes: 0 };
    assert.deepEqual(told, {
      messageId: "id-a",
      topic: "t",
      queueId: sent.queueId,
      timerKey: "k",
      deliverAtMs: sent.deliverAtMs,
    });
    assert.equal(await broker.run(timers.find("t", { by: "key", timerKey: "other" })), null);
  });
});

test("send() keeps timers while retention deletes everything that was stored", async () => {
  await withBroker({}, async (broker) => {
    await broker.run(broker.door.createTopic("t", { queues: 1, retentionMs: 1000 }));
    await broker.run(broker.door.send(sendOf("t", ["gone"])));
    await sendTimed(broker, "kept", { delayMs: 120_000 });
    for (let step = 0; step < 10; step++) await broker.pass(11_000);
    await broker.pass(10_010);
    assert.deepEqual(await bodies(broker), ["kept"]);
  });
});

test("cancel() tells what the timer's shard did, whatever became of the others", async () => {
  const shards = new ScriptedShards(2, {
    changeTimer: (_, shard) => {
      if (shard === 0) throw new BrokerError("disk_full", "there is no room");
      return { verdict: "cancelled", dueMs: null };
    },
  });
  shards.view.putTopic(topicIn("t", [0, 1]));
  const { view, router } = shards;
  const timers = new PendingTimers(view, router, new Finder(view, router), dayMs);

  const outcome = await timers.cancel("t", { by: "id", messageId: "a" });
  assert.equal(outcome.verdict, "cancelled");
});
