import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { chunksOf } from "../../../tests/support/fake_host.ts";
import { linesOf } from "./lines.ts";

async function collect(
  pieces: readonly (string | Uint8Array)[],
  bytesMax = 100,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const group of linesOf(chunksOf(pieces), bytesMax)) {
    for (const line of group) lines.push(Buffer.from(line).toString("latin1"));
  }
  return lines;
}

test("linesOf() keeps empty lines, carriage returns, and a last line without its end", async () => {
  assert.deepEqual(await collect(["a\n\nb\r\n\nlast"]), ["a", "", "b\r", "", "last"]);
  assert.deepEqual(await collect(["a\n"]), ["a"]);
  assert.deepEqual(await collect([""]), []);
  assert.deepEqual(await collect(["\n"]), [""]);
});

test("linesOf() gives the same lines wherever the chunks are cut", async () => {
  const whole = Buffer.from("one\n\ntwo\xff\x00\nthree\n", "latin1");
  const expected = ["one", "", "two\xff\x00", "three"];

  for (let cut = 0; cut <= whole.length; cut++) {
    const lines = await collect([whole.subarray(0, cut), whole.subarray(cut)]);
    assert.deepEqual(lines, expected, `cut at ${cut}`);
  }
  assert.deepEqual(await collect([...whole].map((byte) => Uint8Array.of(byte))), expected);
});

test("linesOf() hands out what came before a line that is too long, then refuses it", async () => {
  const lines: number[] = [];

  await assert.rejects(async () => {
    for await (const group of linesOf(chunksOf(["ok\n", "x".repeat(8), "xxx"]), 10)) {
      lines.push(...group.map((line) => line.length));
    }
  }, /Line 2 is longer/);

  assert.deepEqual(lines, [2]);
});
