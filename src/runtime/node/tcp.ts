/**
 * TCP over `node:net`, which serves both runtimes.
 *
 * What is written within one turn of the event loop is joined and leaves as one write: a front
 * answers many requests a turn, and a system call for each would be most of its work. The joining
 * is ours, since neither runtime's `cork` gathers across the callbacks of a turn.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { assert } from "../../base/assert.ts";
import { limits } from "../../base/limits.ts";
import type {
  AcceptedConnection,
  CloseReason,
  Connection,
  ConnectionEnds,
  ConnectionListener,
  DialOptions,
  Listener,
  ListenOptions,
  SocketAddress,
  Sockets,
} from "../../ports/sockets.ts";
import type { TlsContext } from "../../ports/tls.ts";
import { NodeTlsContext } from "./tls.ts";

/**
 * Chunks from this size on are written as they are; copying smaller ones is cheaper than a call.
 */
const joinBytesMax = 16 * 1024;
/** More than this waiting, and `write` asks its caller to wait for the drain. */
export const highWaterBytes = 256 * 1024;

/** The host's TCP. */
export const systemSockets: Sockets = { listen, dial };

function listen(options: ListenOptions): Promise<Listener> {
  const { host, port } = options;
  const listener = new NodeListener(options);
  return new Promise((resolve, reject) => {
    listener.server.once("error", (cause) => {
      reject(withCode(`Cannot listen on ${host}:${port}: ${cause.message}`, cause));
    });
    listener.server.listen({ host, port }, () => {
      listener.server.removeAllListeners("error");
      listener.server.on("error", (error) => options.onError(error));
      resolve(listener);
    });
  });
}

function dial(options: DialOptions): Promise<Connection> {
  const { host, port, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true });
    const fail = (cause: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(withCode(`Cannot connect to ${host}:${port}: ${cause.message}`, cause));
    };
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      resolve(new NodeConnection(socket, endsOf(socket)));
    });
  });
}

/** An error of our own words that keeps the system's `code`, for callers that decide by it. */
function withCode(message: string, cause: Error): Error {
  return Object.assign(new Error(message, { cause }), "code" in cause ? { code: cause.code } : {});
}

class NodeListener implements Listener {
  readonly server: Server;
  readonly #options: ListenOptions;
  /** Bounded by `options.connectionsMax`. */
  readonly #sockets = new Set<Socket>();

  constructor(options: ListenOptions) {
    this.#options = options;
    this.server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#open(socket));
  }

  get address(): SocketAddress {
    const address = this.server.address();
    assert(address !== null && typeof address === "object", "a TCP listener has an address");
    return { host: address.address, port: address.port };
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  close(): Promise<void> {
    // Not awaited: node calls back when the last open connection has ended, not when the port is
    // free.
    this.server.close();
    return Promise.resolve();
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(socket: Socket): void {
    if (this.#sockets.size >= this.#options.connectionsMax) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    // Closed once at most: `once` would only keep three objects more for each connection.
    socket.on("close", () => this.#sockets.delete(socket));
    const connection = new NodeConnection(socket, endsOf(socket));
    this.#options.onConnection(connection);
    assert(connection.listened, "a connection has a listener before its turn ends");
  }
}

/** A connection over a socket of `node:net`, or over a stream that stands for one. */
export class NodeConnection implements AcceptedConnection {
  #ends: ConnectionEnds;
  /** Replaced once at most, by the one that speaks TLS over it. */
  #socket: Duplex;
  readonly #onData = (chunk: Uint8Array) => this.#listener?.onData(chunk);
  #listener: ConnectionListener | null = null;
  #failure: Error | null = null;
  /**
   * Chunks of this turn, not given to the socket yet; `null` when there are none: an empty list
   * that waits for the next turn grows old, and keeps that turn's chunks from being collected soon.
   * Bounded by its owner, who sees the bytes.
   */
  #pending: Uint8Array[] | null = null;
  #bufferedBytes = 0;
  #drainAsked = false;
  #ending = false;
  #closed = false;

  constructor(socket: Duplex, ends: ConnectionEnds) {
    this.#socket = socket;
    this.#ends = ends;
    socket.on("error", (error) => this.#failure ??= error);
    socket.on("close", () => this.#close());
  }

  get local(): SocketAddress {
    return this.#ends.local;
  }

  get remote(): SocketAddress {
    return this.#ends.remote;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get listened(): boolean {
    return this.#listener !== null;
  }

  listen(listener: ConnectionListener): void {
    const isFirst = this.#listener === null;
    this.#listener = listener;
    if (isFirst) this.#socket.on("data", this.#onData);
  }

  nameEnds(ends: ConnectionEnds): void {
    this.#ends = ends;
  }

  startTls(context: TlsContext, unread: Uint8Array): void {
    assert(context instanceof NodeTlsContext, "the context was prepared by this runtime");
    assert(this.#pending === null, "nothing was written before TLS begins");
    if (this.#closed) return;
    const raw = this.#socket;
    raw.removeListener("data", this.#onData);
    // Paused, so that the bytes put back are read by the new owner, and by nobody before.
    raw.pause();
    raw.unshift(unread);
    const { secureContext } = context;
    const secured = new TLSSocket(raw, { isServer: true, secureContext });
    const late = new Error(`The TLS handshake took more than ${limits.tlsHandshakeMsMax} ms`);
    const timer = setTimeout(() => secured.destroy(late), limits.tlsHandshakeMsMax);
    secured.once("secure", () => clearTimeout(timer));
    secured.once("close", () => {
      clearTimeout(timer);
      raw.destroy();
    });
    secured.on("error", (error: Error) => {
      this.#failure ??= error;
      secured.destroy();
    });
    secured.on("data", this.#onData);
    this.#socket = secured;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#closed || this.#ending) return false;
    if (this.#pending === null) {
      this.#pending = [];
      setImmediate(() => this.#flush());
    }
    for (const chunk of chunks) {
      this.#pending.push(chunk);
      this.#bufferedBytes += chunk.length;
    }
    if (this.#bufferedBytes <= highWaterBytes) return true;
    this.#drainAsked = true;
    return false;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    this.#flush();
    this.#ending = true;
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), limits.endMsMax);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  #flush(): void {
    const chunks = this.#pending;
    this.#pending = null;
    if (chunks === null || this.#closed || this.#ending) return;
    for (const bytes of joinedForWrites(chunks)) {
      this.#socket.write(bytes, () => this.#sent(bytes.length));
    }
  }

  #sent(bytes: number): void {
    this.#bufferedBytes -= bytes;
    if (this.#bufferedBytes > 0 || !this.#drainAsked || this.#closed) return;
    this.#drainAsked = false;
    this.#listener?.onDrain?.();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending = null;
    this.#bufferedBytes = 0;
    const reason: CloseReason = this.#failure === null
      ? { kind: "ended" }
      : { kind: "failed", error: this.#failure };
    this.#listener?.onClose(reason);
  }
}

/** What one turn wrote, as few buffers to write one after the other; large chunks as they are. */
export function joinedForWrites(chunks: readonly Uint8Array[]): Uint8Array[] {
  const writes: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const join = (): void => {
    const [first] = small;
    if (first !== undefined) writes.push(small.length === 1 ? first : Buffer.concat(small));
    small = [];
  };
  for (const chunk of chunks) {
    if (chunk.length < joinBytesMax) {
      small.push(chunk);
    } else {
      join();
      writes.push(chunk);
    }
  }
  join();
  return writes;
}

function endsOf(socket: Socket): ConnectionEnds {
  return {
    local: addressOf(socket.localAddress, socket.localPort),
    remote: addressOf(socket.remoteAddress, socket.remotePort),
  };
}

/** A socket that is already gone has no address; its owner learns of the close right after. */
export function addressOf(host: string | undefined, port: number | undefined): SocketAddress {
  return { host: (host ?? "").replace(/^::ffff:(?=[\d.]+$)/, ""), port: port ?? 0 };
}
