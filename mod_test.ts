import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BrokerError, type RunningBroker, startBroker } from "./mod.ts";
import { until } from "./tests/support/until.ts";

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

/** Waits until a figure of the one shard is `least` or more. */
async function untilFigure({ ready }: RunningBroker, metric: string, least: number) {
  const line = new RegExp(`^${metric}\\{shard="0"\\} (\\d+)$`, "m");
  await until(`${metric} of ${least} or more`, 10_000, async () => {
    const text = await (await fetch(`http://${ready.http}/metrics`)).text();
    return Number(line.exec(text)?.[1]) >= least;
  });
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

test("startBroker() says why a data directory cannot be made", async () => {
  await withDirectory(async (data) => {
    await writeFile(join(data, "file"), "");
    await assert.rejects(startBroker({ ...quiet, data: join(data, "file") }), (thrown: unknown) => {
      assert.ok(thrown instanceof BrokerError);
      assert.match(thrown.message, /^Cannot use data directory .*file: .*EEXIST/);
      return true;
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

test("stop() answers everyone who waits, and says to streams that the broker stops", async () => {
  await withDirectory(async (data) => {
    const broker = await startBroker({ ...quiet, data });
    await ask(broker, "PUT", "quiet", { queues: 1 });
    const at = `http://${broker.ready.http}/v1`;
    const told: string[] = [];
    const post = async (path: string, body: string) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${at}/${path}`, { method: "POST", headers, body });
      const { code = "fine" } = await response.json();
      told.push(`${path} ${response.status} ${code}`);
    };
    const stream = await fetch(`${at}/topics/quiet/groups/viewers/stream?mode=broadcast`);
    const waiting = [
      post("topics/quiet/groups/billing/receive", '{"waitMs":30000,"tags":"none"}'),
      post("producers/payments/checks", '{"waitMs":30000}'),
      post("topics/quiet/requests", '{"body":"?","timeoutMs":30000}'),
    ];
    await untilFigure(broker, "curlew_shard_messages", 1);
    await untilFigure(broker, "curlew_shard_parked_polls", 2);
    await broker.stop();
    await Promise.all(waiting);

    assert.deepEqual(told.sort(), [
      "producers/payments/checks 200 fine",
      "topics/quiet/groups/billing/receive 200 fine",
      "topics/quiet/requests 503 shutting_down",
    ]);
    const events = await stream.text();
    assert.ok(events.includes('"code":"shutting_down"'), events);
  });
});
