/** As much of Bun's sockets as is used here; its own types are no dependency of ours. @module */

/** A connection. `data` is whatever its owner puts there. */
export type BunSocket<Data> = {
  data: Data | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** How many bytes the kernel took; the rest is to be offered again at `drain`. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Says that no more will come; what comes is still heard. */
  shutdown(): void;
  /** Closes. (`terminate` would reset the connection: the peer might lose what it was sent.) */
  close(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, firstAfterMs: number): void;
};

/** What is called for the connections of a listener. */
export type BunSocketHandlers<Data> = {
  open(socket: BunSocket<Data>): void;
  data(socket: BunSocket<Data>, chunk: Uint8Array): void;
  drain(socket: BunSocket<Data>): void;
  /** The peer sent its FIN. */
  end(socket: BunSocket<Data>): void;
  close(socket: BunSocket<Data>, error?: Error): void;
  error(socket: BunSocket<Data>, thrown: unknown): void;
};

/** A listening socket. */
export type BunListener = {
  getsockname(into: { address?: string; port?: number }): void;
  stop(closeConnections: boolean): void;
};
