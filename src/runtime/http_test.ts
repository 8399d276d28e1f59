import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectWithTls, type TLSSocket } from "node:tls";
import type { HttpOptions, HttpServer, RequestInfo } from "../ports/http.ts";
import type { TlsIdentity } from "../ports/tls.ts";
import { runtime } from "./mod.ts";

type Handler = HttpOptions["fetch"];

/** Of a server on loopback whose bounds nobody meets, and which answers errors as text. */
const plain = {
  host: "127.0.0.1",
  port: 0,
  bounds: { connectionsMax: 1_000, headMsMax: 60_000, idleMsMax: 60_000 },
  onError: (error: unknown) => new Response(String(error), { status: 599 }),
  onTrouble: (error: Error) => assert.fail(error.message),
};

/** A server for the length of `story`, answering errors with their message. */
async function withServer(
  fetch: Handler,
  story: (origin: string, server: HttpServer) => Promise<void>,
): Promise<void> {
  const server = await runtime.http.serve({ ...plain, fetch });
  try {
    await story(`http://127.0.0.1:${server.address.port}`, server);
  } finally {
    await server.stop(0);
  }
}

/** A raw client that sends one request and can vanish. */
function rawRequest(origin: string, path: string): Socket {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {}); // A reset is what some of these tests cause.
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  return socket;
}

test("http.serve() answers, and tells who asked", async () => {
  const infos: RequestInfo[] = [];
  await withServer((request, info) => {
    infos.push(info);
    return new Response(new URL(request.url).pathname);
  }, async (origin) => {
    assert.equal(await (await fetch(`${origin}/hello`)).text(), "/hello");
  });

  assert.equal(infos[0]?.remote.host, "127.0.0.1");
  assert.ok((infos[0]?.remote.port ?? 0) > 0);
});

test("http.serve() lets onError answer for what fetch throws", async () => {
  await withServer(() => Promise.reject(new Error("planted")), async (origin) => {
    const response = await fetch(origin);

    assert.deepEqual([response.status, await response.text()], [599, "Error: planted"]);
  });
});

test("http.serve() aborts request.signal when the client of a long poll goes away", async () => {
  const asked = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await withServer((request) => {
    asked.resolve();
    return new Promise((resolve) => {
      request.signal.addEventListener("abort", () => {
        aborted.resolve();
        resolve(new Response("nobody reads this"));
      });
    });
  }, async (origin) => {
    const client = rawRequest(origin, "/poll");
    await asked.promise;
    client.destroy();
    await aborted.promise;
  });
});

test("http.serve() leaves request.signal alone after a complete answer", async () => {
  const signals: AbortSignal[] = [];
  await withServer((request) => {
    signals.push(request.signal);
    return new Response("whole");
  }, async (origin, server) => {
    assert.equal(await (await fetch(origin)).text(), "whole");
    await server.stop(20_000);
  });

  assert.deepEqual(signals.map(({ aborted }) => aborted), [false]);
});

test("http.serve() aborts request.signal and cancels the stream when its reader goes", async () => {
  const aborted = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  await withServer((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("data: one\n\n")),
      cancel: () => cancelled.resolve(),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }, async (origin) => {
    const client = rawRequest(origin, "/events");
    await new Promise<void>((resolve) => client.once("data", () => resolve()));
    client.destroy();
    await Promise.all([aborted.promise, cancelled.promise]);
  });
});

test("http.serve() takes a body larger than the runtime's own limit would be", async () => {
  await withServer(async (request) => {
    let bytes = 0;
    for await (const chunk of request.body ?? []) bytes += chunk.length;
    return new Response(String(bytes));
  }, async (origin) => {
    const body = new Uint8Array(130 * 1024 * 1024);
    const response = await fetch(origin, { method: "POST", body });

    assert.equal(await response.text(), String(body.length));
  });
});

/** A raw client that says this, and what it was told until it was cut. */
function cutWith(server: HttpServer, text: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: server.address.port });
  let told = "";
  socket.on("data", (chunk) => told += String(chunk));
  socket.on("error", () => {});
  socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(told)));
}

const hurried = { ...plain, bounds: { connectionsMax: 1_000, headMsMax: 400, idleMsMax: 1_000 } };

test("http.serve() cuts who asks nothing more, or begins and does not go on", async () => {
  const server = await runtime.http.serve({ ...hurried, fetch: () => new Response("well") });
  const head = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

  const told = await Promise.all([cutWith(server, head), cutWith(server, `${head}GET / HT`)]);

  for (const each of told) assert.match(each, /^HTTP\/1.1 200 [^]*well$/);
  await server.stop(0);
});

test("http.serve() cuts whose body does not come in time, and nobody who waits", async () => {
  const faults: string[] = [];
  const cut = Promise.withResolvers<void>();
  const server = await runtime.http.serve({
    ...hurried,
    async fetch(request, info) {
      if (request.url.endsWith("/first")) return new Response("at once");
      if (request.method === "GET") {
        await cut.promise;
        return new Response("in the end");
      }
      info.bodyWithin(1_000);
      await request.arrayBuffer().catch(({ name }: Error) => faults.push(name));
      return new Response("nobody reads this");
    },
  });
  const waiting = fetch(`http://127.0.0.1:${server.address.port}/`);
  // It waits longer than it may be idle, on a connection that was answered before.
  const again = cutWith(
    server,
    "GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n" +
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );

  const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";
  assert.equal(await cutWith(server, `${head}some`), "");

  cut.resolve();
  assert.equal(await (await waiting).text(), "in the end");
  assert.match(await again, /at once[^]*in the end$/);
  assert.equal(faults.length, 1);
  await server.stop(0);
});

test("HttpServer.stop() lets a running answer finish and accepts no other", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const answer = async (): Promise<Response> => {
    asked.resolve();
    await release.promise;
    return new Response("finished");
  };
  await withServer(answer, async (origin, server) => {
    const running = fetch(origin);
    await asked.promise;
    const stopped = server.stop(20_000);
    release.resolve();

    assert.equal(await (await running).text(), "finished");
    await stopped;
    await assert.rejects(fetch(origin));
  });
});

test("HttpServer.stop() lets the last bytes of many answers reach their readers", async () => {
  const readers = 40;
  const all = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let asked = 0;
  const answer = async (request: Request): Promise<Response> => {
    // Listening to the signal changes when Deno calls an answer complete.
    request.signal.addEventListener("abort", () => {});
    await request.arrayBuffer();
    if (++asked === readers) all.resolve();
    await release.promise;
    return new Response("finished");
  };
  await withServer(answer, async (origin, server) => {
    const running = Array.from({ length: readers }, () => {
      return fetch(origin, { method: "POST", body: "{}" }).then((response) => response.text());
    });
    await all.promise;
    const stopped = server.stop(20_000);
    release.resolve();

    assert.deepEqual(new Set(await Promise.all(running)), new Set(["finished"]));
    await stopped;
  });
});

test("HttpServer.stop() cuts what does not finish in its grace time", async () => {
  const asked = Promise.withResolvers<void>();
  const never = (): Promise<Response> => {
    asked.resolve();
    return new Promise(() => {});
  };
  await withServer(never, async (origin, server) => {
    const running = fetch(origin).catch((error: unknown) => error);
    await asked.promise;
    await server.stop(10);

    assert.ok(await running instanceof Error);
  });
});

test("http.serve() says which address it could not have, and why", async () => {
  await withServer(() => new Response(), async (origin) => {
    const port = Number(new URL(origin).port);
    const fetch = () => new Response();
    await assert.rejects(
      runtime.http.serve({ ...plain, port, fetch }),
      (error: Error & { code?: string }) => {
        assert.match(error.message, new RegExp(`Cannot listen on 127.0.0.1:${port}`));
        assert.equal(error.code, "EADDRINUSE");
        return true;
      },
    );
  });
});

/** A TLS connection, the certificate it was shown, and what comes over it. */
async function connectTls(port: number): Promise<{ socket: TLSSocket; fingerprint: string }> {
  const socket = connectWithTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.on("error", () => {}); // The end of the server ends it.
  await new Promise<void>((resolve) => socket.once("secureConnect", () => resolve()));
  return { socket, fingerprint: socket.getPeerCertificate().fingerprint256 };
}

function identity(): TlsIdentity {
  return runtime.tls.selfSign({ names: ["localhost"], addresses: [], fromMs: 0, untilMs: 4e12 });
}

test("HttpServer.replaceTls() concerns new connections, and goes on with open ones", async () => {
  const [first, second] = [identity(), identity()];
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const fetch = async () => {
    asked.resolve();
    await release.promise;
    return new Response("finished");
  };
  const server = await runtime.http.serve({ ...plain, tls: first, fetch });
  const { port } = server.address;
  const before = await connectTls(port);
  before.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await asked.promise;
  await server.replaceTls(second);
  const after = await connectTls(port);
  const answer = new Promise<string>((resolve) => {
    let text = "";
    before.socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.endsWith("finished")) resolve(text);
    });
  });
  release.resolve();

  assert.match(await answer, /^HTTP\/1.1 200 /);
  const shown = [before.fingerprint, after.fingerprint];
  assert.deepEqual(shown, [first, second].map((each) => runtime.tls.prepare(each).fingerprint));
  assert.equal(server.address.port, port);
  for (const { socket } of [before, after]) socket.destroy();
  await server.stop(0);
});
