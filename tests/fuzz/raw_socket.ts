/** A TCP connection without manners: writes what it is told, and says what came back. @module */
import { connect, type Socket } from "node:net";

const receivedBytesMax = 64 * 1024;

/** What one connection came to. */
export type RawEnd = {
  /** The peer closed, or the connection broke, before we left. */
  readonly closedByPeer: boolean;
  readonly received: string;
};

/** Connects. Rejects when nobody accepts. */
export function openRaw(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // From here on a broken connection is an outcome like others.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** Writes all of `pieces`, waits for the peer to close or for `patienceMs`, and leaves. */
export async function exchange(
  port: number,
  pieces: readonly Uint8Array[],
  patienceMs: number,
): Promise<RawEnd> {
  const socket = await openRaw(port);
  let received = "";
  socket.on("data", (chunk: Uint8Array | string) => {
    if (received.length < receivedBytesMax) received += chunk.toString();
  });
  const closed = new Promise<true>((resolve) => {
    socket.once("close", () => resolve(true));
    socket.once("end", () => resolve(true));
  });
  for (const piece of pieces) socket.write(piece);
  const patience = new Promise<false>((resolve) => setTimeout(() => resolve(false), patienceMs));
  const closedByPeer = await Promise.race([closed, patience]);
  socket.destroy();
  return { closedByPeer, received };
}

/** An HTTP request's head. */
export function httpHead(line: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(`${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}\r\n`);
}
