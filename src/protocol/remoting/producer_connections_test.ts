import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { ProducerConnections } from "./producer_connections.ts";

test("ProducerConnections finds a client where it spoke last", () => {
  const producers = new ProducerConnections();
  producers.put("a", 1);
  producers.put("b", 1);
  producers.put("a", 2);
  producers.put("a", 2);
  assert.deepEqual([producers.find("a"), producers.find("b"), producers.find("c")], [
    ...[2, 1, undefined],
  ]);
});

test("ProducerConnections forgets a connection's clients, but not those that moved on", () => {
  const producers = new ProducerConnections();
  producers.put("a", 1);
  producers.put("b", 1);
  producers.put("a", 2);
  producers.drop(1);
  producers.drop(9);
  assert.deepEqual([producers.find("a"), producers.find("b")], [2, undefined]);
});

test("ProducerConnections keeps a bounded number of clients for a connection", () => {
  const producers = new ProducerConnections();
  const count = limits.clientsPerConnectionMax + 1;
  for (let index = 0; index < count; index++) producers.put(`client-${index}`, 1);
  assert.equal(producers.find("client-0"), undefined);
  assert.equal(producers.find("client-1"), 1);
  assert.equal(producers.find(`client-${count - 1}`), 1);
});
