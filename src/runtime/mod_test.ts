import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes, randomId, randomSeed, runtime, runtimeName } from "./mod.ts";

test("runtime knows where it runs", () => {
  assert.equal(runtimeName, "Bun" in globalThis ? "bun" : "deno");
  assert.equal(runtime.name, runtimeName);
});

test("runtime.clock tells the host's time, and monotonic time does not go back", () => {
  assert.ok(runtime.clock.wallMs() > Date.UTC(2024, 0));
  const first = runtime.clock.monotonicMs();
  assert.ok(runtime.clock.monotonicMs() >= first);
});

test("runtime.timers calls once, in order of delay, and not what was called off", async () => {
  const calls: string[] = [];
  await new Promise<void>((resolve) => {
    const { timers } = runtime;
    timers.setTimer(20, resolve);
    timers.setTimer(5, () => calls.push("timer"));
    const cancelTimer = timers.setTimer(1, () => calls.push("cancelled timer"));
    const cancelImmediate = timers.immediate(() => calls.push("cancelled immediate"));
    timers.immediate(() => calls.push("immediate"));
    cancelTimer();
    cancelImmediate();
    cancelTimer();
  });

  assert.deepEqual(calls, ["immediate", "timer"]);
});

test("runtime.timers does not call a timer of a month at once", async () => {
  let called = false;
  const cancel = runtime.timers.setTimer(40 * 24 * 3600 * 1000, () => called = true);
  await new Promise<void>((resolve) => runtime.timers.setTimer(5, resolve));
  cancel();

  assert.equal(called, false);
});

test("randomBytes(), randomId() and randomSeed() differ from call to call", () => {
  assert.equal(randomBytes(33).length, 33);
  assert.notDeepEqual(randomBytes(16), randomBytes(16));
  assert.notEqual(randomId(), randomId());
  assert.notEqual(randomSeed(), randomSeed());
  assert.ok(Number.isSafeInteger(randomSeed()));
});
