import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../model/errors.ts";
import { readProxyHeader } from "./proxy_header.ts";

const signature = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

function line(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A header of version 2: command and family as given, then what its length counts. */
function binary(command: number, family: number, content: number[]): Uint8Array {
  const length = [content.length >> 8, content.length & 255];
  return Uint8Array.from([...signature, 0x20 | command, family, ...length, ...content]);
}

const v4 = [10, 0, 0, 7, 192, 0, 2, 1, 0xc3, 0x50, 0x26, 0x94];
const v4Ends = {
  remote: { host: "10.0.0.7", port: 50_000 },
  local: { host: "192.0.2.1", port: 9876 },
};

/** What a header tells, as text. */
function told(bytes: Uint8Array): string {
  const header = readProxyHeader(bytes);
  if (header.kind !== "header") return header.kind;
  const { ends } = header;
  if (ends === null) return `${header.bytes} bytes, nothing`;
  const { remote, local } = ends;
  return `${header.bytes} bytes, ${remote.host} ${remote.port} to ${local.host} ${local.port}`;
}

test("readProxyHeader() reads version 1, TCP over both families", () => {
  assert.equal(
    told(line("PROXY TCP4 10.0.0.7 192.0.2.1 50000 9876\r\nrest")),
    "42 bytes, 10.0.0.7 50000 to 192.0.2.1 9876",
  );
  assert.equal(
    told(line("PROXY TCP6 2001:db8::7 2001:db8::1 50000 9876\r\n")),
    "47 bytes, 2001:db8::7 50000 to 2001:db8::1 9876",
  );
  assert.equal(told(line("PROXY UNKNOWN\r\n")), "15 bytes, nothing");
  assert.equal(told(line("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")), "35 bytes, nothing");
});

test("readProxyHeader() reads version 2, and passes over its extensions", () => {
  assert.equal(told(binary(1, 0x11, v4)), "28 bytes, 10.0.0.7 50000 to 192.0.2.1 9876");
  assert.equal(
    told(binary(1, 0x11, [...v4, 3, 0, 4, 1, 2, 3, 4])),
    "35 bytes, 10.0.0.7 50000 to 192.0.2.1 9876",
  );
  const v6 = [...new Array<number>(15).fill(0), 7, ...new Array<number>(15).fill(0), 1];
  assert.equal(told(binary(1, 0x21, [...v6, 0, 1, 0, 2])), "52 bytes, ::7 1 to ::1 2");
});

test("readProxyHeader() is told nothing by LOCAL, by UNSPEC and by what is no TCP", () => {
  assert.equal(told(binary(0, 0x11, v4)), "28 bytes, nothing");
  assert.equal(told(binary(0, 0x00, [])), "16 bytes, nothing");
  assert.equal(told(binary(1, 0x12, v4)), "28 bytes, nothing");
  assert.equal(told(binary(1, 0x31, new Array<number>(216).fill(1))), "232 bytes, nothing");
});

test("readProxyHeader() asks for more until the header is whole, at every length", () => {
  for (const whole of [line("PROXY TCP4 10.0.0.7 192.0.2.1 1 2\r\n"), binary(1, 0x11, v4)]) {
    for (let length = 0; length < whole.length; length++) {
      assert.equal(told(whole.subarray(0, length)), "more", `${length}`);
    }
    assert.match(told(whole), /10\.0\.0\.7/);
  }
});

test("readProxyHeader() finds none in frames, TLS and almost-signatures", () => {
  const starts = [[0, 0, 0, 80, 0], [0x16, 3, 1], [13, 10, 13, 11], [80, 82, 79, 84]];
  for (const bytes of starts) assert.equal(told(Uint8Array.from(bytes)), "none");
});

test("readProxyHeader() refuses what begins as a header and goes on as none", () => {
  const wrong = [
    line("PROXY TCP4 10.0.0.7 192.0.2.1 50000\r\n"),
    line("PROXY TCP4 10.0.0.7 192.0.2.1 50000 9876\n"),
    line("PROXY TCP4 10.0.0.777 192.0.2.1 50000 9876\r\n"),
    line("PROXY TCP4 10.0.0.7 192.0.2.1 50000 70000\r\n"),
    line("PROXY TCP6 10.0.0.7 192.0.2.1 1 2\r\n"),
    line(`PROXY UNKNOWN ${"x".repeat(100)}\r\n`),
    binary(2, 0x11, v4),
    binary(1, 0x11, v4.slice(1)),
    Uint8Array.from([...signature, 0x11, 0x11, 0, 0]),
    Uint8Array.from([...signature, 0x21, 0x11, 0xff, 0xff]),
  ];
  for (const bytes of wrong) assert.throws(() => readProxyHeader(bytes), WireError, `${bytes}`);
});

test("readProxyHeader() reads a header that lies within a larger chunk", () => {
  const header = binary(1, 0x11, v4);
  const chunk = Uint8Array.from([1, 2, 3, ...header, 9]);
  const found = readProxyHeader(chunk.subarray(3));

  assert.deepEqual(found, { kind: "header", bytes: header.length, ends: v4Ends });
});
