import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnProcess } from "../../tests/support/own_process.ts";

// In a process of its own: a test runner listens to these signals too, and ends.
test("systemSignals tells stop from reload, every time, until called off", async () => {
  const child = new OwnProcess(`
    const { systemSignals } = await import(${
    JSON.stringify(new URL("signals.ts", import.meta.url))
  });
    const alive = setInterval(() => {}, 1000);
    let heard = 0;
    const off = systemSignals.onSignal((signal) => {
      console.log(signal);
      if (++heard < 4) return;
      off();
      clearInterval(alive);
    });
    console.log("ready");`);
  const heard = [await child.nextLine()];
  for (const name of ["SIGHUP", "SIGTERM", "SIGINT", "SIGTERM"] as const) {
    child.signal(name);
    heard.push(await child.nextLine());
  }
  await child.exited;

  assert.deepEqual(heard, ["ready", "reload", "stop", "stop", "stop"]);
});
