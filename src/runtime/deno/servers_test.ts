/** What only Deno's servers do. Where there is no Deno, these have nothing to look at. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { HttpOptions, HttpServer, RequestInfo } from "../../ports/http.ts";
import { runWords, spawnHere } from "../../../tests/support/broker_process.ts";
import { until } from "../../../tests/support/until.ts";
import { runtime, runtimeName } from "../mod.ts";
import { connectionServer, EachServer } from "./each_server.ts";
import { arrivedBody, arrivedHeaders } from "./inner_request.ts";
import { WholeServer } from "./whole_server.ts";

/** Enough to start with. */
const filesFew = 96;

const onDeno = { skip: runtimeName === "deno" ? false : "these are servers of Deno" };
const roomy = { connectionsMax: 1_000, headMsMax: 60_000, idleMsMax: 60_000 };

function optionsOf(changes: Partial<HttpOptions>): HttpOptions {
  return {
    host: "127.0.0.1",
    port: 0,
    bounds: roomy,
    fetch: () => new Response("well"),
    onError: (error) => new Response(String(error), { status: 599 }),
    onTrouble: (error) => assert.fail(error.message),
    ...changes,
  };
}

function eachServer(changes: Partial<HttpOptions>): HttpServer {
  const serve = connectionServer();
  assert.ok(serve, "this Deno serves single connections");
  return new EachServer(optionsOf(changes), serve);
}

type Client = {
  readonly socket: Socket;
  /** What it was told until it was closed. */
  readonly closed: Promise<string>;
  /** What it was told until this came. */
  told(pattern: RegExp): Promise<string>;
};

/** A raw client. */
async function dial(server: HttpServer): Promise<Client> {
  const socket = connect({ host: "127.0.0.1", port: server.address.port });
  let text = "";
  socket.on("data", (chunk) => text += String(chunk));
  const told = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      socket.on("data", () => pattern.test(text) && resolve(text));
    });
  socket.on("error", () => {}); // To be cut is what these tests are about.
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return { socket, closed, told };
}

const head = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/** The same, from one who wants nothing more. */
const lastHead = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

test(
  "EachServer cuts who takes too long for a head, and nobody who waits for an answer",
  onDeno,
  async () => {
    const release = Promise.withResolvers<Response>();
    const bounds = { ...roomy, headMsMax: 40 };
    const server = eachServer({ bounds, fetch: () => release.promise });
    const polling = await dial(server);
    polling.socket.write(lastHead);
    const slow = await dial(server);
    slow.socket.write("GET / HTTP/1.1\r\nX-Slow: ");

    assert.equal(await slow.closed, "");
    release.resolve(new Response("late"));
    assert.match(await polling.closed, /^HTTP\/1.1 200 [^]*late/);
    await server.stop(0);
  },
);

test("EachServer cuts who asks nothing more after an answer", onDeno, async () => {
  const server = eachServer({ bounds: { connectionsMax: 10, headMsMax: 40, idleMsMax: 40 } });
  const client = await dial(server);
  client.socket.write(head);

  assert.match(await client.closed, /well$/);
  await server.stop(0);
});

test("EachServer takes one more by cutting who asked nothing longest", onDeno, async () => {
  const server = eachServer({ bounds: { ...roomy, connectionsMax: 2 } });
  const first = await dial(server);
  const second = await dial(server);
  const third = await dial(server);
  await first.closed;

  for (const { socket } of [second, third]) socket.write(lastHead);
  assert.match(await second.closed, /well$/);
  assert.match(await third.closed, /well$/);
  await server.stop(0);
});

test("EachServer refuses one more while everybody is busy", onDeno, async () => {
  const release = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const fetch = () => {
    asked.resolve();
    return release.promise;
  };
  const server = eachServer({ bounds: { ...roomy, connectionsMax: 1 }, fetch });
  const busy = await dial(server);
  busy.socket.write(lastHead);
  await asked.promise;
  const more = await dial(server);

  assert.equal(await more.closed, "");
  release.resolve(new Response("late"));
  assert.match(await busy.closed, /late$/);
  await server.stop(0);
});

test("EachServer takes who is told bit by bit for busy until the end", onDeno, async () => {
  const end = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("begun"));
      await end.promise;
      controller.close();
    },
  });
  const fetch = (_: Request, info: RequestInfo) => {
    const answer = new Response(body);
    info.lasts(answer);
    return answer;
  };
  const server = eachServer({ bounds: { ...roomy, connectionsMax: 1 }, fetch });
  const listening = await dial(server);
  const begun = listening.told(/begun/);
  listening.socket.write(head);
  await begun;
  const more = await dial(server);
  assert.equal(await more.closed, "", "there is no room");

  const ended = listening.told(/0\r\n\r\n$/);
  end.resolve();
  await ended;
  // The one who was told everything asks nothing more, and makes room.
  const next = await dial(server);
  await listening.closed;
  next.socket.destroy();
  await server.stop(0);
});

test("arrivedBody() takes what came with the head, once, and leaves the rest", onDeno, async () => {
  const taken: string[] = [];
  const fetch = async (request: Request) => {
    const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
    const atOnce = [arrivedBody(request), arrivedBody(request)].map(text);
    const later = request.bodyUsed ? "used" : await request.text();
    taken.push([request.method, ...atOnce, later].join(" "));
    return new Response("well");
  };
  const server = eachServer({ fetch });
  const post = (body: string) => lastHead.replace("GET", "POST").replace(/\r\n\r\n$/, () => body);
  const whole = await dial(server);
  whole.socket.write(post("\r\nContent-Length: 5\r\n\r\nwhole"));
  await whole.closed;
  const parted = await dial(server);
  parted.socket.write(post("\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"));
  await parted.told(/100 Continue/i);
  parted.socket.write("parted");
  await parted.closed;
  const none = await dial(server);
  none.socket.write(lastHead);
  await none.closed;

  assert.deepEqual(taken, ["POST whole  used", "POST   parted", "GET   "]);
  await server.stop(0);
});

test("arrivedHeaders() says of headers what the request says", onDeno, async () => {
  const asked = ["origin", "x-many", "curlew-tag", "x-none", "host"];
  const said: string[][] = [];
  const seen = new Set<unknown>();
  const fetch = (request: Request) => {
    const headers = arrivedHeaders(request);
    seen.add(headers).add(request.headers);
    for (const each of [headers, request.headers]) {
      said.push(asked.map((name) => `${each.has(name)} ${each.get(name)}`));
    }
    return new Response("well");
  };
  const server = eachServer({ fetch });
  const client = await dial(server);
  const many = "Origin: http://a\r\nX-Many: one\r\nx-many: two\r\nCURLEW-TAG: red\r\n";
  client.socket.write(lastHead.replace("Host:", () => `${many}Host:`));
  await client.closed;

  assert.equal(seen.size, 2, "it has a shorter way than the request's own");
  const [arrived, own] = said;
  assert.deepEqual(arrived, own);
  assert.deepEqual(arrived?.slice(0, 4), [
    "true http://a",
    "true one, two",
    "true red",
    "false null",
  ]);
  await server.stop(0);
});

for (const kind of [EachServer, WholeServer]) {
  test(
    `${kind.name} answers what is asked while it stops, as the last answer`,
    onDeno,
    async () => {
      const release = Promise.withResolvers<Response>();
      const asked = Promise.withResolvers<void>();
      const fetch = (request: Request) => {
        if (request.url.endsWith("/now")) return new Response("no more", { status: 503 });
        asked.resolve();
        return release.promise;
      };
      const server = kind === EachServer
        ? eachServer({ fetch })
        : new WholeServer(optionsOf({ fetch }));
      const [waiting, late] = [await dial(server), await dial(server)];
      waiting.socket.write(head);
      await asked.promise;
      const stopped = server.stop(20_000);
      const told = late.told(/no more/);
      late.socket.write(head.replace("/ ", "/now "));

      assert.match(await told, /^HTTP\/1.1 503 [^]*connection: close/i);
      release.resolve(new Response("finished"));
      await stopped;
      assert.match(await waiting.closed, /finished$/);
    },
  );
}

test("WholeServer takes new keys on the same port", onDeno, async () => {
  const sign = () =>
    runtime.tls.selfSign({ names: ["localhost"], addresses: [], fromMs: 0, untilMs: 4e12 });
  const server = new WholeServer(optionsOf({ tls: sign() }));
  const { port } = server.address;
  await server.replaceTls(sign());
  const client = await dial(server);
  client.socket.end();

  await client.closed;
  assert.equal(server.address.port, port);
  await server.stop(0);
});

test("WholeServer serves again after the process's files ran out", onDeno, async () => {
  const script = new URL("../../../tests/support/whole_server.ts", import.meta.url);
  const words = runWords(fileURLToPath(script)).join(" ");
  const few = ["sh", "-c", `ulimit -n ${filesFew} && exec ${words}`];
  const { child } = spawnHere(few, "ignore");
  let text = "";
  child.stdout?.on("data", (chunk) => text += String(chunk));
  const lineOf = (pattern: RegExp) =>
    until(`a line like ${pattern}`, 20_000, () => pattern.exec(text)?.[1]);
  const port = Number(await lineOf(/port: (\d+)/));

  const crowd = Array.from({ length: 2 * filesFew }, () => {
    return connect({ host: "127.0.0.1", port }).on("error", () => {});
  });
  await lineOf(/trouble: (.*)/);
  for (const socket of crowd) socket.destroy();

  const answer = await until("an answer", 20_000, async () => {
    return await fetch(`http://127.0.0.1:${port}/`).then((each) => each.text(), () => undefined);
  });
  assert.equal(answer, "well");
  child.kill("SIGKILL");
});
