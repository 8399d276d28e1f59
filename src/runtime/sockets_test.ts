import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import type {
  AcceptedConnection,
  CloseReason,
  Connection,
  Listener,
  Sockets,
} from "../ports/sockets.ts";
import { bunSockets } from "./bun/tcp.ts";
import { runtimeName } from "./mod.ts";
import { systemSockets } from "./node/tcp.ts";
import { systemTls } from "./node/tls.ts";

/** What may carry connections on this runtime, by name: each keeps all that the port promises. */
const adapters: Record<string, Sockets> = {
  systemSockets,
  ...(runtimeName === "bun" ? { bunSockets } : {}),
};

/** A peer that gathers what it is told, and lets a test wait for it. */
class Peer {
  readonly connection: Connection;
  received = "";
  chunks = 0;
  drains = 0;
  readonly closes: CloseReason[] = [];
  #changed: () => void = () => {};

  constructor(connection: Connection) {
    this.connection = connection;
    connection.listen({
      onData: (chunk) => {
        this.received += new TextDecoder().decode(chunk);
        this.chunks++;
        this.#changed();
      },
      onDrain: () => {
        this.drains++;
        this.#changed();
      },
      onClose: (reason) => {
        this.closes.push(reason);
        this.#changed();
      },
    });
  }

  /** Resolves when `condition` holds; checked whenever something happens. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#changed = resolve);
  }
}

type Pair = { server: Peer; client: Peer; listener: Listener };

/** Two connected peers, for the length of `story`. */
async function withPair(sockets: Sockets, story: (pair: Pair) => Promise<void>): Promise<void> {
  const accepted = Promise.withResolvers<Peer>();
  const listener = await listenOn(
    sockets,
    0,
    (connection) => accepted.resolve(new Peer(connection)),
  );
  const { host, port } = listener.address;
  const client = new Peer(await sockets.dial({ host, port, timeoutMs: 5000 }));
  const server = await accepted.promise;
  try {
    await story({ server, client, listener });
  } finally {
    await listener.close();
    client.connection.destroy();
    server.connection.destroy();
    await client.until(() => client.closes.length > 0);
    await server.until(() => server.closes.length > 0);
  }
}

function listenOn(
  sockets: Sockets,
  port: number,
  onConnection: (connection: AcceptedConnection) => void,
  connectionsMax = 10,
): Promise<Listener> {
  const onError = (error: Error) => assert.fail(error);
  return sockets.listen({ host: "127.0.0.1", port, connectionsMax, onConnection, onError });
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

for (const [name, sockets] of Object.entries(adapters)) {
  test(`${name} carries bytes both ways and knows both addresses`, async () => {
    await withPair(sockets, async ({ server, client, listener }) => {
      client.connection.write([bytes("to the "), bytes("server")]);
      await server.until(() => server.received === "to the server");
      server.connection.write([bytes("and back")]);
      await client.until(() => client.received === "and back");

      assert.deepEqual(client.connection.remote, listener.address);
      assert.deepEqual(client.connection.local, server.connection.remote);
      assert.equal(server.connection.local.host, "127.0.0.1");
    });
  });

  test(`${name}: Connection.write() joins what one turn writes`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      for (let index = 0; index < 100; index++) client.connection.write([bytes("x")]);
      await server.until(() => server.received.length === 100);

      assert.equal(server.chunks, 1);
    });
  });

  test(`${name}: Connection.write() keeps the order of small and large chunks`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      const sizes = [1, 20_000, 3, 16_384, 16_383, 100_000, 2];
      const chunks = sizes.map((size, index) =>
        bytes(String.fromCharCode(97 + index).repeat(size))
      );
      client.connection.write(chunks);
      const expected = chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
      await server.until(() => server.received.length === expected.length);

      assert.equal(server.received, expected);
    });
  });

  test(`${name}: Connection tells of pressure, and of its end`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      server.connection.pause();
      // More than the kernels keep for a reader that does not read.
      assert.equal(client.connection.write([new Uint8Array(32 * 1024 * 1024)]), false);
      server.connection.write([bytes("echo")]);
      await client.until(() => client.received === "echo");
      assert.ok(client.connection.bufferedBytes > 0);
      assert.equal(client.drains, 0);
      server.connection.resume();
      await client.until(() => client.drains > 0);

      assert.deepEqual([client.connection.bufferedBytes, client.drains], [0, 1]);
    });
  });

  test(`${name}: Connection.pause() holds data back until resume()`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      server.connection.pause();
      client.connection.write([bytes("later")]);
      // An echo in the other direction takes as long as the data would have.
      server.connection.write([bytes("echo")]);
      await client.until(() => client.received === "echo");
      assert.equal(server.received, "");
      server.connection.resume();
      await server.until(() => server.received === "later");
    });
  });

  test(`${name}: Connection.end() sends what was written, and both sides close once`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      server.connection.write([bytes("last words")]);
      server.connection.end();
      assert.equal(server.connection.write([bytes("too late")]), false);
      await client.until(() => client.closes.length > 0);
      await server.until(() => server.closes.length > 0);
      client.connection.destroy();

      assert.equal(client.received, "last words");
      assert.deepEqual([client.closes, server.closes], [[{ kind: "ended" }], [{ kind: "ended" }]]);
    });
  });

  test(`${name}: Connection.destroy() closes both sides, whatever was left to send`, async () => {
    await withPair(sockets, async ({ server, client }) => {
      client.connection.write([bytes("lost")]);
      client.connection.destroy();
      await server.until(() => server.closes.length > 0);
      await client.until(() => client.closes.length > 0);

      assert.deepEqual([client.closes.length, server.closes.length], [1, 1]);
    });
  });

  test(`${name}: Listener closes connections beyond its bound`, async () => {
    const peers: Peer[] = [];
    const listener = await listenOn(
      sockets,
      0,
      (connection) => peers.push(new Peer(connection)),
      1,
    );
    const { host, port } = listener.address;
    const first = new Peer(await sockets.dial({ host, port, timeoutMs: 5000 }));
    const second = new Peer(await sockets.dial({ host, port, timeoutMs: 5000 }));
    await second.until(() => second.closes.length > 0);

    assert.deepEqual([listener.connectionCount, peers.length, first.closes.length], [1, 1, 0]);
    listener.destroyConnections();
    await first.until(() => first.closes.length > 0);
    await listener.close();
  });

  test(`${name}: Listener.close() frees the port while a connection stays open`, async () => {
    await withPair(sockets, async ({ server, client, listener }) => {
      const { port } = listener.address;
      await listener.close();
      const next = await listenOn(sockets, port, (connection) => connection.destroy());
      await next.close();
      client.connection.write([bytes("still here")]);
      await server.until(() => server.received === "still here");
    });
  });

  test(`${name}.listen() says which address it could not have, and why`, async () => {
    const listener = await listenOn(sockets, 0, (connection) => connection.destroy());
    const { port } = listener.address;
    await assert.rejects(listenOn(sockets, port, () => {}), (error: Error & { code?: string }) => {
      assert.match(error.message, new RegExp(`Cannot listen on 127.0.0.1:${port}`));
      assert.equal(error.code, "EADDRINUSE");
      return true;
    });
    await listener.close();
  });

  test(`${name}.dial() says whom it could not reach`, async () => {
    const listener = await listenOn(sockets, 0, (connection) => connection.destroy());
    const { host, port } = listener.address;
    await listener.close();

    await assert.rejects(
      sockets.dial({ host, port, timeoutMs: 5000 }),
      new RegExp(`Cannot connect to 127.0.0.1:${port}`),
    );
  });

  test(`${name} carries TLS that a peer begins, whatever it said in its first chunk`, async () => {
    const fromMs = Date.UTC(2026, 0, 1);
    const asked = { names: ["localhost"], addresses: [], fromMs, untilMs: fromMs + 86_400_000 };
    const context = systemTls.prepare(systemTls.selfSign(asked));
    const accepted = Promise.withResolvers<Peer>();
    const listener = await listenOn(sockets, 0, (connection) => {
      connection.listen({
        onData: (chunk) => {
          accepted.resolve(new Peer(connection));
          connection.startTls(context, chunk);
        },
        onClose: () => {},
      });
    });
    const { host, port } = listener.address;
    const client = connect({ host, port, rejectUnauthorized: false });
    const answered = textOf(client);
    const large = "x".repeat(3_000_000);
    client.write(`hello ${large}`);
    const server = await accepted.promise;
    await server.until(() => server.received.length === large.length + 6);
    server.connection.write([bytes("good "), bytes(large), bytes(" bye")]);
    server.connection.end();
    const answer = await answered;
    await server.until(() => server.closes.length > 0);
    await listener.close();

    assert.equal(answer.length, large.length + 9);
    assert.ok(answer.startsWith("good x") && answer.endsWith("x bye"));
    assert.deepEqual(server.closes, [{ kind: "ended" }]);
    assert.equal(listener.connectionCount, 0);
  });

  test(`${name} tells of a peer that speaks no TLS after all`, async () => {
    const fromMs = Date.UTC(2026, 0, 1);
    const asked = { names: ["localhost"], addresses: [], fromMs, untilMs: fromMs + 86_400_000 };
    const context = systemTls.prepare(systemTls.selfSign(asked));
    await withPair(sockets, async ({ server, client }) => {
      client.connection.write([bytes("no handshake at all")]);
      await server.until(() => server.received.length > 0);
      const accepted = server.connection as AcceptedConnection;
      accepted.startTls(context, bytes(server.received));
      await server.until(() => server.closes.length > 0);

      assert.equal(server.closes[0]?.kind, "failed");
    });
  });
}

/** All that a peer says until it ends. */
function textOf(socket: TLSSocket): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    socket.once("end", () => resolve(text));
    socket.once("error", reject);
  });
}
