/** Fuzzers of everything that arrives as bytes. @module */
import assert from "node:assert/strict";
import { ByteWriter, textOf, utf8 } from "../../src/base/bytes.ts";
import { limits } from "../../src/base/limits.ts";
import type { Prng } from "../../src/base/prng.ts";
import { BatchReader, beginBatch, beginItem, endItem } from "../../src/link/batch_encoding.ts";
import { BrokerError, WireError } from "../../src/model/errors.ts";
import { readRecord, splitRecords, writeRecord } from "../../src/model/record.ts";
import { decodeBatch, encodeBatch } from "../../src/protocol/remoting/batch_encoding.ts";
import type { RemotingCommand } from "../../src/protocol/remoting/command.ts";
import { decodeCommand, encodeCommand } from "../../src/protocol/remoting/command_frames.ts";
import { FrameDecoder, type Serializer } from "../../src/protocol/remoting/frames.ts";
import { decodeBinaryHeader } from "../../src/protocol/remoting/header_binary.ts";
import { decodeJsonHeader } from "../../src/protocol/remoting/header_json.ts";
import { bentBytes, joined, oddText } from "./bend.ts";
import { type Fuzzer, tolerate } from "./fuzzer.ts";

const keptBytesMax = limits.frameBytesMax + 1024;

/** A send as a client writes it. */
export function frameOf(prng: Prng, serializer: Serializer): Uint8Array {
  const command: RemotingCommand = {
    code: prng.pick([10, 11, 34, 105, 310, 320, 36, 65_535]),
    language: "JAVA",
    version: 479,
    opaque: prng.int(2 ** 31),
    flag: prng.int(4),
    remark: prng.chance(0.2) ? oddText(prng) : undefined,
    extFields: { b: "topic", e: String(prng.int(9)), i: oddText(prng), [`k${oddText(prng)}`]: "v" },
    serializer,
  };
  return joined(...encodeCommand(command, prng.bytes(prng.int(200))));
}

/** Feeds bytes in pieces of random lengths. */
function feed(prng: Prng, bytes: Uint8Array): Uint8Array[] {
  const decoder = new FrameDecoder();
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + prng.between(1, 40));
    decoder.push(bytes.subarray(at, end), ({ header, body, serializer }) => {
      frames.push(joined(header, body));
      tolerate([WireError], () => decodeCommand({ header, body, serializer }));
    });
    assert.ok(decoder.keptBytes <= keptBytesMax, `${decoder.keptBytes} bytes are kept`);
    // A length is believed only as far as bytes have come: it may double them, not announce them.
    assert.ok(decoder.keptBytes <= 2 * bytes.length + 64 * 1024, "a length reserves no memory");
    at = end;
  }
  return frames;
}

function writtenRecord(prng: Prng, bodyBytes: number): Uint8Array {
  const writer = new ByteWriter(512);
  writeRecord(writer, {
    queueId: prng.int(16),
    flag: prng.int(2 ** 31),
    queueOffset: prng.int(2 ** 50),
    physicalOffset: prng.int(2 ** 50),
    sysFlag: prng.int(256),
    bornMs: prng.int(2 ** 42),
    bornHost: { ip: prng.pick(["127.0.0.1", "::1", "fe80::1"]), port: prng.int(65_536) },
    storedMs: prng.int(2 ** 42),
    storeHost: { ip: "10.0.0.1", port: 9876 },
    reconsumeTimes: prng.int(17),
    preparedTransactionOffset: 0,
    body: prng.bytes(bodyBytes),
    topic: `t${"o".repeat(prng.int(126))}`,
    properties: `KEYS\u0001${prng.int(1000)}\u0002`,
  });
  return writer.view().slice();
}

function linkBatch(prng: Prng): Uint8Array {
  const writer = new ByteWriter(256);
  beginBatch(writer, prng.int(100));
  for (let left = prng.int(5); left > 0; left--) {
    const mark = beginItem(writer, prng.int(4), prng.int(2 ** 31));
    writer.put(prng.bytes(prng.int(50)));
    endItem(writer, mark);
  }
  return writer.view().slice();
}

/** By name. */
export const wireFuzzers: Readonly<Record<string, Fuzzer>> = {
  frames: {
    claim: "however a stream is cut, its frames are the same; a bent one is told, or harmless",
    begin: () => (prng) => {
      const forms = ["json", "binary"] as const;
      const frames = Array.from({ length: prng.int(4) }, () => frameOf(prng, prng.pick(forms)));
      const whole = joined(...frames);
      assert.equal(feed(prng, whole).length, frames.length);
      tolerate([WireError], () => feed(prng, bentBytes(prng, whole)));
    },
  },
  "json-header": {
    claim: "a bent JSON header is a command or a WireError",
    begin: () => (prng) => {
      const header = utf8(
        `{"code":10,"opaque":${prng.int(99)},"extFields":{"a":"${prng.int(9)}"}}`,
      );
      tolerate([WireError], () => decodeJsonHeader(bentBytes(prng, header)));
      tolerate([WireError], () => decodeJsonHeader(utf8(oddText(prng))));
    },
  },
  "binary-header": {
    claim: "a bent binary header is a command or a WireError",
    begin: () => (prng) => {
      const frame = frameOf(prng, "binary");
      const headerBytes = new DataView(frame.buffer).getUint32(4) & 0xff_ffff;
      const header = frame.subarray(8, 8 + headerBytes);
      const bent = bentBytes(prng, header);
      tolerate([WireError], () => decodeBinaryHeader(bent));
    },
  },
  record: {
    claim: "a bent record is told, and never read beyond its end; its body is never another one",
    begin: () => (prng) => {
      const record = writtenRecord(prng, prng.int(300));
      const body = textOf(readRecord(record).body);
      const bent = bentBytes(prng, record);
      tolerate([WireError], () => splitRecords(bent));
      const read = tolerate([WireError], () => readRecord(bent));
      if (read !== undefined && body !== "" && bent.length === record.length) {
        const lost = textOf(read.body) !== body && read.body.length === utf8(body).length;
        assert.ok(!lost, "a changed body passed its checksum");
      }
    },
  },
  batch: {
    claim: "a bent batch is messages or a refusal",
    begin: () => (prng) => {
      const messages = Array.from({ length: prng.between(1, 5) }, () => {
        return { flag: prng.int(9), body: prng.bytes(prng.int(60)), properties: oddText(prng) };
      });
      const batch = encodeBatch(messages);
      assert.equal(decodeBatch(batch).length, messages.length);
      tolerate([WireError, BrokerError], () => decodeBatch(bentBytes(prng, batch)));
    },
  },
  "link-batch": {
    claim: "a bent batch between threads is items within it, or a RangeError: never beyond its end",
    begin: () => (prng) => {
      const bent = bentBytes(prng, linkBatch(prng));
      const batch = tolerate([RangeError], () => new BatchReader(bent.buffer));
      while (batch !== undefined && tolerate([RangeError], () => batch.next()) === true) {
        const { payload } = batch;
        assert.ok(payload.at + payload.left <= bent.length, "an item ends within its batch");
      }
    },
  },
};
