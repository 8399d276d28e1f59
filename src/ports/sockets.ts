/**
 * TCP as the front sees it: chunks in, chunks out, pressure told both ways.
 *
 * @module
 */
import type { TlsContext } from "./tls.ts";

/** One side of a connection, as text and number: `127.0.0.1` and `9876`, IPv6 without brackets. */
export type SocketAddress = { readonly host: string; readonly port: number };

/** Why a connection ended: the peer or we closed it in order, or something failed. */
export type CloseReason =
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly error: Error };

/** What the owner of a connection wants to be told. */
export type ConnectionListener = {
  /** Bytes from the peer. The chunk is the listener's to keep. Not called while paused. */
  onData(chunk: Uint8Array): void;
  /** All that was written has left for the kernel, after a `write` that returned false. */
  onDrain?(): void;
  /** The last call, exactly once, whoever closed. Nothing can be written any more. */
  onClose(reason: CloseReason): void;
};

/** An open TCP connection. */
export interface Connection {
  /** Our end, as the peer dialled it: what a route reply names by default. */
  readonly local: SocketAddress;
  /** The peer's end. */
  readonly remote: SocketAddress;
  /** Bytes written here that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Names the listener, before the first turn ends. A later call replaces it: the new one hears
   * everything from then on.
   */
  listen(listener: ConnectionListener): void;
  /**
   * Sends chunks in order. What one turn writes goes out together. The connection keeps the chunks
   * until they are sent: do not change them. False: more than a socket's buffer waits, `onDrain`
   * will be called. After the close it does nothing and returns false.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Stops `onData` until `resume`: the peer's window fills, and the peer waits. */
  pause(): void;
  resume(): void;
  /**
   * Closes after what was written has been sent. The peer gets a while to take it, then: destroy.
   */
  end(): void;
  /** Closes at once; what was not sent is lost. */
  destroy(): void;
}

/** Both ends of a connection. */
export type ConnectionEnds = { readonly local: SocketAddress; readonly remote: SocketAddress };

/** A connection that a peer opened: who it is and how it speaks may show in its first bytes. */
export interface AcceptedConnection extends Connection {
  /** Names the ends anew: a proxy that is trusted told who dialled it, and where. */
  nameEnds(ends: ConnectionEnds): void;
  /**
   * From here on the socket speaks TLS, and the connection carries what is inside. `unread`: what
   * was already read of it. Nothing may have been written. A peer that does not finish the
   * handshake in time is closed as failed.
   */
  startTls(context: TlsContext, unread: Uint8Array): void;
}

/** Where to listen. Port 0 asks for any free one. */
export type ListenOptions = {
  readonly host: string;
  readonly port: number;
  /** Above it, a new connection is closed at once. */
  readonly connectionsMax: number;
  /** Called with each new connection; it must call `listen` before it returns. */
  onConnection(connection: AcceptedConnection): void;
  /** The listener itself failed while running: no more connections will come. */
  onError(error: Error): void;
};

/** A listening socket. */
export interface Listener {
  /** Where it listens, with the port it got. */
  readonly address: SocketAddress;
  /** Connections open now. */
  readonly connectionCount: number;
  /** Stops accepting. Open connections stay until their owners end them. */
  close(): Promise<void>;
  /** Destroys every open connection. */
  destroyConnections(): void;
}

/** How to reach a peer. Fails when it is not connected after `timeoutMs`. */
export type DialOptions = {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
};

/** The TCP of the host. */
export interface Sockets {
  /**
   * @throws {Error} The address cannot be had; the message names it, and `code` says why
   * (`EADDRINUSE`, `EACCES`, ...).
   */
  listen(options: ListenOptions): Promise<Listener>;
  /** @throws {Error} The peer cannot be reached. */
  dial(options: DialOptions): Promise<Connection>;
}
