import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  type FakeAnswer,
  fakeApi,
  problem,
  receiptsFor,
  type SeenRequest,
} from "../../../tests/support/fake_api.ts";
import { chunksOf, fakeHost } from "../../../tests/support/fake_host.ts";
import { ApiClient } from "../api_client.ts";
import { linesOf } from "./lines.ts";
import { messageWriter } from "./message_json.ts";
import { emptyTally, type SendOptions, sendStream } from "./sender.ts";

const usual: SendOptions = { topic: "t", workers: 4, batchMessagesMax: 50, giveUpMs: 5000 };

type Stored = { readonly messageId: string; readonly body: string };

function messagesOf(request: SeenRequest): Stored[] {
  const list = request.json?.["messages"];
  return Array.isArray(list) ? list : [];
}

function numbered(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, line) => `line ${line}\n`).join(""));
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

async function send(
  lines: Buffer,
  answer: (request: SeenRequest, number: number) => FakeAnswer | Promise<FakeAnswer>,
  options = usual,
) {
  let number = 0;
  let id = 0;
  const api = await fakeApi((request) => answer(request, number++));
  const tally = emptyTally();
  const writer = messageWriter({});
  const parts = {
    host: fakeHost([]),
    api: new ApiClient(api.url, 5000),
    write: (body: Uint8Array) => writer(body, String(id++)),
  };
  try {
    await sendStream(linesOf(chunksOf(inPieces(lines, 700)), 1000), options, parts, tally);
    return { tally, failure: undefined };
  } catch (failure) {
    return { tally, failure: failure instanceof Error ? failure : new Error(String(failure)) };
  } finally {
    await api.close();
  }
}

test("sendStream() loses nothing when connections are cut before and after storing", async () => {
  const stored: Stored[] = [];

  const { tally, failure } = await send(numbered(2000), (request, number) => {
    const kind = number % 5;
    if (kind === 1) return "cut";
    stored.push(...messagesOf(request));
    return kind === 3 ? "cut" : receiptsFor(request);
  });

  assert.equal(failure, undefined);
  assert.equal(tally.sent, 2000);
  assert.equal(new Set(stored.map(({ body }) => body)).size, 2000);
  const duplicates = stored.length - 2000;
  assert.ok(duplicates > 0 && tally.resent >= duplicates, `${duplicates} of ${tally.resent}`);
});

test("sendStream() knows of every request that was sent", async () => {
  let requests = 0;

  const { tally } = await send(numbered(2000), (request, number) => {
    requests++;
    return number % 4 === 3 ? "cut" : receiptsFor(request);
  });

  // Deno's fetch repeats a plain body by itself when a connection closes without an answer.
  assert.equal(requests, tally.batches + tally.retries);
});

test("sendStream() sends a message again under the id it had", async () => {
  const ids = new Map<string, Set<string>>();

  await send(numbered(300), (request, number) => {
    for (const { messageId, body } of messagesOf(request)) {
      ids.set(body, (ids.get(body) ?? new Set()).add(messageId));
    }
    return number % 3 === 0 ? "cut" : receiptsFor(request);
  });

  assert.equal(ids.size, 300);
  assert.ok([...ids.values()].every((each) => each.size === 1));
});

test("sendStream() keeps the order with one worker, across cut connections", async () => {
  const first: string[] = [];
  const seen = new Set<string>();

  await send(numbered(500), (request, number) => {
    for (const { body } of messagesOf(request)) {
      if (!seen.has(body)) first.push(body);
      seen.add(body);
    }
    return number % 2 === 0 ? "cut" : receiptsFor(request);
  }, { ...usual, workers: 1 });

  assert.deepEqual(first, Array.from({ length: 500 }, (_, line) => `line ${line}`));
});

test("sendStream() waits a busy broker out, and does not count that as sent twice", async () => {
  const { tally, failure } = await send(
    numbered(100),
    (request, number) => number < 3 ? problem(429, "too_busy", "later") : receiptsFor(request),
    { ...usual, workers: 1 },
  );

  assert.equal(failure, undefined);
  assert.deepEqual([tally.sent, tally.resent, tally.retries], [100, 0, 3]);
});

test("sendStream() ends at a refusal that will not pass, and says what was sent", async () => {
  const { tally, failure } = await send(
    numbered(100),
    (request, number) =>
      number === 1 ? problem(404, "topic_not_found", "There is no topic t") : receiptsFor(request),
    { ...usual, workers: 1, batchMessagesMax: 10 },
  );

  assert.match(failure?.message ?? "", /There is no topic t/);
  assert.equal(tally.sent, 10);
});

test("sendStream() takes an answer that misses receipts as no answer", async () => {
  const { tally } = await send(
    numbered(20),
    (request, number) =>
      number === 0 ? { status: 200, json: { receipts: [] } } : receiptsFor(request),
    { ...usual, workers: 1 },
  );

  assert.equal(tally.sent, 20);
  assert.ok(tally.resent > 0);
});

test("sendStream() gives up on a broker that stays away", async () => {
  const { tally, failure } = await send(numbered(10), () => "cut", { ...usual, giveUpMs: 200 });

  assert.equal(failure?.name, "UnreachableError");
  assert.equal(tally.sent, 0);
});

test("sendStream() holds no more batches than it has workers", async () => {
  let read = 0;
  let answered = 0;
  let widest = 0;
  const source = async function* () {
    for (; read < 200; read++) {
      widest = Math.max(widest, read - answered);
      yield await Promise.resolve([Buffer.from(`line ${read}`)]);
    }
  };
  const api = await fakeApi((request) => {
    answered += messagesOf(request).length;
    return receiptsFor(request);
  });
  const writer = messageWriter({});
  const client = new ApiClient(api.url, 5000);
  const parts = { host: fakeHost([]), api: client, write: (body: Uint8Array) => writer(body, "1") };

  await sendStream(source(), usual, parts, emptyTally());
  await api.close();

  assert.equal(answered, 200);
  assert.ok(widest <= usual.workers, `${widest} read ahead of ${usual.workers} workers`);
});
