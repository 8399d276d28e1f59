import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { textOf, utf8 } from "../../base/bytes.ts";
import { isSignedWith } from "../../protocol/remoting/acl_signature.ts";
import { type RemotingCommand, responseTo } from "../../protocol/remoting/command.ts";
import { decodeCommand, encodeCommand } from "../../protocol/remoting/command_frames.ts";
import { FrameDecoder } from "../../protocol/remoting/frames.ts";
import { RemotingClient, type RemotingParts } from "./remoting_client.ts";

type Asked = { readonly command: RemotingCommand; readonly body: Uint8Array };

/** A peer that hears requests, and a client of it; both are closed after `use`. */
async function withPeer(
  hear: (asked: Asked, socket: Socket) => void,
  use: (client: RemotingClient) => Promise<void>,
  more: Partial<RemotingParts> = {},
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const decoder = new FrameDecoder();
    socket.on("error", () => {});
    socket.on("data", (chunk: Uint8Array) =>
      decoder.push(chunk, (frame) => {
        hear({ command: decodeCommand(frame), body: frame.body }, socket);
      }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const parts = { host: fakeHost([]), timeoutMs: 10_000, serializer: "json" as const, ...more };
  const client = new RemotingClient({ host: "127.0.0.1", port }, parts);
  try {
    await use(client);
  } finally {
    client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function answer(socket: Socket, { command }: Asked, code: number, remark?: string): void {
  const pieces = encodeCommand(responseTo(command, code, { of: String(command.code) }, remark));
  for (const piece of pieces) socket.write(piece);
}

test("RemotingClient.askAll() gives each request its answer, in whichever order they come", () =>
  withPeer(
    (() => {
      const waiting: (() => void)[] = [];
      return (asked, socket) => {
        waiting.push(() => answer(socket, asked, 0));
        if (waiting.length === 3) waiting.reverse().forEach((each) => each());
      };
    })(),
    async (client) => {
      const answers = await client.askAll([{ code: 1 }, { code: 2 }, { code: 3 }]);

      assert.deepEqual(answers.map(({ fields }) => fields["of"]), ["1", "2", "3"]);
    },
  ));

test("RemotingClient.ask() tells a refusal with its remark, and what may be tried again", () =>
  withPeer((asked, socket) => answer(socket, asked, 2, "come back later"), async (client) => {
    await assert.rejects(client.ask({ code: 106 }), {
      code: "remoting_2",
      retriable: true,
      message: /refused GET_BROKER_CLUSTER_INFO with code 2: come back later/,
    });
    assert.equal((await client.ask({ code: 106 }, 2)).code, 2);
  }));

test("RemotingClient.ask() dials again after a lost connection", async () => {
  let cuts = 0;
  await withPeer((asked, socket) => {
    if (cuts++ === 0) socket.destroy();
    else answer(socket, asked, 0);
  }, async (client) => {
    await assert.rejects(client.ask({ code: 28 }), { name: "UnreachableError", reached: true });
    assert.equal((await client.ask({ code: 28 })).code, 0);
  });
});

test("RemotingClient.ask() has another hint for a peer that closes before its first word", () => {
  let asked = 0;
  return withPeer((each, socket) => {
    if (asked++ === 1) answer(socket, each, 0);
    else socket.destroy();
  }, async (client) => {
    await assert.rejects(client.ask({ code: 28 }), { hint: "Try TLS" });
    assert.equal((await client.ask({ code: 28 })).code, 0);
    await assert.rejects(client.ask({ code: 28 }), { hint: "Look there" });
  }, { hint: "Look there", hintWhenClosed: "Try TLS" });
});

test("RemotingClient.ask() gives up a peer that does not answer in time", () => {
  let nowMs = 0;
  const ticks = new Set<() => void>();
  const host = {
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    every: (_intervalMs: number, tick: () => void) => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
  };
  return withPeer(() => {
    nowMs += 10_001;
    for (const tick of [...ticks]) tick();
  }, async (client) => {
    await assert.rejects(client.ask({ code: 28 }), /did not answer .* within 10000 ms/);
  }, { host });
});

test("RemotingClient.ask() gives up a peer that leaves a TLS hello without an answer", async () => {
  const ticks = new Set<() => void>();
  const host = {
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    every: (_intervalMs: number, tick: () => void) => {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
  };
  let hasClosed = () => {};
  const closed = new Promise<void>((resolve) => hasClosed = resolve);
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("close", hasClosed);
    socket.once("data", () => [...ticks].forEach((tick) => tick()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const parts = { host, timeoutMs: 10_000, serializer: "json" as const };
  const client = new RemotingClient({ host: "127.0.0.1", port }, {
    ...parts,
    trust: { kind: "any" },
  });

  await assert.rejects(client.ask({ code: 28 }), /did not accept within 10000 ms/);
  await closed;
  assert.equal(ticks.size, 0);
  server.close();
});

test("RemotingClient.ask() says where nobody listens, and what to try", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const parts = { host: fakeHost([]), timeoutMs: 10_000, serializer: "json" as const };
  const client = new RemotingClient({ host: "127.0.0.1", port }, { ...parts, hint: "Look there" });

  await assert.rejects(client.ask({ code: 28 }), {
    name: "UnreachableError",
    reached: false,
    hint: "Look there",
    message: new RegExp(`Cannot connect to 127.0.0.1:${port}`),
  });
});

test("RemotingClient.ask() says that a peer speaks something else", () =>
  withPeer(
    (_asked, socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
    (client) => assert.rejects(client.ask({ code: 28 }), /does not speak RocketMQ's protocol/),
  ));

test("RemotingClient.ask() signs for a broker that checks, body included", () =>
  withPeer((asked, socket) => {
    const { version, extFields } = asked.command;
    const isGood = isSignedWith("secret", { version, extFields, body: asked.body });
    answer(socket, asked, isGood && textOf(asked.body) === "text" ? 0 : 16);
  }, async (client) => {
    const asked = client.ask({ code: 28, fields: { topic: "t" }, body: utf8("text") });
    assert.equal((await asked).code, 0);
  }, { credentials: { accessKey: "key", secretKey: "secret" } }));
