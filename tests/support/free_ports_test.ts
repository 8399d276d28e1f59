import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { test } from "node:test";
import { freePort } from "./free_ports.ts";

function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
}

test("freePort() passes over a port that is taken, and one whose neighbour is", async () => {
  const taken = await freePort([-2, 1]);
  const server = createServer();
  await listenOn(server, taken);
  try {
    const free = await freePort([-2, 1]);
    const picks = [taken, taken + 2, taken - 1, free];

    const found = await freePort([-2, 1], () => picks.shift() ?? 0);

    assert.equal(found, free);
    assert.deepEqual(picks, []);
  } finally {
    server.close();
  }
});

test("freePort() stays below the ports of connections that go out", async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort([-2, 1])));

  for (const port of ports) assert.ok(port - 2 > 1024 && port + 1 < 32_768, String(port));
});

test("freePort() gives up when every port is taken", async () => {
  const server = createServer();
  const taken = await freePort();
  await listenOn(server, taken);
  try {
    await assert.rejects(freePort([], () => taken), /Cannot find a free port: 100 between/);
  } finally {
    server.close();
  }
});
