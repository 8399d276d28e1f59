/** Bytes nobody meant: a session closes or answers, and keeps neither exceptions nor memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../../src/base/prng.ts";
import { SessionFuzz } from "./session_fuzz.ts";

const frames = 20_000;

test("2 20,000 bent frames bring no exception to light, and no memory stays", async () => {
  const prng = new Prng(20_261_122);
  const fuzz = new SessionFuzz();
  for (let sent = 0; sent < frames; sent++) await fuzz.send(prng);
  await fuzz.end();
  const { answered, opened } = fuzz.counts;
  assert.ok(opened > 100, `${opened} connections were opened`);
  assert.ok(answered > frames / 10, `${answered} requests were answered`);
});
