import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { type HttpHouse, openHouse } from "../../../tests/support/http_app.ts";
import { limits } from "../../base/limits.ts";

const path = "/v1/topics/orders/messages";
const raw = "text/plain";
const ndjson = "application/x-ndjson";

async function send(house: HttpHouse, type: string, coding: string, bytes: Uint8Array) {
  const headers = { "content-type": type, "content-encoding": coding };
  const body = new Uint8Array(bytes);
  const response = await house.fetch(path, { method: "POST", headers, body });
  return { status: response.status, headers: response.headers, json: await response.json() };
}

function bodiesSent(house: HttpHouse): string[] {
  return house.broker.sends.flatMap(({ messages }) => messages)
    .map(({ body }) => new TextDecoder().decode(body));
}

test("a compressed body is taken in every form of a send", async () => {
  const house = await openHouse();
  const json = JSON.stringify({ body: "one" });
  const sent = [
    await send(house, "application/json", "gzip", gzipSync(json)),
    await send(house, "application/json", "deflate", deflateSync(json)),
    await send(house, raw, "X-GZip", gzipSync("one")),
    await send(house, ndjson, "gzip", gzipSync(`${json}\n${json}\n`)),
    await send(house, raw, "Identity", new TextEncoder().encode("one")),
  ];

  assert.deepEqual(sent.map(({ status }) => status), [200, 200, 200, 200, 200]);
  assert.deepEqual(bodiesSent(house), Array.from({ length: 6 }, () => "one"));
});

test("a compressed body of thousands of steps is the same behind them", async () => {
  const house = await openHouse();
  const text = Array.from({ length: 150_000 }, (_, at) => (at * 7919 % 100_003).toString(36))
    .join(" ");
  await send(house, raw, "gzip", gzipSync(text));

  assert.deepEqual(bodiesSent(house).map((body) => body === text), [true]);
});

test("another coding is refused with those that are taken", async () => {
  const house = await openHouse();
  for (const type of ["application/json", raw, ndjson]) {
    for (const coding of ["br", "zstd", "gzip, gzip"]) {
      const { status, headers, json } = await send(house, type, coding, gzipSync("{}"));

      assert.deepEqual([status, json.status, json.code], [415, 415, "not_supported"]);
      assert.match(json.detail, /gzip and deflate are taken/);
      assert.equal(headers.get("accept-encoding"), "gzip, deflate");
    }
  }
  assert.equal(house.broker.sends.length, 0);
});

test("what is no whole compressed body is refused, and nothing of it stored", async () => {
  const house = await openHouse();
  const whole = gzipSync("one two three");
  const other = new TextEncoder().encode("plain");
  for (const bytes of [whole.subarray(0, whole.length - 9), other, deflateSync("zlib")]) {
    const { status, json } = await send(house, raw, "gzip", bytes);
    assert.deepEqual([status, json.code], [400, "invalid_argument"]);
    assert.match(json.detail, /no whole gzip/);
  }
  assert.equal(house.broker.sends.length, 0);
});

test("a body that grows beyond the limit is refused when it does", async () => {
  const house = await openHouse();
  const bomb = gzipSync(new Uint8Array(16 * limits.httpBodyBytesMax));
  for (const type of ["application/json", raw]) {
    const { status, json } = await send(house, type, "gzip", bomb);
    assert.equal(status, 413);
    const [, came = ""] = /(\d+) bytes came so far/.exec(json.detail) ?? [];
    assert.ok(Number(came) < limits.httpBodyBytesMax + 2 * 1024 * 1024, json.detail);
  }
  const line = await send(house, ndjson, "gzip", bomb);
  assert.deepEqual([line.status, line.json.code], [413, "message_too_large"]);
});

test("a body of empty lines ends at the limit of lines", async () => {
  const house = await openHouse();
  const lines = gzipSync("\n".repeat(100 * limits.ndjsonMessagesMax));
  const { status, json } = await send(house, ndjson, "gzip", lines);

  assert.deepEqual([status, json.line], [422, limits.ndjsonMessagesMax + 1]);
});
