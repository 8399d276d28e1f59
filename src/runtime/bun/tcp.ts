/**
 * Listening over `Bun.listen`: a socket of its takes a quarter of the memory of one of `node:net`,
 * and a crowd of idle consumers is mostly sockets.
 *
 *     open ──FIN, or end()──▶ ending: what was written leaves ──▶ half closed ──FIN──▶ closed
 *       └──startTls()──▶ a stream under the TLS of `node:tls`, and all calls go to that
 *
 * As there, what is written within one turn of the event loop leaves as one write.
 *
 * @module
 */
import { assert } from "../../base/assert.ts";
import { limits } from "../../base/limits.ts";
import type {
  AcceptedConnection,
  CloseReason,
  ConnectionEnds,
  ConnectionListener,
  Listener,
  ListenOptions,
  SocketAddress,
  Sockets,
} from "../../ports/sockets.ts";
import type { TlsContext } from "../../ports/tls.ts";
import {
  addressOf,
  highWaterBytes,
  joinedForWrites,
  NodeConnection,
  systemSockets,
} from "../node/tcp.ts";
import type { BunListener, BunSocket, BunSocketHandlers } from "./socket_types.ts";
import { SocketStream } from "./socket_stream.ts";

/** Where small writes are joined, one connection after the other. */
const scratch = new Uint8Array(64 * 1024);

type Socket = BunSocket<BunConnection>;
type ListenWords = {
  readonly hostname: string;
  readonly port: number;
  readonly allowHalfOpen: true;
  readonly socket: BunSocketHandlers<BunConnection>;
};
declare const Bun: { listen(options: ListenWords): BunListener };

/** TCP of Bun: its own where connections come in, that of both runtimes where they go out. */
export const bunSockets: Sockets = { listen, dial: systemSockets.dial };

function listen(options: ListenOptions): Promise<Listener> {
  try {
    return Promise.resolve(new RunningListener(options));
  } catch (cause) {
    assert(cause instanceof Error, "Bun throws errors");
    const code = "code" in cause ? cause.code : "EADDRNOTAVAIL";
    const message = `Cannot listen on ${options.host}:${options.port}: ${cause.message}`;
    return Promise.reject(Object.assign(new Error(message, { cause }), { code }));
  }
}

class RunningListener implements Listener {
  readonly address: SocketAddress;
  readonly #options: ListenOptions;
  readonly #listener: BunListener;
  /** Bounded by `options.connectionsMax`. */
  readonly #connections = new Set<BunConnection>();

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#listener = Bun.listen({
      hostname: options.host,
      port: options.port,
      allowHalfOpen: true,
      socket: {
        open: (socket) => this.#open(socket),
        data: (socket, chunk) => socket.data?.heard(chunk),
        drain: (socket) => socket.data?.drained(),
        end: (socket) => socket.data?.peerEnded(),
        close: (socket, error) => {
          if (socket.data === undefined) return;
          this.#connections.delete(socket.data);
          socket.data.closed(error ?? null);
        },
        // Bun brings here what these functions throw: a mistake of ours, which nobody may swallow.
        error: (_socket, thrown) =>
          void setImmediate(() => {
            throw thrown;
          }),
      },
    });
    const named: { address?: string; port?: number } = {};
    this.#listener.getsockname(named);
    this.address = addressOf(named.address, named.port);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  close(): Promise<void> {
    this.#listener.stop(false);
    return Promise.resolve();
  }

  destroyConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #open(socket: Socket): void {
    if (this.#connections.size >= this.#options.connectionsMax) {
      socket.close();
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 0);
    const connection = new BunConnection(socket);
    socket.data = connection;
    this.#connections.add(connection);
    this.#options.onConnection(connection);
    assert(connection.listened, "a connection has a listener before its turn ends");
  }
}

/** One accepted connection. The listener's handlers call what is not of the port. */
class BunConnection implements AcceptedConnection {
  readonly #socket: Socket;
  #ends: ConnectionEnds | null = null;
  #listener: ConnectionListener | null = null;
  /** Where everything goes once the connection speaks TLS. */
  #secured: { readonly stream: SocketStream; readonly connection: NodeConnection } | null = null;
  /** Chunks of this turn; `null` between turns, as in `node/tcp.ts`. */
  #pending: Uint8Array[] | null = null;
  /** What the kernel had no room for, in order. Bounded by the owner, who sees the bytes. */
  #unsent: Uint8Array[] | null = null;
  #bufferedBytes = 0;
  #drainAsked = false;
  #ending = false;
  #peerEnded = false;
  #closed = false;
  #endTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get local(): SocketAddress {
    return this.#known().local;
  }

  get remote(): SocketAddress {
    return this.#known().remote;
  }

  get bufferedBytes(): number {
    return this.#secured?.connection.bufferedBytes ?? this.#bufferedBytes;
  }

  get listened(): boolean {
    return this.#listener !== null;
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener;
    this.#secured?.connection.listen(listener);
  }

  nameEnds(ends: ConnectionEnds): void {
    this.#ends = ends;
  }

  startTls(context: TlsContext, unread: Uint8Array): void {
    assert(this.#pending === null && this.#unsent === null, "nothing was written before TLS");
    assert(this.#listener !== null, "somebody listens before TLS begins");
    if (this.#closed) return;
    const stream = new SocketStream(this.#socket);
    const connection = new NodeConnection(stream.stream, this.#known());
    this.#secured = { stream, connection };
    connection.listen(this.#listener);
    connection.startTls(context, unread);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#secured !== null) return this.#secured.connection.write(chunks);
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
    if (this.#secured !== null) this.#secured.connection.pause();
    else if (!this.#closed) this.#socket.pause();
  }

  resume(): void {
    if (this.#secured !== null) this.#secured.connection.resume();
    else if (!this.#closed) this.#socket.resume();
  }

  end(): void {
    if (this.#secured !== null) return this.#secured.connection.end();
    if (this.#closed || this.#ending) return;
    this.#flush();
    this.#ending = true;
    this.#endTimer = setTimeout(() => this.destroy(), limits.endMsMax);
    if (this.#unsent === null) this.#finish();
  }

  destroy(): void {
    this.#ending = true;
    if (!this.#closed) this.#socket.close();
  }

  /** Bytes came. */
  heard(chunk: Uint8Array): void {
    if (this.#secured !== null) this.#secured.stream.heard(chunk);
    else this.#listener?.onData(chunk);
  }

  /** The kernel has room again. */
  drained(): void {
    if (this.#secured !== null) return this.#secured.stream.drained();
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    this.#sendAll(unsent);
  }

  /** The peer says no more: it gets what was written for it. */
  peerEnded(): void {
    if (this.#secured !== null) return this.#secured.stream.peerEnded();
    this.#peerEnded = true;
    if (!this.#ending) this.end();
    else if (this.#unsent === null) this.#finish();
  }

  /** The last call. */
  closed(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#endTimer !== null) clearTimeout(this.#endTimer);
    if (this.#secured !== null) return this.#secured.stream.lose(error);
    this.#pending = this.#unsent = null;
    this.#bufferedBytes = 0;
    const reason: CloseReason = error === null ? { kind: "ended" } : { kind: "failed", error };
    this.#listener?.onClose(reason);
  }

  #known(): ConnectionEnds {
    const { localAddress, localPort, remoteAddress, remotePort } = this.#socket;
    return this.#ends ??= {
      local: addressOf(localAddress, localPort),
      remote: addressOf(remoteAddress, remotePort),
    };
  }

  #flush(): void {
    const chunks = this.#pending;
    this.#pending = null;
    if (chunks === null || this.#closed || this.#ending) return;
    // What waits goes first.
    if (this.#unsent !== null) this.#unsent.push(...joinedForWrites(chunks));
    else if (chunks.length > 1 && this.#bufferedBytes <= scratch.length) this.#sendJoined(chunks);
    else this.#sendAll(joinedForWrites(chunks));
  }

  /** The kernel copies before `write` returns: what is joined needs no memory of its own. */
  #sendJoined(chunks: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const chunk of chunks) {
      scratch.set(chunk, bytes);
      bytes += chunk.length;
    }
    const sent = Math.max(0, this.#socket.write(scratch.subarray(0, bytes)));
    this.#bufferedBytes -= sent;
    if (sent === bytes) {
      this.#tellSent();
    } else {
      this.#unsent = [scratch.slice(sent, bytes)];
    }
  }

  #sendAll(chunks: Uint8Array[]): void {
    for (const [index, chunk] of chunks.entries()) {
      // Less than none: the socket is gone, and tells so itself.
      const sent = Math.max(0, this.#socket.write(chunk));
      this.#bufferedBytes -= sent;
      if (sent === chunk.length) continue;
      this.#unsent = [chunk.subarray(sent), ...chunks.slice(index + 1)];
      return;
    }
    this.#tellSent();
  }

  #tellSent(): void {
    if (this.#ending) return this.#finish();
    if (!this.#drainAsked || this.#closed) return;
    this.#drainAsked = false;
    this.#listener?.onDrain?.();
  }

  /** All has left: nothing more will, and with the peer's own end the connection is over. */
  #finish(): void {
    if (this.#peerEnded) this.#socket.close();
    else this.#socket.shutdown();
  }
}
