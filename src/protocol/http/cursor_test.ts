import assert from "node:assert/strict";
import { test } from "node:test";
import { signerWith } from "../../runtime/signer.ts";
import { cursorText, readCursor } from "./cursor.ts";

const signer = signerWith(new Uint8Array(32).fill(3));
const stream = { kind: "broadcast", topic: "t", group: "g" } as const;

test("readCursor() reads what cursorText() wrote, of one queue or a thousand", () => {
  for (const queues of [1, 64, 1024]) {
    const offsets = Array.from({ length: queues }, (_, at) => at * 1_000_003);
    const text = cursorText({ ...stream, offsets }, signer);
    assert.deepEqual(readCursor(text, signer, stream), { ...stream, offsets });
  }
});

test("readCursor() refuses what is not ours, however long it is", () => {
  const good = cursorText({ ...stream, offsets: [1] }, signer);
  for (const bent of ["", "x", `x${good}`, "x".repeat(100_000), `${"x".repeat(5000)}.${good}`]) {
    assert.throws(() => readCursor(bent, signer, stream), /Last-Event-ID/, bent.slice(0, 20));
  }
});
