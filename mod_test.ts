import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BrokerError, type RunningBroker, startBroker } from "./mod.ts";

const quiet = { httpPort: 0, remotingPort: 0, shards: 1, logLevel: "error" } as const;

/** A directory that is gone when `story` is over. */
async function withDirectory(story: (data: string) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "curlew-mod-"));
  try {
    await story(data);
  } finally {
    await rm(data, { recursive: true });
  }
}

/** A broker for the length of `story`. */
async function withBroker(
  data: string,
  story: (broker: RunningBroker) => Promise<void>,
): Promise<void> {
  const broker = await startBroker({ ...quiet, data });
  try {
    await story(broker);
  } finally {
    await broker.stop();
  }
}

async function ask({ ready }: RunningBroker, method: string, path: string, value: unknown) {
  const response = await fetch(`http://${ready.http}/v1/topics/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${text}`);
  return JSON.parse(text);
}

test("startBroker() serves a message over HTTP, and hands it to its successor", async () => {
  await withDirectory(async (data) => {
    await withBroker(data, async (broker) => {
      await ask(broker, "PUT", "orders", { queues: 1 });
      await ask(broker, "POST", "orders/messages", { body: "paid" });
    });
    await withBroker(data, async (broker) => {
      const wanted = { waitMs: 10_000 };
      const { messages } = await ask(broker, "POST", "orders/groups/billing/receive", wanted);
      assert.deepEqual(messages.map(({ body }: { body: string }) => body), ["paid"]);
    });
  });
});

test("startBroker() refuses a directory that another broker holds, and says who", async () => {
  await withDirectory(async (data) => {
    await withBroker(data, async ({ ready }) => {
      await assert.rejects(startBroker({ ...quiet, data }), (thrown: unknown) => {
        assert.ok(thrown instanceof BrokerError);
        assert.equal(thrown.code, "conflict");
        assert.ok(thrown.message.includes(ready.http), thrown.message);
        return true;
      });
    });
  });
});

test("startBroker() tells all wrong settings at once, by the names the program used", async () => {
  const wrong: Record<string, unknown> = { httpPort: 70_000, logLevel: "loud", htpPort: 1 };

  await assert.rejects(startBroker(wrong), (thrown: unknown) => {
    assert.ok(thrown instanceof BrokerError);
    assert.equal(thrown.code, "invalid_argument");
    for (const part of ['httpPort: found "70000"', 'logLevel: found "loud"', "mean httpPort?"]) {
      assert.ok(thrown.message.includes(part), thrown.message);
    }
    return true;
  });
});
