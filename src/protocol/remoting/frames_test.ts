import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ByteWriter, utf8 } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { Prng } from "../../base/prng.ts";
import { WireError } from "../../model/errors.ts";
import { beginFrame, encodeFrame, endFrameHead, type Frame, FrameDecoder } from "./frames.ts";

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function frame(header: string, body = ""): Uint8Array {
  return joined(encodeFrame("json", utf8(header), utf8(body)));
}

/** Every frame of the chunks, as "header/body". */
function decoded(chunks: Iterable<Uint8Array>, decoder = new FrameDecoder()): string[] {
  const frames: string[] = [];
  for (const chunk of chunks) decoder.push(chunk, (found) => frames.push(shown(found)));
  return frames;
}

function shown(found: Frame): string {
  return `${Buffer.from(found.header)}/${Buffer.from(found.body)}`;
}

function prefix(total: number, mixed: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, total);
  view.setUint32(4, mixed);
  return bytes;
}

const stream = joined([frame("first", "one"), frame("", ""), frame("third"), frame("4", "body")]);
const wanted = ["first/one", "/", "third/", "4/body"];

test("FrameDecoder finds the same frames wherever the stream is split", () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    assert.deepEqual(decoded([stream.subarray(0, cut), stream.subarray(cut)]), wanted);
    for (let second = cut; second <= stream.length; second += 3) {
      const chunks = [
        stream.subarray(0, cut),
        stream.subarray(cut, second),
        stream.subarray(second),
      ];
      assert.deepEqual(decoded(chunks), wanted);
    }
  }
});

test("FrameDecoder finds the frames of a stream that comes byte by byte", () => {
  const bytes = Array.from(stream, (byte) => Uint8Array.of(byte));

  assert.deepEqual(decoded(bytes), wanted);
});

test("FrameDecoder finds large frames in random chunks", () => {
  const prng = new Prng(2);
  const bodies = Array.from({ length: 20 }, () => "x".repeat(prng.int(400_000)));
  const bytes = joined(bodies.map((body, index) => frame(`h${index}`, body)));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const count = prng.between(1, prng.pick([8, 1_000, 70_000, 900_000]));
    chunks.push(bytes.subarray(at, at + count));
    at += count;
  }

  assert.deepEqual(decoded(chunks), bodies.map((body, index) => `h${index}/${body}`));
});

test("FrameDecoder hands on views of a chunk that holds the whole frame", () => {
  new FrameDecoder().push(frame("h", "b"), (found) => assert.equal(found.header.byteOffset, 8));
  let views = 0;
  new FrameDecoder().push(stream, (found) => {
    const isView = found.body.buffer === stream.buffer;
    assert.equal(isView, found.body.length > 0, "an empty body keeps no chunk alive");
    views += Number(isView);
  });

  assert.equal(views, 2);
});

test("FrameDecoder refuses wrong lengths from the prefix alone, and keeps nothing for them", () => {
  const totals = [0, 3, limits.frameBytesMax + 1, 0x7fffffff, 0x80000000, 0xffffffff];
  const wrong = totals.map((total) => prefix(total, 0));
  wrong.push(prefix(100, 97), prefix(4, 1), prefix(200_000, limits.frameHeaderBytesMax + 1));
  wrong.push(prefix(100, 0x02000000), prefix(100, 0xff000000));
  for (const bytes of wrong) {
    const decoder = new FrameDecoder();
    assert.throws(() => decoded([bytes], decoder), WireError);
    assert.ok(decoder.keptBytes <= 8);
    assert.throws(() => decoded([stream], decoder), WireError, "the fault is remembered");
    assert.throws(() => decoded(Array.from(bytes, (byte) => Uint8Array.of(byte))), WireError);
  }
});

test("FrameDecoder takes lengths that are just allowed", () => {
  assert.deepEqual(decoded([prefix(4, 0), prefix(4, 0x01000000)]), ["/", "/"]);
  const largest = new Uint8Array(4 + limits.frameBytesMax);
  largest.set(prefix(limits.frameBytesMax, 0));
  let bodyBytes = 0;
  new FrameDecoder().push(largest, (found) => bodyBytes = found.body.length);

  assert.equal(bodyBytes, limits.frameBytesMax - 4);
});

test("FrameDecoder hands on the frames before a fault", () => {
  const frames: string[] = [];
  const bytes = joined([frame("good"), prefix(1, 0)]);

  assert.throws(
    () => new FrameDecoder().push(bytes, (found) => frames.push(shown(found))),
    WireError,
  );
  assert.deepEqual(frames, ["good/"]);
});

test("FrameDecoder keeps memory in step with what arrived, not with what was announced", () => {
  const decoder = new FrameDecoder();
  decoded([prefix(limits.frameBytesMax, 10)], decoder);
  assert.ok(decoder.keptBytes < 100_000);
  for (let chunk = 0; chunk < 30; chunk++) decoded([new Uint8Array(10_000)], decoder);
  assert.ok(decoder.keptBytes < 700_000);
});

test("FrameDecoder answers random bytes with frames or a WireError, and bounded memory", () => {
  const prng = new Prng(3);
  for (let round = 0; round < 3_000; round++) {
    const decoder = new FrameDecoder();
    try {
      for (let chunk = 0; chunk < 5; chunk++) {
        const bytes = prng.bytes(prng.int(40));
        if (prng.chance(0.8)) bytes.fill(0, 0, Math.min(bytes.length, 3));
        decoded([bytes], decoder);
        assert.ok(decoder.keptBytes <= 70_000);
      }
    } catch (error) {
      assert.ok(error instanceof WireError, String(error));
    }
  }
});

test("encodeFrame() does not copy a large body, and endFrameHead() writes the same bytes", () => {
  for (const size of [0, 10, 100_000]) {
    const body = new Uint8Array(size).fill(7);
    const pieces = encodeFrame("binary", utf8("header"), body);
    const writer = new ByteWriter(4);
    const start = beginFrame(writer);
    writer.text("header");
    endFrameHead(writer, start, "binary", body.length);
    writer.put(body);

    assert.equal(pieces.includes(body), size === 100_000);
    assert.deepEqual(joined(pieces), new Uint8Array(writer.view()));
  }
});
