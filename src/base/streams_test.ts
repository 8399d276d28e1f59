import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitedBytesTransformStream, TextLineStream, toArrayBuffer } from "@std/streams";

async function linesOf(pieces: readonly string[], options = {}): Promise<string[]> {
  const lines: string[] = [];
  const source = new ReadableStream<string>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  for await (const line of source.pipeThrough(new TextLineStream(options))) lines.push(line);
  return lines;
}

function bytesStream(...sizes: readonly number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const size of sizes) controller.enqueue(new Uint8Array(size).fill(size));
      controller.close();
    },
  });
}

test("TextLineStream gives the same lines however the text is cut", async () => {
  const text = "one\r\ntwo\n\nfour\rstill four\r\n\r\nlast";
  const expected = ["one", "two", "", "four\rstill four", "", "last"];
  for (let cut = 0; cut <= text.length; cut++) {
    assert.deepEqual(await linesOf([text.slice(0, cut), text.slice(cut)]), expected, `cut ${cut}`);
  }
  assert.deepEqual(await linesOf([...text]), expected);
});

test("TextLineStream ends lines at a lone carriage return when told so", async () => {
  const text = "one\rtwo\r\nthree\n\rfive\r";
  const expected = ["one", "two", "three", "", "five"];
  for (let cut = 0; cut <= text.length; cut++) {
    const lines = await linesOf([text.slice(0, cut), text.slice(cut)], { allowCR: true });
    assert.deepEqual(lines, expected, `cut ${cut}`);
  }
});

test("TextLineStream makes no line of nothing, and none after the last end", async () => {
  assert.deepEqual(await linesOf([]), []);
  assert.deepEqual(await linesOf(["one\n"]), ["one"]);
});

test("LimitedBytesTransformStream ends before the chunk that is too much", async () => {
  const limited = bytesStream(2, 3, 4).pipeThrough(new LimitedBytesTransformStream(5));
  assert.equal((await toArrayBuffer(limited)).byteLength, 5);
});

test("LimitedBytesTransformStream fails when told so", async () => {
  const limited = bytesStream(2, 4).pipeThrough(
    new LimitedBytesTransformStream(5, { error: true }),
  );
  await assert.rejects(toArrayBuffer(limited), RangeError);
});

test("toArrayBuffer joins chunks in order", async () => {
  const joined = new Uint8Array(await toArrayBuffer(bytesStream(1, 0, 2)));
  assert.deepEqual(joined, new Uint8Array([1, 2, 2]));
});
