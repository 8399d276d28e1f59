import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualTimers } from "../../../tests/support/manual_timers.ts";
import { limits } from "../../base/limits.ts";
import { ClientAsks } from "./client_asks.ts";
import type { RemotingCommand } from "./command.ts";

function response(opaque: number): RemotingCommand {
  return {
    ...{ code: 0, language: "JAVA", version: 479, opaque, flag: 1, remark: "well" },
    ...{ extFields: {}, serializer: "json" },
  };
}

test("begin() gives the answer of its own number, as a copy, and only once", async () => {
  const timers = new ManualTimers();
  const asks = new ClientAsks(timers);
  const [first, second] = [asks.begin(1, 100), asks.begin(2, 100)];
  const body = new Uint8Array([7]);

  asks.answered(response(2), body);
  asks.answered(response(2), body);
  asks.answered(response(1), new Uint8Array(0));
  body[0] = 9;

  assert.deepEqual(await second, { code: 0, remark: "well", body: new Uint8Array([7]) });
  assert.equal((await first).body.length, 0);
  assert.deepEqual([asks.count, timers.pending], [0, 0]);
});

test("begin() fails when its time is over, and not a millisecond before", async () => {
  const timers = new ManualTimers();
  const asks = new ClientAsks(timers);
  const asked = asks.begin(1, 100);

  timers.advance(99);
  assert.equal(asks.count, 1);
  timers.advance(1);

  await assert.rejects(asked, { code: "timeout" });
  assert.equal(asks.count, 0);
});

test("begin() refuses a client that owes asksPerClientMax answers; close() ends all", async () => {
  const timers = new ManualTimers();
  const asks = new ClientAsks(timers);
  const asked = Array.from({ length: limits.asksPerClientMax }, (_, n) => asks.begin(n, 100));

  await assert.rejects(asks.begin(9999, 100), { code: "too_busy" });
  asks.close();

  for (const each of asked) await assert.rejects(each, { code: "timeout" });
  assert.equal(timers.pending, 0);
});
