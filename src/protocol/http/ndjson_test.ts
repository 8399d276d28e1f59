import assert from "node:assert/strict";
import { test } from "node:test";
import { openHouse } from "../../../tests/support/http_app.ts";
import { limits } from "../../base/limits.ts";

const send = "POST /v1/topics/orders/messages";
const ndjson = { "content-type": "application/x-ndjson" };

test("sendLines stores every line in order, in bounded batches", async () => {
  const house = await openHouse();
  const count = limits.batchMessagesMax * 2 + 10;
  const lines = Array.from(
    { length: count },
    (_, at) => JSON.stringify({ body: `${at}`, queueId: 0 }),
  );
  const { status, json } = await house.ask(send, `${lines.join("\r\n")}\r\n\r\n`, ndjson);
  assert.equal(status, 200);
  assert.deepEqual(
    json.receipts.map(({ offset }: { offset: number }) => offset),
    lines.map((_, at) => at),
  );
  assert.deepEqual(
    house.broker.sends.map(({ messages }) => messages.length),
    [limits.batchMessagesMax, limits.batchMessagesMax, 10],
  );
});

test("sendLines bounds a batch by bytes too", async () => {
  const house = await openHouse();
  const line = JSON.stringify({ body: "x".repeat(300_000), queueId: 0 });
  const { status } = await house.ask(send, [line, line, line, line, line].join("\n"), ndjson);
  assert.equal(status, 200);
  assert.deepEqual(house.broker.sends.map(({ messages }) => messages.length), [4, 1]);
});

test("sendLines names a bad line and stores those before it", async () => {
  const house = await openHouse();
  for (const bad of ['{"boddy":1}', "{", "[]"]) {
    house.broker.sends.length = 0;
    const body = `{"body":"a"}\n\n{"body":"b"}\n${bad}\n{"body":"c"}\n`;
    const { status, json } = await house.ask(send, body, ndjson);
    assert.equal(status, 400, bad);
    assert.equal(json.line, 4);
    assert.equal(json.receipts.length, 2);
    assert.match(json.detail, /line 4/);
    assert.deepEqual(house.broker.sends.map(({ messages }) => messages.length), [2]);
  }
});

test("sendLines tells what was stored when a batch is refused", async () => {
  const house = await openHouse();
  let count = 0;
  house.broker.sendFault = () => ++count === 2 ? "disk_full" : null;
  const lines = Array(limits.batchMessagesMax + 1).fill('{"body":"x"}');
  const { status, json } = await house.ask(send, lines.join("\n"), ndjson);
  assert.equal(status, 507);
  assert.equal(json.receipts.length, limits.batchMessagesMax);
  assert.equal(json.line, limits.batchMessagesMax + 1);
});

test("sendLines keeps what came before bytes that are no UTF-8", async () => {
  const house = await openHouse();
  const start = new TextEncoder().encode('{"body":"a"}\n{"body":"');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(start);
      controller.enqueue(new Uint8Array([0xff, 0x0a]));
      controller.close();
    },
  });
  const response = await house.fetch("/v1/topics/orders/messages", {
    method: "POST",
    headers: ndjson,
    body,
    duplex: "half",
  } as RequestInit);
  const json = await response.json();
  assert.equal(response.status, 400);
  assert.match(json.detail, /UTF-8/);
  assert.equal(json.line, 2);
  assert.equal(json.receipts.length, 1);
});

test("sendLines refuses a line without end at the limit, and reads no further", async () => {
  const house = await openHouse();
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += 1 << 20;
      controller.enqueue(new Uint8Array(1 << 20).fill(32));
    },
  });
  const response = await house.fetch("/v1/topics/orders/messages", {
    method: "POST",
    headers: ndjson,
    body,
    duplex: "half",
  } as RequestInit);
  assert.equal(response.status, 413);
  assert.ok(bytes <= limits.lineBytesMax + (8 << 20), `${bytes} bytes were read`);
});

test("sendLines answers an empty list to an empty body", async () => {
  const house = await openHouse();
  assert.deepEqual((await house.ask(send, "", ndjson)).json, { receipts: [] });
});
