/**
 * Appends to Redis Streams as fast as answers come: the load of `curlew bench send`, in Redis's
 * protocol. Every connection keeps `inFlight` requests going; answers come in order.
 *
 *     *5 | $4 XADD | $n stream | $1 * | $4 body | $256 …        answer: $15 1526919030474-0
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { loadBody, measure, type SendLoadSpec } from "../../src/cli/bench/send_load.ts";
import { listen, openSocket } from "../../src/cli/bench/sockets.ts";
import { type LoadReport, LoadTally, reportOf } from "../../src/cli/bench/tally.ts";
import type { Host } from "../../src/ports/host.ts";

const [dollar, minus, carriageReturn, lineFeed] = [0x24, 0x2d, 0x0d, 0x0a];

/** Runs the load; a topic's queues are streams here. */
export async function redisLoad(host: Host, spec: SendLoadSpec): Promise<LoadReport> {
  const tally = new LoadTally();
  const sockets = await Promise.all(
    Array.from({ length: spec.connections }, () => openSocket(spec.address)),
  );
  const nowMs = () => host.clock.monotonicMs();
  const senders = sockets.map((socket, at) => new RedisSender(socket, at, spec, tally, nowMs));
  const tookMs = await measure(host, senders, tally, spec);
  for (const socket of sockets) socket.destroy();
  const { connections, inFlight, bodyBytes, queues } = spec;
  const settings = { connections, "in flight": inFlight, "body bytes": bodyBytes, streams: queues };
  return reportOf(tally, tookMs, { name: "redis XADD", unit: "messages", settings });
}

/** One connection's part of the load. */
class RedisSender {
  readonly #socket: Socket;
  readonly #tally: LoadTally;
  readonly #nowMs: () => number;
  readonly #requests: readonly Buffer[];
  /** When each open request was written, in the order of the answers. */
  readonly #beganMs: number[] = [];
  readonly #inFlight: number;
  #running = false;
  #drained: (() => void) | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #next = 0;

  constructor(
    socket: Socket,
    connection: number,
    spec: SendLoadSpec,
    tally: LoadTally,
    nowMs: () => number,
  ) {
    this.#socket = socket;
    this.#tally = tally;
    this.#nowMs = nowMs;
    this.#inFlight = spec.inFlight;
    this.#next = connection;
    const body = loadBody(spec.bodyBytes);
    this.#requests = Array.from(
      { length: spec.queues },
      (_, queue) => request("XADD", `${spec.topic}-${queue}`, "*", "body", body),
    );
    listen(socket, {
      onData: (chunk) => this.#onData(chunk),
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  /** Fills the connection. */
  start(): void {
    this.#running = true;
    this.#fill(this.#nowMs());
  }

  /** Sends no more. Fulfilled when what was in flight is answered, or the connection is gone. */
  stop(): Promise<void> {
    this.#running = false;
    if (this.#beganMs.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  #onData(chunk: Buffer): void {
    const nowMs = this.#nowMs();
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = answerEnd(bytes, at); end > 0; end = answerEnd(bytes, at)) {
      this.#onAnswer(bytes, at, end, nowMs);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#running) this.#fill(nowMs);
    else if (this.#beganMs.length === 0) this.#drained?.();
  }

  #onAnswer(bytes: Buffer, at: number, end: number, nowMs: number): void {
    const beganMs = this.#beganMs.shift();
    if (bytes[at] === minus || beganMs === undefined) {
      this.#tally.failure(bytes.toString("utf8", at, end).trim());
    } else {
      this.#tally.success(1, nowMs - beganMs);
    }
  }

  #fill(nowMs: number): void {
    const pieces: Buffer[] = [];
    while (this.#beganMs.length < this.#inFlight) {
      pieces.push(this.#requests[this.#next++ % this.#requests.length]!);
      this.#beganMs.push(nowMs);
    }
    if (pieces.length > 0) this.#socket.write(Buffer.concat(pieces));
  }

  #onEnd(reason: string): void {
    if (this.#running || this.#beganMs.length > 0) this.#tally.failure(reason);
    this.#running = false;
    this.#beganMs.length = 0;
    this.#drained?.();
  }
}

function request(...words: readonly (string | Buffer)[]): Buffer {
  const parts = words.map((word) => Buffer.from(word)).flatMap((bytes) => [
    Buffer.from(`$${bytes.length}\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** Where the answer that begins at `at` ends; 0 when it is not whole yet. */
function answerEnd(bytes: Buffer, at: number): number {
  const line = lineEnd(bytes, at);
  if (line === 0 || bytes[at] !== dollar) return line;
  const length = Number(bytes.toString("latin1", at + 1, line - 2));
  const end = line + length + 2;
  return end <= bytes.length ? end : 0;
}

function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(lineFeed, at);
  return end > at && bytes[end - 1] === carriageReturn ? end + 1 : 0;
}
