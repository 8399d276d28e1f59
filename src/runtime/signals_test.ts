import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Signal } from "../ports/signals.ts";
import { systemSignals } from "./signals.ts";

test("systemSignals tells stop from reload, every time, until called off", async () => {
  const heard: Signal[] = [];
  let wake: () => void = () => {};
  // Listening for signals alone does not keep Deno's event loop going.
  const alive = setInterval(() => {}, 1000);
  const off = systemSignals.onSignal((signal) => {
    heard.push(signal);
    wake();
  });
  for (const name of ["SIGHUP", "SIGTERM", "SIGINT", "SIGTERM"] as const) {
    const count = heard.length;
    process.kill(process.pid, name);
    while (heard.length === count) await new Promise<void>((resolve) => wake = resolve);
  }
  off();
  clearInterval(alive);

  assert.deepEqual(heard, ["reload", "stop", "stop", "stop"]);
  assert.equal(process.listenerCount("SIGHUP"), 0);
});
