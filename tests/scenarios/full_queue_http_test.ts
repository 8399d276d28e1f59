/**
 * What the plays tell of a queue that is full, told by a broker with threads, files and sockets. A
 * play's broker has one thread and a clock of its own.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startBroker } from "../../mod.ts";
import { askWell } from "../support/broker_api.ts";

const keptBack = 1024;
const quiet = { httpPort: 0, remotingPort: 0, shards: 1, logLevel: "error" } as const;

/** A broker on files, for the length of `story`, as the base of its addresses. */
async function withBroker(story: (base: string) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "curlew-full-"));
  try {
    const broker = await startBroker({ ...quiet, data });
    try {
      await story(`http://${broker.ready.http}`);
    } finally {
      await broker.stop();
    }
  } finally {
    await rm(data, { recursive: true });
  }
}

test("a started broker explains a full queue, and what is behind it", async () => {
  await withBroker(async (base) => {
    await askWell(base, "PUT /v1/topics/orders", { queues: 1 });
    await askWell(base, "PUT /v1/groups/billing", { ordered: true, attemptsMax: 1 });
    const send = async (count: number, shardingKey: string) => {
      const messages = Array.from({ length: count }, () => ({ body: "x", shardingKey }));
      const { json } = await askWell(base, "POST /v1/topics/orders/messages", { messages });
      return json.receipts.map(({ messageId }: { messageId: string }) => messageId);
    };
    // One is delivered, as many as may be wait behind its key, and five do not fit.
    const [first] = await send(1, "a");
    await send(keptBack, "a");
    await send(5, "a");
    const [last] = await send(1, "b");
    const receive = async () => {
      const path = "/v1/topics/orders/groups/billing/receive";
      const { json } = await askWell(base, `POST ${path}`, { max: 32, invisibleMs: 60_000 });
      return json.messages;
    };
    const explained = async () => {
      const path = `/v1/messages/${last}/explain?group=billing&topic=orders`;
      const { json } = await askWell(base, `GET ${path}`);
      return json.causes;
    };

    const taken = await receive();
    assert.deepEqual(taken.map(({ messageId }: { messageId: string }) => messageId), [first]);
    const [full, behind] = await explained();
    assert.deepEqual([full.cause, behind.cause], ["queue-full", "queue-behind"]);
    assert.match(full.sentence, /^Group billing keeps 1024 messages of this queue back/);
    assert.match(behind.sentence, /^5 messages of queue 0 come before it/);

    // One moves, and so does the queue: by one.
    const receipts = taken.map(({ receipt }: { receipt: string }) => receipt);
    await askWell(base, "POST /v1/topics/orders/groups/billing/ack", { receipts });
    assert.equal((await receive()).length, 1);
    const [, nearer] = await explained();
    assert.match(nearer.sentence, /^4 messages of queue 0 come before it/);
  });
});
