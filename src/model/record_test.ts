import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ByteWriter, utf8 } from "../base/bytes.ts";
import { Prng } from "../base/prng.ts";
import { WireError } from "./errors.ts";
import {
  patchRecord,
  readRecord,
  recordBody,
  recordBornMs,
  recordBytes,
  type RecordFields,
  recordPhysicalOffset,
  recordProperties,
  recordQueueOffset,
  recordReconsumeTimes,
  recordSize,
  recordStoredMs,
  recordTopic,
  splitRecords,
  writeDelivery,
  writeRecord,
} from "./record.ts";

const vector = "00000073daa320a73610a686000000020000000000000000000000050000000000000400" +
  "000000000000018bcfe568007f000001000013880000018bcfe568017f00000100002a9f" +
  "0000000000000000000000000000000568656c6c6f0154001254414753016102554e49515f4b4559015831";

const sample: RecordFields = {
  queueId: 2,
  flag: 0,
  queueOffset: 5,
  physicalOffset: 1024,
  sysFlag: 0,
  bornMs: 1_700_000_000_000,
  bornHost: { ip: "127.0.0.1", port: 5000 },
  storedMs: 1_700_000_000_001,
  storeHost: { ip: "127.0.0.1", port: 10_911 },
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: utf8("hello"),
  topic: "T",
  properties: "TAGS\x01a\x02UNIQ_KEY\x01X1",
};

function written(...records: RecordFields[]): Uint8Array {
  const writer = new ByteWriter(16);
  for (const record of records) writeRecord(writer, record);
  return writer.view().slice();
}

function randomFields(prng: Prng): RecordFields {
  const hosts = ["10.0.0.1", "255.255.255.255", "fe80::1", "2001:db8::2:1"];
  const host = () => ({ ip: prng.pick(hosts), port: prng.int(65_536) });
  const whole = () => prng.int(2 ** prng.between(1, 53));
  return {
    queueId: prng.int(1024),
    flag: prng.next() | 0,
    queueOffset: whole(),
    physicalOffset: whole(),
    sysFlag: prng.int(0x800) & ~0x30,
    bornMs: whole(),
    bornHost: host(),
    storedMs: whole(),
    storeHost: host(),
    reconsumeTimes: prng.int(20),
    preparedTransactionOffset: whole(),
    body: prng.bytes(prng.int(300)),
    topic: prng.pick([
      "T",
      "%RETRY%g",
      "ü".repeat(63),
      "x".repeat(127),
      "x".repeat(128),
      "ü".repeat(120),
    ]),
    properties: prng.pick(["", "a\x01b\x02", "\ufeffk\x01€\x02", "k\x01" + "v".repeat(32_765)]),
  };
}

test("writeRecord() writes the vector of section 16", () => {
  const bytes = written(sample);

  assert.equal(Buffer.from(bytes).toString("hex"), vector);
  assert.equal(recordBytes(sample), 115);
});

test("readRecord() reads the vector of section 16", () => {
  const { totalSize, bodyCrc, ...fields } = readRecord(new Uint8Array(Buffer.from(vector, "hex")));

  assert.deepEqual([totalSize, bodyCrc], [115, 907_060_870]);
  assert.deepEqual(fields, sample);
});

test("readRecord() gives back what writeRecord() was given, and recordBytes() its size", () => {
  const prng = new Prng(41);
  for (let round = 0; round < 300; round++) {
    const fields = randomFields(prng);
    const bytes = written(sample, fields);
    const { totalSize, bodyCrc: _, ...read } = readRecord(bytes, 115);
    assert.deepEqual({ ...read, sysFlag: read.sysFlag & ~0x30 }, fields);
    assert.equal(recordBytes(fields), totalSize);
    assert.equal(bytes.length, 115 + totalSize);
  }
});

test("the accessors find in any record what readRecord() finds", () => {
  const prng = new Prng(42);
  for (let round = 0; round < 100; round++) {
    const fields = randomFields(prng);
    const bytes = written(sample, fields);
    assert.equal(recordSize(bytes, 115), bytes.length - 115);
    assert.deepEqual(recordBody(bytes, 115), fields.body);
    assert.equal(recordTopic(bytes, 115), fields.topic);
    assert.equal(recordProperties(bytes, 115), fields.properties);
    assert.equal(recordReconsumeTimes(bytes, 115), fields.reconsumeTimes);
    assert.equal(recordStoredMs(bytes, 115), fields.storedMs);
    assert.equal(recordBornMs(bytes, 115), fields.bornMs);
    assert.equal(recordQueueOffset(bytes, 115), fields.queueOffset);
    assert.equal(recordPhysicalOffset(bytes, 115), fields.physicalOffset);
  }
});

test("patchRecord() changes the three fields and nothing else", () => {
  const prng = new Prng(43);
  for (let round = 0; round < 100; round++) {
    const fields = randomFields(prng);
    const place = {
      queueOffset: prng.int(2 ** 53),
      physicalOffset: prng.int(2 ** 40),
      storedMs: 7,
    };
    const bytes = written(sample, fields);
    patchRecord(bytes, 115, place);
    assert.deepEqual(bytes, written(sample, { ...fields, ...place }));
  }
});

test("writeRecord() uses version 2 and IPv6 fields only where they are needed (4.1)", () => {
  const magicOf = (topic: string) => written({ ...sample, topic })[7];
  const flagsOf = (ip: string, sysFlag: number) =>
    readRecord(written({ ...sample, sysFlag, bornHost: { ip, port: 1 } })).sysFlag;

  assert.deepEqual([magicOf("x".repeat(127)), magicOf("x".repeat(128))], [0xa7, 0xab]);
  assert.equal(flagsOf("::ffff:10.0.0.1", 0x34), 0x4);
  assert.equal(flagsOf("fe80::1", 0x1), 0x11);
});

test("splitRecords() gives one view for each record", () => {
  const bytes = written(sample, { ...sample, topic: "U" }, sample);
  const records = splitRecords(bytes);

  assert.deepEqual(records.map((record) => recordTopic(record, 0)), ["T", "U", "T"]);
  assert.ok(records.every((record) => record.buffer === bytes.buffer));
  assert.deepEqual(splitRecords(new Uint8Array()), []);
  assert.throws(() => splitRecords(bytes.subarray(0, -1)), WireError);
});

test("readRecord() says what is wrong with a damaged record", () => {
  const damaged = (at: number, value: number) => {
    const bytes = written(sample);
    bytes[at] = value;
    return () => readRecord(bytes);
  };

  assert.throws(damaged(3, 90), /claims 90 bytes/);
  assert.throws(damaged(3, 114), /parts take 115 bytes, its size says 114/);
  assert.throws(damaged(7, 0xa6), /0xdaa320a6 is not the magic/);
  assert.throws(damaged(88, 0), /does not match checksum 907060870/);
  assert.throws(damaged(20, 0x7f), /byte 20 is beyond 2\^53/);
  assert.throws(damaged(84, 0x7f), /past its end/);
});

test("readRecord() answers any damage with a record or a WireError", () => {
  const prng = new Prng(47);
  const bytes = written(sample);
  for (let round = 0; round < 20_000; round++) {
    const bent = prng.chance(0.1)
      ? prng.bytes(prng.int(200))
      : bytes.slice(0, prng.between(80, 115));
    for (let count = prng.int(4); count >= 0 && bent.length > 0; count--) {
      bent[prng.int(bent.length)] = prng.int(256);
    }
    try {
      assert.ok(readRecord(bent).totalSize <= bent.length);
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

test("writeDelivery() changes how often a record was tried, adds properties, and no more", () => {
  for (const properties of ["", "a\x01b", "a\x01b\x02"]) {
    const stored = written({ ...sample, properties });
    const writer = new ByteWriter();
    writer.u8(1);

    assert.equal(writeDelivery(writer, stored, 5, "POP_CK\x011 2\x02"), true);

    const found = readRecord(writer.view(), 1);
    const before = readRecord(stored);
    const added = properties === "" ? "" : "a\x01b\x02";
    assert.equal(found.properties, `${added}POP_CK\x011 2\x02`);
    assert.deepEqual(
      { ...found, totalSize: 0, properties: "" },
      { ...before, totalSize: 0, properties: "", reconsumeTimes: 5 },
    );
    assert.equal(found.totalSize, writer.length - 1);
  }
});

test("writeDelivery() leaves out properties that a record has no room for", () => {
  const stored = written({ ...sample, properties: `a\x01${"x".repeat(32_764)}\x02` });
  const writer = new ByteWriter();

  assert.equal(writeDelivery(writer, stored, 1, "b\x01c\x02"), false);

  assert.equal(readRecord(writer.view()).reconsumeTimes, 1);
  assert.equal(writer.length, stored.length);
});
