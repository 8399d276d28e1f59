/** Bodies whose senders do not keep their word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import { plainInfo } from "../../../tests/support/request_info.ts";
import { bodyBytes, bodyText } from "./body.ts";

/** A request with this body, and the times it was given to come. */
function requestWith(
  body: ReadableStream<Uint8Array>,
  length?: number,
  arrived: Uint8Array | null = null,
) {
  const headers: Record<string, string> = length === undefined
    ? {}
    : { "content-length": String(length) };
  const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
  const given: number[] = [];
  const bodyWithin = (ms: number) => void given.push(ms);
  const info = { ...plainInfo, bodyWithin, bodyAtOnce: () => arrived };
  const request = new Request("http://127.0.0.1/", init);
  return { request, headers: request.headers, info, given };
}

/** Gives some bytes, then fails as a socket does. */
function cutShort(): ReadableStream<Uint8Array> {
  let given = false;
  return new ReadableStream({
    pull(controller) {
      if (given) controller.error(new TypeError("the socket is gone"));
      else controller.enqueue(new Uint8Array(10));
      given = true;
    },
  });
}

async function codeOf(read: () => unknown): Promise<string> {
  try {
    await read();
    return "none";
  } catch (thrown) {
    assert.ok(thrown instanceof BrokerError, String(thrown));
    return thrown.code;
  }
}

test("bodyBytes() calls a body that ends early the caller's fault, announced or not", async () => {
  assert.equal(await codeOf(() => bodyBytes(requestWith(cutShort()))), "invalid_argument");
  assert.equal(await codeOf(() => bodyText(requestWith(cutShort(), 100))), "invalid_argument");
});

test("bodyBytes() refuses an announced length without reading", async () => {
  const asked = requestWith(cutShort(), limits.httpBodyBytesMax + 1);
  assert.equal(await codeOf(() => bodyBytes(asked)), "message_too_large");
  assert.equal(asked.request.bodyUsed, false);
});

test("bodyBytes() stops reading an endless body just behind the limit", async () => {
  let given = 0;
  const piece = new Uint8Array(1024 * 1024);
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += piece.length;
      controller.enqueue(piece);
    },
  });
  assert.equal(await codeOf(() => bodyBytes(requestWith(endless))), "message_too_large");
  assert.ok(given <= limits.httpBodyBytesMax + 4 * piece.length, `${given} bytes were read`);
});

test("bodyBytes() gives a body two minutes, and a second for each 16 kB", async () => {
  const announced = requestWith(cutShort(), 160_000);
  await codeOf(() => bodyBytes(announced));
  assert.deepEqual(announced.given, [130_000, 0]);

  const unknown = requestWith(cutShort());
  await codeOf(() => bodyBytes(unknown));
  assert.deepEqual(unknown.given, [120_000 + limits.httpBodyBytesMax / 16, 0]);
});

test("bodyText() gives at once what came with the head", async () => {
  const bytes = new TextEncoder().encode("käse \ufffd");
  const asked = requestWith(cutShort(), bytes.length, bytes);

  assert.equal(bodyText(asked), "käse \ufffd");
  assert.equal(bodyBytes(asked), bytes);
  assert.deepEqual(asked.given, [], "there is nothing to wait for");
  assert.equal(
    await codeOf(() => bodyText(requestWith(cutShort(), bytes.length))),
    "invalid_argument",
  );
});

test("bodyText() refuses what is no UTF-8, however it came", async () => {
  const cutEmoji = Uint8Array.of(0x61, 0xf0, 0x9f, 0x98, 0x22);
  const lone = Uint8Array.of(0xe4);
  const surrogate = Uint8Array.of(0xed, 0xa0, 0x80);
  for (const bytes of [cutEmoji, lone, surrogate]) {
    assert.equal(
      await codeOf(() => bodyText(requestWith(cutShort(), 5, bytes))),
      "invalid_argument",
    );
    const streamed = requestWith(new Blob([bytes]).stream(), bytes.length);
    assert.equal(await codeOf(() => bodyText(streamed)), "invalid_argument");
  }
});
