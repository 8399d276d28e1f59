import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { connect as connectTls, type SecureVersion, type TLSSocket } from "node:tls";
import { ManualTimers } from "../../tests/support/manual_timers.ts";
import { limits } from "../base/limits.ts";
import { createLog } from "../base/log.ts";
import type { AcceptedConnection } from "../ports/sockets.ts";
import { runtime } from "../runtime/mod.ts";
import { type FirstBytesParts, meet } from "./first_bytes.ts";

const header = "PROXY TCP4 192.0.2.7 192.0.2.1 50000 9876\r\n";
const identity = runtime.tls.selfSign({
  names: ["localhost"],
  addresses: [Uint8Array.of(127, 0, 0, 1)],
  fromMs: runtime.clock.wallMs() - 3_600_000,
  untilMs: runtime.clock.wallMs() + 3_600_000,
});

/** A door whose protocol says back what it heard, after the peer's address as it is seen. */
class Door {
  readonly timers = new ManualTimers();
  readonly logged: string[] = [];
  opened = 0;
  ended = 0;
  readonly #parts: FirstBytesParts;
  #port = 0;
  #stop = () => Promise.resolve();
  #changed = () => {};

  constructor(settings: Partial<Pick<FirstBytesParts, "tlsMode" | "isTrustedProxy">>) {
    const context = runtime.tls.prepare(identity);
    this.#parts = {
      timers: this.timers,
      log: createLog({
        wallMs: () => 0,
        sink: ({ event, fields }) => this.logged.push(`${event}: ${fields["reason"]}`),
      }),
      isTrustedProxy: () => false,
      tlsMode: "permissive",
      tls: () => context,
      open: (connection) => this.#open(connection),
      gone: () => this.#end(),
      ...settings,
    };
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const listener = await runtime.sockets.listen({
      host: "127.0.0.1",
      port: 0,
      connectionsMax: 10,
      onConnection: (connection) => meet(connection, this.#parts),
      onError: (error) => assert.fail(error),
    });
    this.#port = listener.address.port;
    this.#stop = async () => {
      await listener.close();
      listener.destroyConnections();
    };
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  /** Resolves when every connection that came, `count`, has gone. */
  async untilEnded(count: number): Promise<void> {
    while (this.ended < count) await new Promise<void>((resolve) => this.#changed = resolve);
  }

  #open(connection: AcceptedConnection) {
    this.opened++;
    const { remote, local } = connection;
    const seen = new TextEncoder().encode(`${remote.host} at ${local.port}: `);
    connection.write([seen]);
    return {
      onData: (chunk: Uint8Array) => void connection.write([chunk]),
      onClose: () => this.#end(),
    };
  }

  #end(): void {
    this.ended++;
    this.#changed();
  }
}

async function withDoor(
  settings: ConstructorParameters<typeof Door>[0],
  story: (door: Door) => Promise<void>,
): Promise<void> {
  const door = new Door(settings);
  await door.start();
  try {
    await story(door);
  } finally {
    await door.stop();
  }
}

/** Lets events that have arrived happen. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void runtime.timers.immediate(resolve));
}

/** Reads until `bytes` have come, or the other side has closed. */
function heard(socket: Socket | TLSSocket, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("latin1");
      if (text.length >= bytes) resolve(text);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

async function say(door: Door, bytes: string | Uint8Array, answerBytes = 1 << 20): Promise<string> {
  const socket = connect(door.port, "127.0.0.1");
  socket.write(bytes);
  const text = await heard(socket, answerBytes);
  socket.destroy();
  return text;
}

/** Speaks TLS of one version over a socket that has said `before` in clear. */
async function sayTls(
  door: Door,
  text: string,
  { before = "", answerBytes = 1 << 20, version = "TLSv1.3" as SecureVersion },
): Promise<string> {
  const socket = connect(door.port, "127.0.0.1");
  if (before !== "") socket.write(before);
  const secured = connectTls({
    socket,
    ca: identity.certificatePem,
    host: "127.0.0.1",
    minVersion: version,
    maxVersion: version,
  });
  secured.write(text);
  const answer = await heard(secured, answerBytes);
  const spoken = secured.getProtocol();
  secured.destroy();
  return `${spoken} ${answer}`;
}

test("meet() hands plain bytes on as they came, at once", async () => {
  await withDoor({}, async (door) => {
    const wanted = `127.0.0.1 at ${door.port}: \0\0hello`;
    assert.equal(await say(door, "\0\0hello", wanted.length), wanted);
    assert.equal(door.timers.pending, 0);
  });
});

test("meet() hands on what is inside TLS, on the same port, to who trusts its key", async () => {
  await withDoor({}, async (door) => {
    const seen = `127.0.0.1 at ${door.port}: hidden`;
    for (const version of ["TLSv1.3", "TLSv1.2"] as const) {
      const answer = await sayTls(door, "hidden", { answerBytes: seen.length, version });
      assert.equal(answer, `${version} ${seen}`);
    }
    assert.equal(door.timers.pending, 0);
  });
});

test("meet() carries megabytes through TLS unchanged, with pressure both ways", async () => {
  await withDoor({}, async (door) => {
    const text = "0123456789abcdef".repeat(256 * 1024);
    const seen = `127.0.0.1 at ${door.port}: ${text}`;
    const answer = await sayTls(door, text, { answerBytes: seen.length });
    assert.equal(answer === `TLSv1.3 ${seen}`, true);
  });
});

test("meet() enforces TLS where it is asked to, and speaks none where it is disabled", async () => {
  await withDoor({ tlsMode: "enforcing" }, async (door) => {
    assert.equal(await say(door, "\0\0hello"), "");
    assert.deepEqual(door.logged, ["connection refused: speaks no TLS, which is enforced here"]);
    const seen = `127.0.0.1 at ${door.port}: x`;
    assert.equal(await sayTls(door, "x", { answerBytes: seen.length }), `TLSv1.3 ${seen}`);
  });
  await withDoor({ tlsMode: "disabled" }, async (door) => {
    const hello = "\x16\x03\x01";
    const seen = `127.0.0.1 at ${door.port}: ${hello}`;
    assert.equal(await say(door, hello, seen.length), seen);
  });
});

test("meet() closes a broken handshake, and no session began", async () => {
  await withDoor({}, async (door) => {
    await say(door, Uint8Array.of(0x16, 3, 1, 0, 50, ...new Uint8Array(100).fill(7)));
    const cut = connect(door.port, "127.0.0.1");
    cut.on("error", () => {});
    cut.end(Uint8Array.of(0x16, 3, 1, 0, 50, 1));
    await door.untilEnded(2);

    assert.equal(door.opened, 0);
    assert.match(door.logged[0] ?? "", /^TLS handshake failed/);
    assert.equal(door.timers.pending, 0);
  });
});

test("meet() closes who says nothing, and who shakes hands and says nothing then", async () => {
  await withDoor({}, async (door) => {
    const silent = connect(door.port, "127.0.0.1");
    const closed = heard(silent, 1);
    while (door.timers.pending === 0) await nextTurn();
    door.timers.advance(limits.firstByteMsMax - 1);
    assert.equal(door.ended, 0);
    door.timers.advance(1);
    await closed;
    await door.untilEnded(1);

    const options = { port: door.port, host: "127.0.0.1", rejectUnauthorized: false };
    const secured = connectTls(options);
    const gone = heard(secured, 1);
    await new Promise((resolve) => secured.once("secureConnect", resolve));
    door.timers.advance(limits.firstByteMsMax);
    await gone;
    await door.untilEnded(2);
    assert.equal(door.opened, 0);
  });
});

test("meet() believes a PROXY header of a trusted address, before plain and TLS", async () => {
  await withDoor({ isTrustedProxy: (host) => host === "127.0.0.1" }, async (door) => {
    const seen = "192.0.2.7 at 9876: ";
    assert.equal(await say(door, `${header}\0hello`, seen.length + 6), `${seen}\0hello`);
    const secret = await sayTls(door, "hidden", { before: header, answerBytes: seen.length + 6 });
    assert.equal(secret, `TLSv1.3 ${seen}hidden`);
  });
});

test("meet() takes a PROXY header that comes byte by byte", async () => {
  await withDoor({ isTrustedProxy: () => true }, async (door) => {
    const socket = connect({ port: door.port, host: "127.0.0.1", noDelay: true });
    for (const character of header) {
      socket.write(character);
      await nextTurn();
    }
    socket.write("\0x");
    const seen = "192.0.2.7 at 9876: \0x";
    assert.equal(await heard(socket, seen.length), seen);
    socket.destroy();
  });
});

test("meet() refuses a trusted proxy without a header, or with a broken one", async () => {
  await withDoor({ isTrustedProxy: () => true }, async (door) => {
    assert.equal(await say(door, "\0\0hello"), "");
    assert.equal(await say(door, "PROXY TCP4 nonsense\r\n"), "");
    await door.untilEnded(2);

    assert.equal(door.opened, 0);
    assert.match(door.logged[0] ?? "", /a trusted proxy sent none/);
    assert.match(door.logged[1] ?? "", /Cannot read PROXY header: found/);
  });
});

test("meet() passes a PROXY header of anyone else on: it is a bad frame, no address", async () => {
  await withDoor({ isTrustedProxy: (host) => host === "10.0.0.1" }, async (door) => {
    const seen = `127.0.0.1 at ${door.port}: ${header}`;
    assert.equal(await say(door, header, seen.length), seen);
  });
});
