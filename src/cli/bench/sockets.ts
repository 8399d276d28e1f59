/** The sockets of a load: opened together, closed together. @module */
import { Buffer } from "node:buffer";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { UnreachableError, UsageError } from "../failure.ts";

/** A TCP address. */
export type Address = { readonly host: string; readonly port: number };

/**
 * `host:port`, an HTTP URL, or a port alone.
 *
 * @throws {UsageError} It is none of them.
 */
export function parseAddress(text: string, flag: string): Address {
  const bare = text.replace(/^http:\/\//, "").replace(/\/$/, "");
  const found = /^(?:(.+):)?(\d{1,5})$/.exec(bare);
  const port = Number(found?.[2]);
  if (!found || port < 1 || port > 65_535) {
    throw new UsageError(`${flag} needs HOST:PORT; found "${text}".`);
  }
  const host = (found[1] ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  return { host, port };
}

/** What a connection does with what it hears. What `onData` throws ends the connection. */
export type SocketListener = {
  readonly onData: (chunk: Buffer) => void;
  /** The peer closed, or the connection failed: it says no more. */
  readonly onEnd: (reason: string) => void;
};

/** Connects. @throws {UnreachableError} Nobody accepts. */
export function openSocket(
  address: Address,
  more: Pick<NetConnectOpts, "onread"> = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true, ...more });
    const fail = (error: Error) => {
      const where = `${address.host}:${address.port}`;
      reject(new UnreachableError(`Cannot connect to ${where}: ${error.message}`, false));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

/** How much a line reads at a time. */
const lineBytes = 64 * 1024;

/**
 * One connection of a load. What it hears lies in memory that is read into again when the listener
 * returns: a stream between the socket and the load would take a tenth of the load's time.
 */
export type Line = {
  write(bytes: Uint8Array): void;
  destroy(): void;
  /** To be called before anything is asked. */
  listen(listener: SocketListener): void;
};

/** Connects. @throws {UnreachableError} Nobody accepts. */
export async function openLine(address: Address): Promise<Line> {
  const memory = Buffer.allocUnsafe(lineBytes);
  let heard: SocketListener["onData"] = () => {};
  const callback = (bytes: number) => {
    heard(memory.subarray(0, bytes));
    return true;
  };
  const socket = await openSocket(address, { onread: { buffer: memory, callback } });
  return {
    write: (bytes) => void socket.write(bytes),
    destroy: () => void socket.destroy(),
    listen: (listener) => {
      heard = listen(socket, listener);
    },
  };
}

/** Begins to listen. Answers what takes a chunk in as if the socket had told of it. */
export function listen(socket: Socket, listener: SocketListener): SocketListener["onData"] {
  let ended = false;
  const end = (reason: string) => {
    if (!ended) listener.onEnd(reason);
    ended = true;
  };
  const hear = (chunk: Buffer) => {
    try {
      listener.onData(chunk);
    } catch (thrown) {
      socket.destroy();
      end(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  socket.on("data", (chunk: Buffer | string) => {
    hear(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  });
  socket.on("error", (error) => end(error.message));
  socket.on("close", () => end("the broker closed the connection"));
  return hear;
}
