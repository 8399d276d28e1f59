import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "./bytes.ts";

test("ByteWriter.copyOut() gives a buffer of its own, and the next begins empty", () => {
  const writer = new ByteWriter(8);
  writer.u32(1);
  const first = writer.copyOut(64);
  writer.u32(2);
  writer.u8(3);
  const second = writer.copyOut(64);

  assert.deepEqual([...new Uint8Array(first)], [0, 0, 0, 1]);
  assert.deepEqual([...new Uint8Array(second)], [0, 0, 0, 2, 3]);
});

test("ByteWriter.copyOut() keeps its memory up to the bound, and no more", () => {
  const writer = new ByteWriter(8);
  writer.put(new Uint8Array(40));
  const grown = writer.capacity;
  writer.copyOut(64);
  assert.equal(writer.capacity, grown);
  writer.put(new Uint8Array(100));
  writer.copyOut(64);
  assert.equal(writer.capacity, 64);
  assert.equal(writer.length, 0);
});

test("ByteWriter.detach() gives what was written and starts anew", () => {
  for (const capacity of [4, 32]) {
    const writer = new ByteWriter(capacity);
    writer.u32(7);
    assert.deepEqual([...new Uint8Array(writer.detach())], [0, 0, 0, 7]);
    assert.equal(writer.length, 0);
    writer.u8(1);
    assert.deepEqual([...writer.view()], [1]);
  }
});
