import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import type { HeartbeatAsk } from "../../broker/broker.ts";
import { HeartbeatMemory } from "./heartbeat_memory.ts";

function heartbeat(clientId: string): HeartbeatAsk {
  return {
    ...{ clientId, connection: 1, address: "10.0.0.7:1", language: "JAVA", version: 479 },
    ...{ producerGroups: [], consumers: [] },
  };
}

test("HeartbeatMemory recalls a heartbeat by client and fingerprint", () => {
  const memory = new HeartbeatMemory();
  const ask = heartbeat("c1");
  memory.remember(7, ask);

  assert.equal(memory.recall("c1", 7), ask);
  assert.equal(memory.recall("c1", 8), undefined);
  assert.equal(memory.recall("c2", 7), undefined);
});

test("HeartbeatMemory keeps nothing for a heartbeat without a fingerprint", () => {
  const memory = new HeartbeatMemory();
  memory.remember(7, heartbeat("c1"));
  memory.remember(0, heartbeat("c1"));

  assert.equal(memory.recall("c1", 0), undefined);
  assert.equal(memory.recall("c1", 7), undefined);
});

test("HeartbeatMemory forgets the client silent for longest when it is full", () => {
  const memory = new HeartbeatMemory();
  for (let client = 0; client <= limits.clientsPerConnectionMax; client++) {
    memory.remember(7, heartbeat(`c${client}`));
  }

  assert.equal(memory.recall("c0", 7), undefined);
  assert.equal(memory.recall("c1", 7)?.clientId, "c1");
});
