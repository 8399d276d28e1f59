/**
 * What one send costs the codecs: reading a SEND_MESSAGE_V2 with a body of 256 bytes, writing its
 * stored record, and answering it, in both forms of the header.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Bench } from "tinybench";
import { ByteWriter } from "../src/base/bytes.ts";
import { offsetMessageIdAt, offsetMessageIdPrefix } from "../src/model/message_id.ts";
import { propertyNames, readProperty } from "../src/model/properties.ts";
import { patchRecord, readRecord, writeRecord } from "../src/model/record.ts";
import { type RemotingCommand, responseTo } from "../src/protocol/remoting/command.ts";
import {
  decodeCommand,
  encodeCommand,
  writeCommand,
} from "../src/protocol/remoting/command_frames.ts";
import { readHeader, writeHeader } from "../src/protocol/remoting/field_tables.ts";
import { sendMessageAnswer, sendMessageV2 } from "../src/protocol/remoting/fields.ts";
import { type Frame, FrameDecoder, type Serializer } from "../src/protocol/remoting/frames.ts";

const host = { ip: "127.0.0.1", port: 10_911 };
const idPrefix = offsetMessageIdPrefix(host.ip, host.port);
const out = new ByteWriter(1 << 20);
const records = new ByteWriter(1 << 20);
const decoder = new FrameDecoder();
/** Calls of one measured round: a clock's tick is as long as one call. */
const callsPerRound = 200;

function sendRequest(serializer: Serializer): Uint8Array {
  const properties =
    "UNIQ_KEY\x017F000001138818B4AAC2018BCFE56800\x02WAIT\x01true\x02TAGS\x01TagA\x02";
  const command: RemotingCommand = {
    code: 310,
    language: "JAVA",
    version: 479,
    opaque: 7,
    flag: 0,
    remark: undefined,
    extFields: {
      ...{ a: "please_rename_unique_group_name", b: "BenchmarkTest", c: "TBW102", d: "4" },
      ...{ e: "1", f: "0", g: "1700000000000", h: "0", i: properties, j: "0", k: "false" },
      ...{ m: "false", n: "broker-a" },
    },
    serializer,
  };
  return new Uint8Array(Buffer.concat(encodeCommand(command, new Uint8Array(256).fill(7))));
}

function readSend(bytes: Uint8Array) {
  let read: { frame: Frame; command: RemotingCommand } | undefined;
  decoder.push(bytes, (frame) => read = { frame, command: decodeCommand(frame) });
  if (read === undefined) throw new Error("the bench's own frame is not whole");
  return { ...read, header: readHeader(sendMessageV2, read.command.extFields) };
}

function answer(command: RemotingCommand, queueOffset: number): void {
  const extFields = writeHeader(sendMessageAnswer, {
    messageId: offsetMessageIdAt(idPrefix, queueOffset * 256 + 1),
    queueId: 1,
    queueOffset,
    transactionId: "7F000001138818B4AAC2018BCFE56800",
    batchUniqueId: undefined,
    recallHandle: undefined,
    region: "DefaultRegion",
    traceOn: true,
  });
  out.clear();
  writeCommand(out, responseTo(command, 0, extFields));
}

function store({ frame, header }: ReturnType<typeof readSend>): void {
  records.clear();
  writeRecord(records, {
    queueId: header.queueId,
    flag: header.flag,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: header.sysFlag,
    bornMs: header.bornMs,
    bornHost: host,
    storedMs: 0,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: frame.body,
    topic: header.topic,
    properties: header.properties ?? "",
  });
}

function repeated(call: () => void): () => void {
  return () => {
    for (let count = 0; count < callsPerRound; count++) call();
  };
}

const bench = new Bench({ time: 500, warmupTime: 200 });
for (const serializer of ["json", "binary"] as const) {
  const bytes = sendRequest(serializer);
  const read = readSend(bytes);
  const answerAll = repeated(() => answer(read.command, 123_456_789));
  const both = repeated(() => answer(readSend(bytes).command, 123_456_789));
  bench
    .add(`${serializer}: read a send`, repeated(() => void readSend(bytes)))
    .add(`${serializer}: write its answer`, answerAll)
    .add(`${serializer}: read and answer`, both);
}
const sample = readSend(sendRequest("json"));
store(sample);
const record = records.view().slice();
const properties = sample.header.properties ?? "";
const place = { queueOffset: 5, physicalOffset: 123_456_789_012, storedMs: 1_700_000_000_000 };
bench
  .add("record: write", repeated(() => store(sample)))
  .add("record: patch its place", repeated(() => patchRecord(record, 0, place)))
  .add("record: read whole", repeated(() => void readRecord(record)))
  .add("record: find its tag", repeated(() => void readProperty(properties, propertyNames.tags)));

await bench.run();
for (const { name, result } of bench.tasks) {
  if (!("latency" in result)) throw new Error(`${name} did not finish`);
  // The median: what else the machine did meanwhile is not the codecs' cost.
  const callMs = result.latency.p50 / callsPerRound;
  const perSecond = Math.round(1000 / callMs).toLocaleString("en");
  // deno-lint-ignore no-console
  console.log(
    `${name.padEnd(26)}${(callMs * 1e6).toFixed(0).padStart(6)} ns${perSecond.padStart(13)}/s`,
  );
}
