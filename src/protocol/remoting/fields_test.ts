import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes } from "../../model/error_codes.ts";
import { WireError } from "../../model/errors.ts";
import { requestCodes, requestName, responseCodes } from "./codes.ts";
import { readHeader, writeHeader } from "./field_tables.ts";
import * as tables from "./fields.ts";
import { statusOf } from "./status.ts";

const send = {
  ...{ a: "G", b: "T", c: "TBW102", d: "4", e: "-1", f: "0", g: "1700000000000", h: "0" },
  ...{ i: "k\x01v\x02", j: "0", k: "false", m: "true", n: "broker-a", future: "x" },
};

test("readHeader() reads a V2 send (6.1)", () => {
  assert.deepEqual(readHeader(tables.sendMessageV2, send), {
    producerGroup: "G",
    topic: "T",
    defaultTopic: "TBW102",
    defaultTopicQueues: 4,
    queueId: -1,
    sysFlag: 0,
    bornMs: 1_700_000_000_000,
    flag: 0,
    properties: "k\x01v\x02",
    reconsumeTimes: 0,
    unitMode: false,
    maxReconsumeTimes: undefined,
    isBatch: true,
    brokerName: "broker-a",
  });
});

test("readHeader() says which field is absent or wrong", () => {
  const { a: _, ...withoutGroup } = send;
  const read = (bent: object) => () => readHeader(tables.sendMessageV2, { ...send, ...bent });

  assert.throws(
    () => readHeader(tables.sendMessageV2, withoutGroup),
    /"producerGroup" \(a\) is absent/,
  );
  assert.throws(read({ e: "2147483648" }), /"queueId" \(e\) is no int32: "2147483648"/);
  assert.throws(read({ g: "9007199254740993" }), /"bornMs" \(g\) is no int64/);
  assert.throws(read({ m: "1" }), /"isBatch" \(m\) is no bool: "1"/);
  for (const e of ["", "-", "1.0", "0x1", " 1", "1e3", "9".repeat(400), "١"]) {
    assert.throws(read({ e }), WireError, e);
  }
});

test("readHeader() takes the bounds of each kind, and empty text as absent where it may be", () => {
  const read = (bent: object) => readHeader(tables.sendMessageV2, { ...send, ...bent });

  assert.equal(read({ e: "-2147483648" }).queueId, -(2 ** 31));
  assert.equal(read({ g: "9007199254740991" }).bornMs, Number.MAX_SAFE_INTEGER);
  assert.equal(Object.is(read({ e: "-0" }).queueId, 0), true);
  assert.equal(read({ j: "", m: "TRUE", i: "" }).reconsumeTimes, undefined);
  assert.equal(read({ m: "TRUE" }).isBatch, true);
});

test("readHeader() takes a subscription's version in nanoseconds, rounded (9)", () => {
  const pull = {
    ...{ consumerGroup: "G", topic: "T", queueId: "0", queueOffset: "0", maxMsgNums: "32" },
    ...{ sysFlag: "2", commitOffset: "0", suspendTimeoutMillis: "15000" },
    subVersion: "1700000000000000001",
  };

  assert.equal(readHeader(tables.pullMessage, pull).subscriptionVersion, 1.7e18);
});

test("writeHeader() writes text only, and leaves out what is undefined", () => {
  const header = readHeader(tables.sendMessageV2, send);
  const { future: _, ...known } = send;

  assert.deepEqual(writeHeader(tables.sendMessageV2, header), known);
});

test("every table names each wire field once", () => {
  for (const [name, table] of Object.entries(tables)) {
    const wires = Object.values(table).map((field) => field.wire);
    assert.equal(new Set(wires).size, wires.length, name);
  }
});

test("sendMessage says the same as sendMessageV2 in long names (6.1)", () => {
  assert.deepEqual(Object.keys(tables.sendMessage), Object.keys(tables.sendMessageV2));
});

test("requestCodes has no number twice, and requestName() spells RocketMQ's names", () => {
  const codes = Object.values(requestCodes);

  assert.equal(new Set(codes).size, codes.length);
  assert.equal(requestName(310), "SEND_MESSAGE_V2");
  assert.equal(requestName(105), "GET_ROUTEINFO_BY_TOPIC");
  assert.equal(requestName(9), "9");
});

test("statusOf never says that a failed send was stored (3)", () => {
  const stored: number[] = [responseCodes.success, 10, 11, 12];

  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    assert.ok(!stored.includes(statusOf[code]), code);
  }
});
