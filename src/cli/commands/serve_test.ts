import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { BrokerError } from "../../model/errors.ts";
import { family } from "../command.ts";
import { runProgram } from "../program.ts";
import { type ReadSettings, serveCommand, type ServingBroker } from "./serve.ts";

const ready = { http: "127.0.0.1:1", remoting: "127.0.0.1:2" };
const lasting: Promise<never> = new Promise(() => {});

async function serve(read: ReadSettings, signal = true) {
  const host = fakeHost(["serve", "--data", "d"]);
  const command = serveCommand(() => Promise.resolve(read));
  const root = family({ name: "curlew", summary: "", examples: [], members: [command] });
  const running = runProgram(root, host);
  if (signal) host.controller.abort();
  return { exitCode: await running, out: host.out.text, err: host.err.text };
}

function reading(broker: () => Promise<ServingBroker>): ReadSettings {
  return () => Promise.resolve({ kind: "settings", logLevel: "info", start: broker });
}

test("serve prints one ready line, stops on a signal, and exits with 0", async () => {
  let stops = 0;
  const stop = () => Promise.resolve(void stops++);

  const { exitCode, out } = await serve(
    reading(() => Promise.resolve({ ready, failed: lasting, stop })),
  );

  assert.equal(exitCode, 0);
  assert.equal(stops, 1);
  const { event, http, remoting } = JSON.parse(out);
  assert.deepEqual({ event, http, remoting }, { event: "ready", ...ready });
});

test("serve tells every fault of the settings, exits with 2, and starts nothing", async () => {
  const faults = ["--shards needs 1 to 256", "there is no setting --dta"];

  const { exitCode, out, err } = await serve(() => Promise.resolve({ kind: "faults", faults }));

  assert.equal(exitCode, 2);
  assert.equal(out, "");
  for (const fault of faults) assert.ok(err.includes(fault));
});

test("serve tells why a broker did not start, and exits with 1", async () => {
  const refused = () => Promise.reject(new BrokerError("conflict", "process 7 holds it"));

  const { exitCode, err, out } = await serve(reading(refused));

  assert.deepEqual([exitCode, err, out], [1, "curlew serve: process 7 holds it\n", ""]);
});

test("serve ends with 1 when a part fails that the broker cannot do without", async () => {
  let stops = 0;
  const stop = () => Promise.resolve(void stops++);
  const failed = Promise.reject(new Error("the coordinator ended"));

  const { exitCode, err } = await serve(
    reading(() => Promise.resolve({ ready, failed, stop })),
    false,
  );

  assert.equal(exitCode, 1);
  assert.equal(stops, 1);
  assert.match(err, /the coordinator ended/);
});

test("serve does not wait for ever for a broker that does not stop", async () => {
  const { exitCode, err } = await serve(
    reading(() => Promise.resolve({ ready, failed: lasting, stop: () => lasting })),
  );

  assert.equal(exitCode, 1);
  assert.match(err, /stopping took too long/);
});
