import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "../base/assert.ts";
import { ManualClock } from "../base/clock.ts";
import { Prng } from "../base/prng.ts";
import {
  offsetMessageId,
  packPhysicalOffset,
  parseOffsetMessageId,
  UniqueKeys,
  unpackPhysicalOffset,
} from "./message_id.ts";

const seed = Uint8Array.from([127, 0, 0, 1, 0x13, 0x88, 1, 2, 3, 4]);

test("offsetMessageId() is address, port and physical offset in capitals (section 16)", () => {
  assert.equal(offsetMessageId("127.0.0.1", 10_911, 1024), "7F00000100002A9F0000000000000400");
  assert.equal(offsetMessageId("::1", 1, 0).length, 56);
});

test("parseOffsetMessageId() reads back what offsetMessageId() wrote", () => {
  const prng = new Prng(16);
  for (const ip of ["10.1.2.3", "255.255.255.255", "fe80::7"]) {
    for (let round = 0; round < 300; round++) {
      const [port, physicalOffset] = [prng.int(65_536), prng.int(2 ** prng.between(1, 53))];
      const id = offsetMessageId(ip, port, physicalOffset);
      assert.deepEqual(parseOffsetMessageId(id), { ip, port, physicalOffset });
      assert.deepEqual(parseOffsetMessageId(id.toLowerCase()), { ip, port, physicalOffset });
    }
  }
});

test("parseOffsetMessageId() does not take other text for an id", () => {
  const texts = ["", "7F", "x".repeat(32), "F".repeat(32), "0".repeat(33), "7f00000100002a9f-1"];
  for (const text of texts) assert.equal(parseOffsetMessageId(text), undefined, text);
});

test("UniqueKeys makes keys of seed, milliseconds of the month, and a counter (4.5)", () => {
  const clock = new ManualClock(Date.UTC(2024, 1, 1) + 0xabc);
  const keys = new UniqueKeys(clock, seed);

  assert.equal(keys.next(), "7F000001138801020304" + "00000ABC" + "0000");
  assert.equal(keys.next(), "7F000001138801020304" + "00000ABC" + "0001");
  clock.jump(Date.UTC(2024, 2, 1) - clock.wallMs());
  assert.equal(keys.next(), "7F000001138801020304" + "00000000" + "0002");
});

test("UniqueKeys repeats no key in a full millisecond, nor when the clock is set back", () => {
  const clock = new ManualClock();
  const keys = new UniqueKeys(clock, seed);
  const seen = new Set<string>();

  for (let count = 0; count < 150_000; count++) {
    if (count === 70_000) clock.jump(-5_000);
    if (count === 140_000) clock.advance(5_001);
    seen.add(keys.next());
  }

  assert.equal(seen.size, 150_000);
});

test("packPhysicalOffset() and unpackPhysicalOffset() undo each other up to 2^53", () => {
  const positionMax = 2 ** 45 - 1;
  for (const [shard, position] of [[0, 0], [255, 0], [7, 12_345], [255, positionMax]] as const) {
    const packed = packPhysicalOffset(shard, position);
    assert.deepEqual(unpackPhysicalOffset(packed), { shard, position });
  }
  assert.equal(packPhysicalOffset(255, positionMax), Number.MAX_SAFE_INTEGER);
});

test("packPhysicalOffset() takes no shard above 255 and no position above 2^45", () => {
  for (const [shard, position] of [[256, 0], [-1, 0], [0, -1], [0, 2 ** 45], [0.5, 1]] as const) {
    assert.throws(() => packPhysicalOffset(shard, position), AssertionError);
  }
});
