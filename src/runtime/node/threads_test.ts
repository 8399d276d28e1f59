import assert from "node:assert/strict";
import { test } from "node:test";
import type { EchoData } from "../../../tests/support/echo_role.ts";
import type { HeavyTasks, Role } from "../../ports/threads.ts";
import type { ThreadPort } from "../../ports/thread_port.ts";
import { systemThreads } from "./threads.ts";

const entry = new URL("../../../tests/support/echo_role.ts", import.meta.url);

type Echo = { role: Role; port: ThreadPort; next: () => Promise<unknown> };

/** A running echo role, its near port, and what comes out of it one by one. */
function startEcho(data: EchoData): Echo {
  const [near, far] = systemThreads.channel();
  const role = systemThreads.spawnRole({ entry, data, ports: [far] });
  const port = systemThreads.threadPort(near);
  const arrived: unknown[] = [];
  let wake: () => void = () => {};
  port.onMessage((message) => {
    arrived.push(message);
    wake();
  });
  const next = async () => {
    while (arrived.length === 0) await new Promise<void>((resolve) => wake = resolve);
    return arrived.shift();
  };
  return { role, port, next };
}

test("spawnRole() hands over data and port, and resolves `done` when the role closes", async () => {
  const { role, port, next } = startEcho({ greeting: "hello" });
  assert.equal(await next(), "hello");
  port.postMessage("close", []);
  await role.done;
  port.close();
});

test("spawnRole() starts a role with a bound for its new objects", async () => {
  const [near, far] = systemThreads.channel();
  const port = systemThreads.threadPort(near);
  const greeted = new Promise((resolve) => port.onMessage(resolve));
  const data: EchoData = { greeting: "hello" };
  const role = systemThreads.spawnRole({ entry, data, ports: [far], youngBytesMax: 4 << 20 });
  assert.equal(await greeted, "hello");
  port.postMessage("close", []);
  await role.done;
  port.close();
});

test("spawnRole() carries buffers over the port without copying", async () => {
  const { role, port, next } = startEcho({ greeting: "hello" });
  await next();
  const sent = new Uint8Array([1, 2, 3]).buffer;
  port.postMessage(sent, [sent]);
  assert.equal(sent.byteLength, 0, "the sender gave the buffer away");
  const received = await next();
  assert.ok(received instanceof ArrayBuffer);
  assert.deepEqual([...new Uint8Array(received)], [1, 2, 3]);
  port.postMessage("close", []);
  await role.done;
  port.close();
});

test("Role.done rejects when the role fails to start", async () => {
  const { role, port } = startEcho({ greeting: "", failAtStart: true });

  await assert.rejects(role.done, /planted at the start/);
  port.close();
});

test("Role.done rejects when the role's promise does", async () => {
  const { role, port, next } = startEcho({ greeting: "hello" });
  await next();
  port.postMessage("reject", []);

  await assert.rejects(role.done, /planted in the promise/);
  port.close();
});

test("Role.done rejects when a callback in the thread throws", async () => {
  const { role, port, next } = startEcho({ greeting: "hello" });
  await next();
  port.postMessage("throw", []);

  await assert.rejects(role.done, /planted in a callback/);
  port.close();
});

test("Role.done rejects when the entry cannot be loaded", async () => {
  const role = systemThreads.spawnRole({
    entry: new URL("no_such_role.ts", entry),
    data: null,
    ports: [],
  });

  await assert.rejects(role.done);
});

test("Role.terminate() ends a thread that listens no more", async () => {
  const { role, port, next } = startEcho({ greeting: "hello" });
  await next();
  const ended = assert.rejects(role.done);
  port.postMessage("spin", []);
  await role.terminate();
  await ended;
  port.close();
});

async function withTasks(
  waitingMax: number,
  story: (tasks: HeavyTasks) => Promise<void>,
): Promise<void> {
  const tasks = systemThreads.heavyTasks({ threadsMax: 1, waitingMax });
  try {
    await story(tasks);
  } finally {
    await tasks.close();
  }
}

test("heavyTasks() runs a function by name, and takes over buffers", async () => {
  await withTasks(4, async (tasks) => {
    const buffer = new ArrayBuffer(100);
    const results = await Promise.all([
      tasks.run({ entry, name: "sum", input: [1, 2, 3] }),
      tasks.run({ entry, name: "byteLength", input: buffer, transfer: [buffer] }),
    ]);

    assert.deepEqual([results, buffer.byteLength], [[6, 100], 0]);
  });
});

test("heavyTasks() rejects with what the task threw, and goes on", async () => {
  await withTasks(4, async (tasks) => {
    await assert.rejects(tasks.run({ entry, name: "fail", input: "planted" }), /planted/);

    assert.equal(await tasks.run({ entry, name: "sum", input: [4] }), 4);
  });
});

test("heavyTasks() refuses more than may wait, and a signal ends a running task", async () => {
  await withTasks(1, async (tasks) => {
    const stop = new AbortController();
    const running = tasks.run({ entry, name: "forever", input: null, signal: stop.signal });
    const waiting = tasks.run({ entry, name: "sum", input: [1] });
    await assert.rejects(tasks.run({ entry, name: "sum", input: [2] }), {
      name: "QueueFullError",
    });
    const ended = assert.rejects(running);
    stop.abort();
    await ended;

    assert.equal(await waiting, 1);
  });
});
