import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../base/bytes.ts";
import { limits } from "../../base/limits.ts";
import { Writers } from "./writers.ts";

test("Writers lend an empty writer again that came back full", () => {
  const writers = new Writers();
  const writer = writers.take();
  writer.text("an answer");
  writers.giveBack(writer);
  assert.equal(writers.take(), writer);
  assert.equal(writer.length, 0);
  assert.notEqual(writers.take(), writer);
});

test("Writers keep no more than their bound", () => {
  const writers = new Writers();
  for (let count = 0; count <= limits.idleWritersMax; count++) {
    writers.giveBack(new ByteWriter(16));
  }
  assert.equal(writers.idleCount, limits.idleWritersMax);
});

test("Writers keep none that a crowded moment made too large", () => {
  const writers = new Writers();
  writers.giveBack(new ByteWriter(limits.idleWriterBytesMax + 1));
  assert.equal(writers.idleCount, 0);
  writers.giveBack(new ByteWriter(limits.idleWriterBytesMax));
  assert.equal(writers.idleCount, 1);
});
