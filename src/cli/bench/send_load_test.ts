import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { fakeHost } from "../../../tests/support/fake_host.ts";
import { sendLoad, type SendLoadSpec } from "./send_load.ts";

const usual = {
  connections: 2,
  inFlight: 3,
  topic: "t",
  queues: 4,
  bodyBytes: 16,
  batch: 1,
  seconds: 1,
  warmup: 0,
};

/** A server that answers whatever a chunk holds by `reply`. */
async function server(reply: (socket: Socket, chunk: Buffer) => void) {
  const listener = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => reply(socket, Buffer.from(chunk)));
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  return { address: { host: "127.0.0.1", port }, close: () => listener.close() };
}

/**
 * One load. It goes on until a request came that only an answer can have brought, however slow the
 * machine is; with `brief`, for a moment.
 */
async function load(
  part: Partial<SendLoadSpec>,
  reply: (socket: Socket, chunk: Buffer) => void,
  brief = false,
) {
  const spec = { ...usual, protocol: "remoting", ...part };
  const host = fakeHost([]);
  let requests = 0;
  let heard: () => void = () => {};
  const answered = new Promise<void>((resolve) => (heard = resolve));
  const { address, close } = await server((socket, chunk) => {
    requests += chunk.toString("latin1").match(/"opaque":|POST /g)?.length ?? 0;
    if (requests > spec.connections * spec.inFlight) heard();
    reply(socket, chunk);
  });
  const sleep = brief ? host.sleep : () => answered;
  const report = await sendLoad({ ...host, sleep }, { ...spec, address });
  close();
  return report;
}

/** Answers to every opaque in a chunk. Test chunks hold whole frames: they are small. */
function answersTo(chunk: Buffer, code: (opaque: number) => number): Buffer {
  const opaques = [...chunk.toString("latin1").matchAll(/"opaque":(\d+)/g)].map(([, digits]) =>
    digits
  );
  return Buffer.concat(opaques.map((opaque) => {
    const header = `{"code":${code(Number(opaque))},"opaque":${opaque},"remark":"full"}`;
    const frame = Buffer.from(`........${header}`);
    frame.writeUInt32BE(frame.length - 4, 0);
    frame.writeUInt32BE(header.length, 4);
    return frame;
  }));
}

test("sendLoad() counts what was answered with success over remoting", async () => {
  const report = await load({}, (socket, chunk) => socket.write(answersTo(chunk, () => 0)));

  assert.deepEqual(report.errors, {});
  assert.ok(report.done > 0);
});

test("sendLoad() counts refusals by what they say, not as done", async () => {
  const report = await load({}, (socket, chunk) => socket.write(answersTo(chunk, () => 2)));

  assert.equal(report.done, 0);
  assert.deepEqual(Object.keys(report.errors), ["code 2: full"]);
});

test("sendLoad() notices answers that nobody asked for, and a broker that leaves", async () => {
  const forged = await load({}, (socket, chunk) => {
    socket.write(answersTo(Buffer.from('"opaque":1000000002'), () => 0));
    socket.write(answersTo(chunk, () => 0));
  });
  const left = await load({}, (socket) => void socket.destroy(), true);

  assert.match(Object.keys(forged.errors).join(), /answer to nothing/);
  assert.ok(Object.keys(left.errors).length > 0);
});

test("sendLoad() counts messages, not requests, over HTTP", async () => {
  const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
  const report = await load({ protocol: "http", inFlight: 1, batch: 5 }, (socket, chunk) => {
    const requests = chunk.toString("latin1").split("POST ").length - 1;
    socket.write(ok.repeat(requests));
  });

  assert.deepEqual(report.errors, {});
  assert.ok(report.done > 0 && report.done % 5 === 0, String(report.done));
});

test("sendLoad() counts refusals over HTTP by status and what they say", async () => {
  const full = "HTTP/1.1 507 Full\r\ncontent-length: 4\r\n\r\nfull";
  const report = await load({ protocol: "http", inFlight: 1 }, (socket) => socket.write(full));

  assert.equal(report.done, 0);
  assert.deepEqual(Object.keys(report.errors), ["status 507: full"]);
});

test("sendLoad() notices over HTTP what answers nothing, and a broker that leaves", async () => {
  const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
  const http = { protocol: "http", inFlight: 1 };
  // One request a connection, and no third one: two answers where one was asked for.
  const forged = await load(http, (socket) => socket.write(`${ok}${ok}${ok}`), true);
  const left = await load(http, (socket) => void socket.destroy(), true);

  assert.match(Object.keys(forged.errors).join(), /answer to nothing that was asked/);
  assert.deepEqual(left.errors, { "the broker closed the connection": usual.connections });
  assert.equal(left.done, 0);
});
