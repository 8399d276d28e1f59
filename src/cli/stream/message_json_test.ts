import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { bodyLines, bodyOf, messageWriter } from "./message_json.ts";

const write = messageWriter({});

function roundTrip(body: Uint8Array): Uint8Array {
  return bodyOf(JSON.parse(write(body, "id")));
}

test("messageWriter() carries every byte there and back", () => {
  const bodies = [
    Buffer.from(""),
    Buffer.from("plain"),
    Buffer.from("\ufeffwith a byte order mark"),
    Buffer.from('Grüße 🐦 \u2028 "quoted" \\ \r'),
    Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.alloc(1000),
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  ];

  for (const body of bodies) {
    assert.deepEqual(Buffer.from(roundTrip(body)), body, body.toString("hex").slice(0, 20));
  }
});

test("messageWriter() never makes a body much larger than base64 would", () => {
  for (const byte of [0x00, 0x22, 0x61, 0xff]) {
    const text = write(Buffer.alloc(3000, byte), "id");
    assert.ok(text.length < 3000 * 4 / 3 + 100, `byte ${byte}: ${text.length}`);
  }
});

test("messageWriter() adds the shared fields and leaves absent ones out", () => {
  const text = messageWriter({ tag: "paid", keys: undefined, queueId: 0 })(Buffer.from("x"), "7");

  assert.deepEqual(JSON.parse(text), { messageId: "7", body: "x", tag: "paid", queueId: 0 });
});

test("bodyLines() ends each body with a line end", () => {
  const lines = bodyLines([{ body: "a" }, { bodyBase64: "/w==" }, {}]);

  assert.equal(Buffer.from(lines).toString("latin1"), "a\n\xff\n\n");
});
