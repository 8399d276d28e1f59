import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../base/log.ts";
import { faultText, readSettings } from "../config/read.ts";
import type { Settings } from "../config/schema.ts";
import { type RunningBroker, startBroker } from "./start.ts";

const getRoute = 105;
const clusterInfo = 106;
const brokerAddress = /"brokerAddrs":\{"0":"([^"]+)"/;

/** A broker on free ports of the loopback, for the length of `story`. */
async function withBroker(
  flags: readonly string[],
  story: (ready: RunningBroker["ready"]) => Promise<void>,
): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "curlew-listeners-"));
  const settings = settingsOf([
    "--data",
    data,
    "--shards",
    "1",
    "--disk-reserve-bytes=0",
    ...flags,
  ]);
  const broker = await startBroker(settings, { log: silentLog, version: "test" });
  try {
    await story(broker.ready);
  } finally {
    await broker.stop();
    await rm(data, { recursive: true, force: true });
  }
}

function settingsOf(flags: readonly string[]): Settings {
  const anyPort = flags.includes("--remoting-port") ? [] : ["--remoting-port", "0"];
  const all = ["--http-port", "0", ...anyPort, "--auto-create-topics", ...flags];
  const outcome = readSettings({ flags: all, environment: {}, file: null, facts: { cores: 1 } });
  if (outcome.kind === "faults") assert.fail(outcome.faults.map(faultText).join("\n"));
  return outcome.settings;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

/** A port that is free, as are those at the other distances from it. */
async function freePort(distances: readonly number[]): Promise<number> {
  for (;;) {
    const servers: Server[] = [];
    const taken = await new Promise<number>((resolve) => {
      const first = createServer().listen(0, "127.0.0.1", () => resolve(portAt(first)));
      servers.push(first);
    });
    const others = distances.filter((distance) => distance !== 0).map((distance) =>
      new Promise<boolean>((resolve) => {
        const server = createServer();
        server.once("error", () => resolve(false));
        server.listen(taken + distance, "127.0.0.1", () => resolve(true));
        servers.push(server);
      })
    );
    const areFree = (await Promise.all(others)).every((isFree) => isFree);
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    if (areFree) return taken;
  }
}

function portAt(server: Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** The address in the answer to a request that names the broker, asked at `port`. */
async function told(port: number, code: number): Promise<string> {
  const extFields = { topic: "TBW102" };
  const header = JSON.stringify({ code, opaque: 1, flag: 0, version: 493, extFields });
  const prefix = Buffer.alloc(8);
  prefix.writeInt32BE(4 + header.length, 0);
  prefix.writeInt32BE(header.length, 4);
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.concat([prefix, Buffer.from(header)]));
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("latin1");
      if (brokerAddress.test(text)) resolve(text);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  socket.destroy();
  return brokerAddress.exec(answer)?.[1] ?? "nothing";
}

/**
 * A port map: what is dialled here goes on to the broker. `tells`: with a PROXY header of version 2
 * that names both ends of the connection it took.
 */
async function portMap(target: number, tells: boolean): Promise<{ port: number; close(): void }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((from) => {
    const to = connect(target, "127.0.0.1");
    sockets.push(from, to);
    for (const socket of [from, to]) socket.on("error", () => {});
    if (tells) to.write(headerOf(from));
    from.pipe(to);
    to.pipe(from);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portAt(server);
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port, close };
}

function headerOf({ remotePort = 0, localPort = 0 }: Socket): Buffer {
  const header = Buffer.from("0d0a0d0a000d0a515549540a2111000c7f0000017f00000100000000", "hex");
  header.writeUInt16BE(remotePort, 24);
  header.writeUInt16BE(localPort, 26);
  return header;
}

test("behind a port map that tells by PROXY, clients are sent to the map", async () => {
  await withBroker(["--proxy-protocol-from", "127.0.0.0/8"], async ({ remoting }) => {
    const map = await portMap(portOf(remoting), true);
    for (const code of [getRoute, clusterInfo]) {
      assert.equal(await told(map.port, code), `127.0.0.1:${map.port}`);
    }
    map.close();
  });
});

test("behind a port map that tells nothing, only advertise can name the map", async () => {
  await withBroker([], async ({ remoting }) => {
    const map = await portMap(portOf(remoting), false);
    assert.equal(await told(map.port, getRoute), remoting);
    map.close();
  });
  await withBroker(["--advertise", "broker.example:9999"], async ({ remoting }) => {
    const map = await portMap(portOf(remoting), false);
    assert.equal(await told(map.port, getRoute), "broker.example:9999");
    map.close();
  });
});

test("a PROXY header of somebody who is not trusted ends the connection", async () => {
  await withBroker(["--proxy-protocol-from", "192.0.2.1"], async ({ remoting }) => {
    const map = await portMap(portOf(remoting), true);
    assert.equal(await told(map.port, getRoute), "nothing");
    map.close();
  });
});

test("each network is told its own address, in routes and by the address server", async () => {
  const networks = "192.0.2.0/24=far.example:1,127.0.0.0/8=near.example:2";
  await withBroker(["--advertise-networks", networks], async ({ http, remoting }) => {
    assert.equal(await told(portOf(remoting), getRoute), "near.example:2");
    const response = await fetch(`http://${http}/rocketmq/nsaddr`);
    assert.equal(await response.text(), "near.example:2");
  });
});

test("every listener serves, and sends clients back to where they came in", async () => {
  const free = await portMap(1, false);
  free.close();
  await withBroker(["--remoting-also", `127.0.0.1:${free.port}`], async ({ http, remoting }) => {
    assert.equal(await told(portOf(remoting), getRoute), remoting);
    assert.equal(await told(free.port, getRoute), `127.0.0.1:${free.port}`);
    const listed = await fetch(`http://${http}/rocketmq/nsaddr?nofix=1`);
    assert.equal(await listed.text(), `${remoting};127.0.0.1:${free.port}`);
  });
});

test("a broker on every address names itself by the host the asker used", async () => {
  await withBroker(["--host", "0.0.0.0"], async ({ http, remoting }) => {
    const response = await fetch(`http://127.0.0.1:${portOf(http)}/rocketmq/nsaddr`);
    assert.equal(await response.text(), `127.0.0.1:${portOf(remoting)}`);
  });
});

test("tlsHttp makes the HTTP front speak HTTPS with the broker's certificate", async () => {
  await withBroker(["--tls-http"], async ({ http }) => {
    const status = await new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: portOf(http), path: "/healthz" };
      request({ ...options, rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject).end();
    });
    assert.equal(status, 200);
  });
});

test("startListeners() refuses a setting it cannot read, by its name", async () => {
  for (
    const [flag, name] of [["--advertise-networks", "advertiseNetworks"], [
      "--remoting-also",
      "remotingAlso",
    ]]
  ) {
    await assert.rejects(
      withBroker([flag ?? "", "ten"], async () => {}),
      new RegExp(`setting ${name}`),
    );
  }
});

test("two ports below a port that is named, a client is told the named one", async () => {
  const port = await freePort([0, -2]);
  await withBroker(["--remoting-port", String(port)], async ({ remoting }) => {
    assert.equal(remoting, `127.0.0.1:${port}`);
    for (const code of [getRoute, clusterInfo]) assert.equal(await told(port - 2, code), remoting);
  });
  const closed = ["--remoting-port", String(port), "--vip-channel=false"];
  await withBroker(closed, async ({ remoting }) => {
    assert.equal(await told(portOf(remoting) - 2, getRoute), "nothing");
  });
});

test("a port two below that somebody has is no reason not to start", async () => {
  const port = await freePort([0, -2]);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(port - 2, "127.0.0.1", resolve));
  await withBroker(["--remoting-port", String(port)], async ({ remoting }) => {
    assert.equal(await told(port, getRoute), remoting);
  });
  taken.close();
});
