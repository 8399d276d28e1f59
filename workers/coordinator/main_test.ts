import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LinkClient } from "../../src/link/client.ts";
import {
  coordinatorOperations,
  type RegistrySnapshot,
} from "../../src/link/coordinator_messages.ts";
import { randomBytes, runtime } from "../../src/runtime/mod.ts";
import { workerEntries } from "../addresses.ts";
import type { CoordinatorStart } from "./main.ts";

const settings = {
  shards: 1,
  clusterName: "cluster",
  brokerName: "broker",
  autoCreateTopics: false,
  traceTopic: false,
  defaultQueues: 1,
  defaultDurability: "power-loss",
  retentionMs: 60_000,
  retentionBytes: null,
} as const;

/** Starts a coordinator's thread on `directory`, asks, drains it, and waits for its end. */
async function inThread<T>(
  directory: string,
  work: (client: LinkClient<typeof coordinatorOperations>) => Promise<T>,
): Promise<T> {
  const { threads } = runtime;
  const [near, far] = threads.channel();
  const [shardNear, shardFar] = threads.channel();
  const freshSecret = randomBytes(32);
  const data: CoordinatorStart = { ...settings, directory, freshSecret, logLevel: "error" };
  const entry = workerEntries.coordinator;
  const role = threads.spawnRole({ entry, data, ports: [far, shardFar] });
  const client = new LinkClient(coordinatorOperations, threads.threadPort(near), 10, () => {});
  try {
    const result = await work(client);
    await client.ask("drain", null);
    await role.done;
    return result;
  } finally {
    near.close();
    shardNear.close();
  }
}

test("runRole() keeps the registry from one thread's life to the next", async () => {
  const directory = mkdtempSync(join(tmpdir(), "curlew-coordinator-"));
  try {
    const first = await inThread(directory, async (client): Promise<RegistrySnapshot> => {
      const given = { name: "t", settings: { queues: 3 }, mode: "create", system: false } as const;
      await client.ask("putTopic", given);
      return await client.ask("snapshot", null);
    });
    const second = await inThread(directory, (client) => client.ask("snapshot", null));

    const byName = (snapshot: RegistrySnapshot) => snapshot.topics.find(({ name }) => name === "t");
    assert.equal(byName(first)?.queueRefs.length, 3);
    assert.deepEqual(byName(second), byName(first));
    assert.equal(second.receiptSecret, first.receiptSecret);
    assert.equal(second.bootEpoch, first.bootEpoch + 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
