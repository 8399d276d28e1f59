import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FakeAnswer,
  fakeApi,
  problem,
  type SeenRequest,
} from "../../../tests/support/fake_api.ts";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { ApiClient } from "../api_client.ts";
import { emptyReceiveTally, type ReceiveOptions, receiveStream } from "./receiver.ts";

/** A queue of `count` messages whose receipts are their numbers; unacknowledged ones come again. */
function queueOf(count: number) {
  const waiting = new Set(Array.from({ length: count }, (_, number) => number));
  const away = new Set<number>();
  return {
    waiting,
    receive: (request: SeenRequest): FakeAnswer => {
      // Where nothing is left to hand out first, invisible messages have come back.
      if ([...waiting].every((number) => away.has(number))) away.clear();
      const fresh = [...waiting].filter((number) => !away.has(number));
      const numbers = fresh.slice(0, Number(request.json?.["max"]));
      for (const number of numbers) away.add(number);
      const messages = numbers.map((number) => ({ body: `m${number}`, receipt: String(number) }));
      return { status: 200, json: { messages } };
    },
    ack: (request: SeenRequest): FakeAnswer => {
      const receipts = request.json?.["receipts"];
      for (const receipt of Array.isArray(receipts) ? receipts : []) {
        waiting.delete(Number(receipt));
      }
      return { status: 200, json: {} };
    },
  };
}

async function receive(
  answer: (request: SeenRequest, number: number) => FakeAnswer,
  changes: Partial<ReceiveOptions> = {},
) {
  let number = 0;
  const api = await fakeApi((request) => answer(request, number++));
  const bodies: string[] = [];
  const tally = emptyReceiveTally();
  const options: ReceiveOptions = {
    topic: "t",
    group: "g",
    clientId: "c",
    broadcast: false,
    batchMax: 10,
    waitMs: 10,
    invisibleMs: 1000,
    messagesMax: Infinity,
    untilIdleMs: 0,
    acknowledge: true,
    giveUpMs: 5000,
    stop: new AbortController().signal,
    ...changes,
  };
  const parts = {
    host: fakeHost([]),
    api: new ApiClient(api.url, 5000),
    deliver: (messages: readonly Readonly<Record<string, unknown>>[]) => {
      bodies.push(...messages.map(({ body }) => String(body)));
      return Promise.resolve();
    },
  };
  try {
    await receiveStream(options, parts, tally);
  } finally {
    await api.close();
  }
  return { bodies, tally, seen: api.seen };
}

test("receiveStream() empties a queue although connections are cut at every step", async () => {
  const queue = queueOf(95);

  const { bodies, tally } = await receive((request, number) => {
    const acks = request.url.endsWith("/ack");
    const answer = acks ? queue.ack(request) : queue.receive(request);
    return number % 4 === 1 ? "cut" : answer;
  });

  assert.equal(queue.waiting.size, 0);
  assert.equal(new Set(bodies).size, 95);
  assert.equal(tally.received, bodies.length);
});

test("receiveStream() ends after as many messages as were asked for", async () => {
  const queue = queueOf(50);

  const { bodies, seen } = await receive((request) => queue.receive(request), {
    messagesMax: 25,
    acknowledge: false,
  });

  assert.equal(bodies.length, 25);
  assert.deepEqual(seen.map(({ json }) => json?.["max"]), [10, 10, 5]);
});

test("receiveStream() counts acknowledgements that came too late and goes on", async () => {
  const queue = queueOf(20);

  const { tally } = await receive((request, number) => {
    if (!request.url.endsWith("/ack")) return queue.receive(request);
    return number === 1 ? problem(410, "receipt_expired", "too late") : queue.ack(request);
  });

  assert.deepEqual([tally.late, tally.acknowledged], [10, 20]);
});

test("receiveStream() counts late receipts one by one, and waits whole milliseconds", async () => {
  const queue = queueOf(10);

  const { tally, seen } = await receive((request) => {
    if (!request.url.endsWith("/ack")) return queue.receive(request);
    queue.ack(request);
    const verdicts = ["expired", ...Array.from({ length: 9 }, () => "done")];
    return { status: 200, json: { verdicts: verdicts.map((verdict) => ({ verdict })) } };
  }, { untilIdleMs: 3 });

  assert.deepEqual([tally.late, tally.acknowledged], [1, 9]);
  const waits = seen.map(({ json }) => json?.["waitMs"] ?? 0);
  assert.ok(waits.every(Number.isInteger), waits.join());
});

test("receiveStream() ends when it is stopped, without an error", async () => {
  const controller = new AbortController();

  const { bodies } = await receive(() => {
    controller.abort();
    return { status: 200, json: { messages: [] } };
  }, { stop: controller.signal, untilIdleMs: Infinity });

  assert.deepEqual(bodies, []);
});
