import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bodyText,
  type OneThreadBroker,
  sendOf,
  withBroker,
} from "../../tests/support/one_thread_broker.ts";
import type { Timing } from "../model/message.ts";
import { splitRecords } from "../model/record.ts";
import type { WebhookOutcome } from "../ports/webhook.ts";
import type { PrepareRequest } from "./transaction_door.ts";

/** Begins a transaction of group "payments". */
async function prepare(
  broker: OneThreadBroker,
  body: string,
  told: Partial<PrepareRequest> & { readonly timing?: Partial<Timing> } = {},
) {
  const { timing, ...rest } = told;
  const { messages: [message], storeHost } = sendOf("t", [body], { UNIQ_KEY: `id-${body}` });
  assert(message !== undefined);
  const whole = { deliverAtMs: null, delayMs: null, timerKey: null, ...timing };
  const request: PrepareRequest = {
    topic: "t",
    queueId: null,
    storeHost,
    producerGroup: "payments",
    message: timing === undefined ? message : { ...message, timing: whole },
    checkUrl: null,
    immunityMs: null,
    ...rest,
  };
  return await broker.run(broker.door.transactions.prepare(request));
}

/** Every body of the topic, queue after queue. */
async function bodies(broker: OneThreadBroker): Promise<string[]> {
  const found: string[] = [];
  const ranges = await broker.run(broker.door.queueRanges("t"));
  for (const [queueId, { minOffset: offset }] of ranges.entries()) {
    const bounds = { messagesMax: 100, bytesMax: 1_000_000, waitMs: 0 };
    const filter = { kind: "all" } as const;
    const { records } = await broker.run(
      broker.door.pull({ topic: "t", queueId, offset, filter, ...bounds }),
    );
    found.push(...splitRecords(records).map((record) => bodyText(record)));
  }
  return found.sort();
}

type Options = Parameters<typeof withBroker>[0];

function withTopic(
  work: (broker: OneThreadBroker) => Promise<void>,
  options: Options = { shards: 2 },
): Promise<void> {
  return withBroker(options, async (broker) => {
    await broker.run(broker.door.createTopic("t", { queues: 4 }));
    await work(broker);
  });
}

/** A webhook that answers as told, and the questions it was asked. */
function hookOf(answer: (url: string, id: string) => WebhookOutcome | Promise<WebhookOutcome>) {
  const asked: string[] = [];
  const webhook = {
    post: async (url: string, text: string) => {
      const { messageId, check } = JSON.parse(text) as { messageId: string; check: number };
      asked.push(`${messageId} ${check}`);
      return await answer(url, messageId);
    },
  };
  return { webhook, asked };
}

const said = (verdict: string): WebhookOutcome => {
  return { kind: "answered", status: 200, body: JSON.stringify({ verdict }) };
};

test("prepare() keeps a message from everybody until its commit, over a restart", async () => {
  await withTopic(async (broker) => {
    const { transactionId } = await prepare(broker, "a");
    await broker.restart();
    assert.deepEqual(await bodies(broker), []);
    const settled = await broker.run(
      broker.door.transactions.settle(transactionId, "commit", "payments"),
    );
    assert.deepEqual([settled.state, settled.first, settled.receipt?.messageId], [
      "committed",
      true,
      "id-a",
    ]);
    await broker.restart();
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("send() finds what a transaction with its id has committed", async () => {
  await withTopic(async (broker) => {
    for (const body of ["a", "b", "c", "d", "e"]) {
      const { transactionId } = await prepare(broker, body);
      await broker.run(broker.door.transactions.settle(transactionId, "commit", "payments"));
      const again = { ...sendOf("t", [body], { UNIQ_KEY: `id-${body}` }), ownIds: true };
      const [receipt] = await broker.run(broker.door.send(again));
      assert.equal(receipt?.repeated, true, body);
    }
    assert.deepEqual(await bodies(broker), ["a", "b", "c", "d", "e"]);
  });
});

test("settle() answers a second verdict with the first; a rolled back one stays away", async () => {
  await withTopic(async (broker) => {
    const { transactionId } = await prepare(broker, "a");
    const settle = (verdict: "commit" | "rollback") =>
      broker.run(broker.door.transactions.settle(transactionId, verdict, null));
    assert.deepEqual(await settle("rollback"), {
      state: "rolled-back",
      first: true,
      receipt: null,
    });
    await broker.restart();
    for (const verdict of ["commit", "rollback"] as const) {
      assert.deepEqual(await settle(verdict), {
        state: "rolled-back",
        first: false,
        receipt: null,
      });
    }
    await broker.pass(1_000_000);
    assert.deepEqual(await bodies(broker), []);
  });
});

test("settle() takes neither a forged id nor another group's verdict", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const { transactionId, physicalOffset } = await prepare(broker, "a");
    const [shard, id, signature] = transactionId.split(".");
    for (const forged of [`${shard}.${id}0.${signature}`, `1.1.${"x".repeat(22)}`, "", "a.b"]) {
      await assert.rejects(broker.run(transactions.settle(forged, "commit", null)), {
        code: "invalid_argument",
      });
    }
    const other = transactions.settle(transactionId, "commit", "others");
    await assert.rejects(broker.run(other), { code: "no_permission" });
    const byNumber = transactions.settleAt(physicalOffset, "commit", "others");
    await assert.rejects(broker.run(byNumber), { code: "no_permission" });
    await assert.rejects(broker.run(transactions.settleAt(256, "commit", "payments")), {
      code: "message_not_found",
    });
    await broker.run(transactions.settleAt(physicalOffset, "commit", "payments"));
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("settle() commits a delayed one with a key: due later, in its key's queue", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const told = { shardingKey: "k", timing: { delayMs: 5000 } };
    const { transactionId, deliverAtMs, queueId } = await prepare(broker, "a", told);
    const { receipt } = await broker.run(transactions.settle(transactionId, "commit", null));
    assert.deepEqual([receipt?.offset, receipt?.deliverAtMs, receipt?.queueId], [
      null,
      deliverAtMs,
      queueId,
    ]);
    await broker.pass(4999);
    assert.deepEqual(await bodies(broker), []);
    await broker.pass(10);
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("settle() replaces the timer of its key that was sent after the topic grew", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    for (const key of ["k", "l", "m", "n", "o", "p"]) {
      const timing = { delayMs: 5000, timerKey: key };
      const { transactionId } = await prepare(broker, `half ${key}`, { timing });
      const { queueRefs } = broker.door.topic("t") ?? { queueRefs: [] };
      await broker.run(broker.door.changeTopic("t", { queues: queueRefs.length + 1 }));
      const { messages, ...rest } = sendOf("t", [`timer ${key}`]);
      const whole = { deliverAtMs: null, ...timing };
      const timed = messages.map((message) => ({ ...message, timing: whole }));
      await broker.run(broker.door.send({ ...rest, messages: timed }));
      await broker.run(transactions.settle(transactionId, "commit", null));
      await broker.pass(5010);
    }
    assert.deepEqual(
      await bodies(broker),
      ["k", "l", "m", "n", "o", "p"].map((key) => `half ${key}`),
    );
  });
});

test("collectChecks() hands a poll its group's question when it comes, and counts it", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const { transactionId } = await prepare(broker, "a");
    const poll = (producerGroup: string) =>
      transactions.collectChecks({ producerGroup, checksMax: 10, waitMs: 20_000 });
    const [mine, others] = [poll("payments"), poll("others")];
    await broker.pass(5999);
    const before = await broker.run(transactions.find(transactionId));
    assert.equal(before?.checks, 0);
    await broker.pass(10);
    const [check] = await broker.run(mine);
    assert.deepEqual([check?.transactionId, check?.check, check?.topic], [transactionId, 1, "t"]);
    assert.equal(bodyText(check?.record ?? new Uint8Array(0)), "a");
    assert.equal((await broker.run(transactions.find(transactionId)))?.checks, 1);
    await broker.pass(20_000);
    assert.deepEqual(await others, []);
  });
});

test("collectChecks() finds the question of a while ago, and counts it only then", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const { transactionId } = await prepare(broker, "a", { immunityMs: 1000 });
    await broker.pass(10_000);
    assert.equal((await broker.run(transactions.find(transactionId)))?.checks, 0);
    const ask = { producerGroup: "payments", checksMax: 10, waitMs: 0 };
    assert.equal((await broker.run(transactions.collectChecks(ask))).length, 1);
    assert.equal((await broker.run(transactions.find(transactionId)))?.checks, 1);
    assert.deepEqual(await broker.run(transactions.collectChecks(ask)), []);
  });
});

test("collectChecks() lets go of a poll whose client left", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const client = new AbortController();
    const { signal } = client;
    const ask = { producerGroup: "payments", checksMax: 1, waitMs: 60_000 };
    const left = transactions.collectChecks({ ...ask, signal });
    client.abort();
    assert.deepEqual(await broker.run(left), []);
    const { transactionId } = await prepare(broker, "a");
    await broker.pass(6010);
    assert.equal((await broker.run(transactions.find(transactionId)))?.checks, 0);
  });
});

test("onChecks() counts a question only when the listener says it was really asked", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const { transactionId } = await prepare(broker, "a");
    const heard: number[] = [];
    let connected = false;
    const stop = transactions.onChecks(({ check }) => {
      heard.push(check);
      return connected;
    });
    await broker.pass(6010);
    await broker.pass(30_010);
    assert.deepEqual(heard, [1, 1]);
    connected = true;
    await broker.pass(30_010);
    await broker.pass(30_010);
    assert.deepEqual(heard, [1, 1, 1, 2]);
    stop();
    await broker.pass(30_010);
    assert.equal((await broker.run(transactions.find(transactionId)))?.checks, 2);
  });
});

test("rearm() brings back what was asked fifteen times and parked, one or all", async () => {
  await withTopic(async (broker) => {
    const { transactions } = broker.door;
    const ids = [(await prepare(broker, "a")).transactionId];
    for (const body of ["b", "c", "d"]) ids.push((await prepare(broker, body)).transactionId);
    let questions = 0;
    const stop = transactions.onChecks(() => ++questions > 0);
    for (let round = 0; round < 17; round++) await broker.pass(30_010);
    assert.equal(questions, 15 * 4);
    stop();
    const parked = () =>
      broker.run(transactions.list({ state: "parked", after: null, transactionsMax: 3 }));
    const first = await parked();
    assert.deepEqual([first.count, first.transactions.length], [4, 3]);
    const query = { state: "parked", after: first.next, transactionsMax: 3 } as const;
    const second = await broker.run(transactions.list(query));
    const listed = [...first.transactions, ...second.transactions].map((one) => one.transactionId);
    assert.deepEqual(new Set(listed), new Set(ids));
    assert.equal(await broker.run(transactions.rearm([ids[0] ?? ""])), 1);
    assert.equal(await broker.run(transactions.rearm(null)), 3);
    assert.equal((await parked()).count, 0);
    await broker.run(transactions.settle(ids[0] ?? "", "commit", null));
    assert.deepEqual(await bodies(broker), ["a"]);
  });
});

test("prepare() refuses a URL whose host is not allowed, and says which are", async () => {
  const hook = hookOf(() => said("unknown"));
  await withTopic(async (broker) => {
    for (const checkUrl of ["http://elsewhere/x", "http://shop:81/x", "https://shop.evil/x"]) {
      await assert.rejects(prepare(broker, "a", { checkUrl }), {
        code: "invalid_argument",
        message: /is not one of shop, bank:8443/,
      });
    }
    const faults = [
      "ftp://shop/x",
      "no url",
      "http://me:pass@shop/x",
      `http://shop/${"x".repeat(3000)}`,
    ];
    for (const checkUrl of faults) {
      await assert.rejects(prepare(broker, "a", { checkUrl }), { code: "invalid_argument" });
    }
    await prepare(broker, "a", { checkUrl: "https://bank:8443/checks" });
  }, { webhookHosts: "shop, bank:8443", webhook: hook.webhook });
  await withTopic(async (broker) => {
    await assert.rejects(prepare(broker, "a", { checkUrl: "http://shop/x" }), {
      message: /no host is allowed/,
    });
  });
});

test("a webhook's verdict settles; unknown, bad and missing answers are asked again", async () => {
  const answers: WebhookOutcome[] = [
    { kind: "unreached", reason: "refused" },
    { kind: "silent", reason: "late" },
    { kind: "answered", status: 500, body: '{"verdict":"commit"}' },
    { kind: "answered", status: 200, body: "commit" },
    said("unknown"),
    said("commit"),
  ];
  const hook = hookOf(() => answers.shift() ?? said("rollback"));
  await withTopic(async (broker) => {
    const { transactionId } = await prepare(broker, "a", { checkUrl: "http://shop/checks" });
    await broker.pass(6010);
    for (let round = 0; round < 8; round++) await broker.pass(30_010);
    // All but the one that reached nobody count, the question that was answered among them.
    const told = await broker.run(broker.door.transactions.find(transactionId));
    assert.deepEqual([told?.state, told?.checks], ["committed", 5]);
    assert.deepEqual(hook.asked, ["id-a 1", "id-a 1", "id-a 2", "id-a 3", "id-a 4", "id-a 5"]);
    assert.deepEqual(await bodies(broker), ["a"]);
  }, { webhookHosts: "shop", webhook: hook.webhook });
});

test("a webhook that never answers keeps its own questions waiting and nobody else's", async () => {
  const never = new Promise<WebhookOutcome>(() => {});
  const hook = hookOf((url) => url.includes("slow") ? never : said("commit"));
  await withTopic(async (broker) => {
    for (let index = 0; index < 20; index++) {
      await prepare(broker, `s${index}`, { checkUrl: "http://slow/checks" });
    }
    await prepare(broker, "quick", { checkUrl: "http://quick/checks" });
    await broker.pass(6010);
    assert.equal(hook.asked.filter((asked) => asked.startsWith("id-s")).length, 8);
    assert.deepEqual(await bodies(broker), ["quick"]);
  }, { shards: 2, webhookHosts: "slow,quick", webhook: hook.webhook });
});
