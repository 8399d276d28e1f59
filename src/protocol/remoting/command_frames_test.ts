import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ByteWriter, textOf, utf8 } from "../../base/bytes.ts";
import { Prng } from "../../base/prng.ts";
import { WireError } from "../../model/errors.ts";
import { languages, requestCodes } from "./codes.ts";
import {
  type ExtFields,
  isOneway,
  isResponse,
  type RemotingCommand,
  responseTo,
} from "./command.ts";
import { decodeCommand, encodeCommand, writeCommand } from "./command_frames.ts";
import { type Frame, FrameDecoder, type Serializer } from "./frames.ts";

const routeRequest: RemotingCommand = {
  code: 105,
  language: "JAVA",
  version: 479,
  opaque: 7,
  flag: 0,
  remark: undefined,
  extFields: { topic: "T" },
  serializer: "json",
};

function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  new FrameDecoder().push(bytes, (frame) => frames.push(frame));
  return frames;
}

function written(command: RemotingCommand, body?: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeCommand(command, body)));
}

/** Read with `extFields` as a plain object, so that it can be compared. */
function read(frame: Frame | undefined): RemotingCommand {
  assert.ok(frame);
  const command = decodeCommand(frame);
  return { ...command, extFields: { ...command.extFields } };
}

function fromJson(text: string): RemotingCommand {
  return decodeCommand({ serializer: "json", header: utf8(text), body: new Uint8Array() });
}

function fromBinary(hex: string): RemotingCommand {
  const header = new Uint8Array(Buffer.from(hex, "hex"));
  return decodeCommand({ serializer: "binary", header, body: new Uint8Array() });
}

test("encodeCommand() writes the JSON frame of section 16", () => {
  const bytes = written(routeRequest);

  assert.equal(Buffer.from(bytes.subarray(0, 10)).toString("hex"), "0000007f0000007b7b22");
  assert.equal(
    textOf(bytes.subarray(8)),
    '{"code":105,"extFields":{"topic":"T"},"flag":0,"language":"JAVA","opaque":7,' +
      '"serializeTypeCurrentRPC":"JSON","version":479}',
  );
});

test("encodeCommand() and decodeCommand() know the binary frame of section 16", () => {
  const command: RemotingCommand = { ...routeRequest, serializer: "binary" };
  const hex = "000000250100002100690001df0000000700000000000000000000000c0005746f7069630000000154";

  assert.equal(Buffer.from(written(command)).toString("hex"), hex);
  assert.deepEqual(read(framesOf(new Uint8Array(Buffer.from(hex, "hex")))[0]), command);
});

test("decodeCommand() reads back what was written, in both forms", () => {
  const prng = new Prng(21);
  const texts = ["", "T", 'quo"te', "back\\slash", "k\x01v\x02", "ü€😀", "\ud800", "\ufeffx", "\n"];
  for (let round = 0; round < 2_000; round++) {
    const extFields: ExtFields = {};
    for (let count = prng.int(6); count > 0; count--) {
      extFields[prng.pick(texts)] = prng.pick(texts);
    }
    // A lone surrogate cannot be written as UTF-8; the JSON form escapes it, the binary cannot.
    const serializer: Serializer = JSON.stringify(extFields).includes("\\ud800")
      ? "json"
      : prng.pick(["json", "binary"]);
    const command: RemotingCommand = {
      code: prng.int(1_000),
      language: prng.pick(languages),
      version: prng.int(600),
      opaque: prng.next() | 0,
      flag: prng.int(4),
      remark: prng.pick([undefined, "why\n", "ü"]),
      extFields,
      serializer,
    };
    const body = prng.bytes(prng.int(30));
    const writer = new ByteWriter(8);
    writeCommand(writer, command, body);
    const bytes = new Uint8Array(writer.view());
    assert.deepEqual(bytes, written(command, body));
    const [frame] = framesOf(bytes);
    assert.deepEqual(read(frame), command);
    assert.deepEqual(frame?.body, body);
  }
});

test("decodeCommand() tolerates what clients leave out or write as numbers (2.1)", () => {
  const bare = fromJson('{"code":"34"}');
  const mixed = fromJson(
    '{"code":1,"extFields":{"a":1,"b":true,"c":null,"d":"x","e":1.5},"new":[]}',
  );

  assert.deepEqual(bare, {
    ...routeRequest,
    code: 34,
    language: "OTHER",
    version: 0,
    opaque: 0,
    extFields: {},
  });
  assert.deepEqual(mixed.extFields, { a: "1", b: "true", d: "x", e: "1.5" });
  assert.equal(
    fromJson('{"code":1,"extFields":null,"remark":null,"language":"ZIG"}').language,
    "ZIG",
  );
});

test("decodeCommand() refuses JSON that is no header", () => {
  const texts = ["", "{", "7", "null", "[]", "{}", '{"code":1.5}', '{"code":4294967296}'];
  texts.push('{"code":"x"}', '{"code":1,"opaque":[]}', '{"code":1,"extFields":[]}');
  texts.push('{"code":1,"extFields":{"a":{}}}', "[".repeat(100_000));
  for (const text of texts) assert.throws(() => fromJson(text), WireError, text.slice(0, 40));
});

test("decodeCommand() treats a field called __proto__ as any other", () => {
  const command: RemotingCommand = {
    ...routeRequest,
    extFields: Object.fromEntries([["__proto__", "x"], ["n", "1"]]),
  };
  for (const serializer of ["json", "binary"] as const) {
    const [frame] = framesOf(written({ ...command, serializer }));
    assert.ok(frame);
    assert.deepEqual(Object.entries(decodeCommand(frame).extFields), [["__proto__", "x"], [
      "n",
      "1",
    ]]);
  }
  assert.equal(
    Object.getPrototypeOf(fromJson('{"code":1,"extFields":{"__proto__":1}}').extFields),
    Object.prototype,
  );
});

test("decodeCommand() makes codes whole that 16 bits cut short (2.2)", () => {
  const codeOf = (code: number, flag: number) =>
    fromBinary(
      code.toString(16).padStart(4, "0") + "0001df00000007" + `0000000${flag}` + "00".repeat(8),
    )
      .code;

  assert.equal(codeOf(3442, 0), requestCodes.popMessage);
  assert.equal(codeOf(3447, 0), requestCodes.pollingInfo);
  assert.equal(codeOf(3543, 0), requestCodes.batchAckMessage);
  assert.equal(codeOf(3442, 1), 3442, "an answer's code is what it says");
  assert.equal(codeOf(310, 0), 310);
});

test("decodeCommand() lets the last of equal names win (2.2)", () => {
  const fields = "0001610000000131" + "0001610000000132";
  const command = fromBinary("00690001df000000070000000000000000" + "00000010" + fields);

  assert.deepEqual({ ...command.extFields }, { a: "2" });
});

test("decodeCommand() refuses a binary header whose lengths run past it", () => {
  const head = "00690001df0000000700000000";
  const hexes = ["", head, head + "00000001" + "00000000", head + "ffffffff" + "00000000"];
  hexes.push(head + "00000000" + "00000001", head + "00000000" + "ffffffff");
  hexes.push(head + "00000000" + "00000001" + "00");
  hexes.push(head + "00000000" + "00000004" + "00016100");
  hexes.push(head + "00000000" + "00000008" + "0001617fffffff31");
  for (const hex of hexes) assert.throws(() => fromBinary(hex), WireError, hex);
});

test("decodeCommand() answers random damage with a command or a WireError", () => {
  const prng = new Prng(22);
  for (let round = 0; round < 20_000; round++) {
    const serializer = prng.pick(["json", "binary"] as const);
    const bytes = written({
      ...routeRequest,
      serializer,
      remark: "r",
      extFields: { a: "1", bc: "2" },
    });
    const header = prng.chance(0.1) ? prng.bytes(prng.int(60)) : bytes.slice(8);
    for (let count = prng.int(4); count >= 0 && header.length > 0; count--) {
      header[prng.int(header.length)] = prng.int(256);
    }
    try {
      const command = decodeCommand({ serializer, header, body: header });
      assert.ok(Object.values(command.extFields).every((value) => typeof value === "string"));
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

test("responseTo() answers in the request's form, with its number and some fields (2.3)", () => {
  const response = responseTo({ ...routeRequest, flag: 0, serializer: "binary" }, 17, {}, "no T");

  assert.deepEqual([response.opaque, response.serializer, response.code], [7, "binary", 17]);
  assert.ok(isResponse(response) && !isOneway(response));
  assert.ok(isOneway({ ...routeRequest, flag: 2 }));
  assert.match(textOf(written(responseTo(routeRequest, 0))), /"extFields":\{\}/);
});
