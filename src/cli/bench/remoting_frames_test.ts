import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { pushFromLine } from "../../../tests/support/line_memory.ts";
import { AnswerReader, numberOf, opaqueOf, SendFrame } from "./remoting_frames.ts";

const spec = {
  topic: "orders",
  queueId: 3,
  body: Buffer.from("the body"),
  bornMs: 1_700_000_000_000,
  keyPrefix: "0123456789ABCDEF00000002",
};

function patched(number: number, serial: number) {
  const frame = new SendFrame(spec);
  const bytes = Buffer.alloc(frame.length + 2);
  assert.equal(frame.writeTo(bytes, 1, number, serial), 1 + frame.length);
  const headerBytes = bytes.readUInt32BE(5);
  assert.equal(bytes.readUInt32BE(1), frame.length - 4);
  return {
    header: JSON.parse(bytes.toString("utf8", 9, 9 + headerBytes)),
    body: bytes.toString("utf8", 9 + headerBytes, bytes.length - 1),
  };
}

test("SendFrame is a whole V2 send after every patch", () => {
  for (const [number, serial] of [[0, 0], [17, 0xffff_ffff], [999_999_999, 12]] as const) {
    const { header, body } = patched(number, serial);
    assert.equal(header.code, 310);
    assert.equal(header.opaque, 1_000_000_000 + number);
    assert.equal(header.extFields.e, "3");
    const key = spec.keyPrefix + serial.toString(16).toUpperCase().padStart(8, "0");
    assert.ok(header.extFields.i.startsWith(`UNIQ_KEY\u0001${key}\u0002`));
    assert.equal(body, "the body");
  }
});

test("numberOf() takes back what opaqueOf() made, within 31 bits", () => {
  for (const number of [0, 1, 999_999_999]) {
    assert.equal(numberOf(opaqueOf(number)), number);
    assert.ok(opaqueOf(number) < 2 ** 31);
  }
});

function answer(header: string): Buffer {
  const bytes = Buffer.from(`........${header}tail`);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt32BE(header.length, 4);
  return bytes;
}

test("AnswerReader finds code and opaque wherever chunks are cut and in any order", () => {
  const bytes = Buffer.concat([
    answer('{"code":0,"extFields":{"queueId":"0"},"flag":1,"opaque":1000000007}'),
    answer('{"opaque": 42,"flag":1, "code": 17,"remark":"no topic"}'),
  ]);

  for (let cut = 0; cut <= bytes.length; cut++) {
    const heard: string[] = [];
    const reader = new AnswerReader((opaque, code, header) =>
      heard.push(`${opaque}:${code}:${header?.includes("no topic") ?? "-"}`)
    );
    pushFromLine(reader, bytes.subarray(0, cut));
    pushFromLine(reader, bytes.subarray(cut));
    assert.deepEqual(heard, ["1000000007:0:-", "42:17:true"], `cut at ${cut}`);
  }
});

test("AnswerReader refuses what is no answer", () => {
  const reader = () => new AnswerReader(() => {});

  assert.throws(() => reader().push(answer("{}")), /no opaque or code/);
  assert.throws(() => reader().push(Buffer.alloc(8, 0xff)), /claims/);
});
