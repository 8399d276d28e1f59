/**
 * The PROXY header a load balancer puts before a connection's own bytes, to tell who dialled it.
 *
 *     v1   "PROXY TCP4 " source " " destination " " source port " " destination port CR LF
 *     v2   12 bytes of signature │ version 2, command │ family, transport │ uint16 length
 *          source address, destination address, their ports, extensions
 *
 * Command LOCAL and family UNKNOWN tell nothing: the proxy itself speaks, to see whether we live.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { WireError } from "../model/errors.ts";
import { ipv4Number, ipv4Text, ipv6Text } from "../model/ip_address.ts";
import type { ConnectionEnds, SocketAddress } from "../ports/sockets.ts";

const signature = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const word = new TextEncoder().encode("PROXY ");
/** The longest line of version 1, its end included. */
const lineBytesMax = 107;
const fixedBytes = 16;
const families = { v4: 1, v6: 2 } as const;
const stream = 1;
const lineEnd = 10;

/** What the bytes so far are. `bytes`: how long the header is; what follows is the peer's own. */
export type ProxyHeader =
  | { readonly kind: "none" }
  | { readonly kind: "more" }
  | { readonly kind: "header"; readonly bytes: number; readonly ends: ConnectionEnds | null };

/**
 * Reads a header from the first bytes of a connection.
 *
 * @throws {WireError} It begins as a header does, and does not go on as one.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (beginsLike(bytes, signature)) return readBinary(bytes);
  if (beginsLike(bytes, word)) return readLine(bytes);
  return { kind: "none" };
}

/** Whether `bytes`, as far as they go, are the beginning of `expected`. */
function beginsLike(bytes: Uint8Array, expected: Uint8Array): boolean {
  const count = Math.min(bytes.length, expected.length);
  for (let at = 0; at < count; at++) if (bytes[at] !== expected[at]) return false;
  return true;
}

function readLine(bytes: Uint8Array): ProxyHeader {
  const end = bytes.subarray(0, lineBytesMax).indexOf(lineEnd);
  if (end === -1) {
    if (bytes.length < lineBytesMax) return { kind: "more" };
    throw new WireError(`Cannot read PROXY header: no line end within ${lineBytesMax} bytes`);
  }
  const line = String.fromCharCode(...bytes.subarray(0, end + 1));
  const header = { kind: "header", bytes: end + 1 } as const;
  if (/^PROXY UNKNOWN[^\r\n]*\r\n$/.test(line)) return { ...header, ends: null };
  const found = /^PROXY TCP[46] ([\da-f.:]+) ([\da-f.:]+) (\d{1,5}) (\d{1,5})\r\n$/i.exec(line);
  const [, remote = "", local = "", remotePort, localPort] = found ?? [];
  const isV4 = line.startsWith("PROXY TCP4");
  for (const host of [remote, local]) {
    if (isV4 ? ipv4Number(host) !== -1 : host.includes(":")) continue;
    throw new WireError(`Cannot read PROXY header: found ${JSON.stringify(line)}`);
  }
  const ends = {
    remote: ended(remote, Number(remotePort)),
    local: ended(local, Number(localPort)),
  };
  return { ...header, ends };
}

function readBinary(bytes: Uint8Array): ProxyHeader {
  if (bytes.length < fixedBytes) return { kind: "more" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const versionAndCommand = view.getUint8(12);
  const whole = fixedBytes + view.getUint16(14);
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1) {
    throw new WireError(`Cannot read PROXY header: version and command ${versionAndCommand}`);
  }
  if (whole > limits.proxyHeaderBytesMax) {
    throw new WireError(
      `Cannot read PROXY header: ${whole} bytes, more than ${limits.proxyHeaderBytesMax}`,
    );
  }
  if (bytes.length < whole) return { kind: "more" };
  const isLocal = (versionAndCommand & 15) === 0;
  return { kind: "header", bytes: whole, ends: isLocal ? null : readEnds(view, whole) };
}

/** The addresses of version 2; `null` for what is no TCP over IP. */
function readEnds(view: DataView, whole: number): ConnectionEnds | null {
  const [family, transport] = [view.getUint8(13) >> 4, view.getUint8(13) & 15];
  if (transport !== stream || (family !== families.v4 && family !== families.v6)) return null;
  const addressBytes = family === families.v4 ? 4 : 16;
  const portsAt = fixedBytes + 2 * addressBytes;
  if (whole < portsAt + 4) {
    throw new WireError(`Cannot read PROXY header: ${whole} bytes hold no two addresses`);
  }
  const host = (at: number) =>
    family === families.v4
      ? ipv4Text(view.getUint32(at))
      : ipv6Text(new Uint8Array(view.buffer, view.byteOffset + at, addressBytes));
  return {
    remote: ended(host(fixedBytes), view.getUint16(portsAt)),
    local: ended(host(fixedBytes + addressBytes), view.getUint16(portsAt + 2)),
  };
}

function ended(host: string, port: number): SocketAddress {
  if (port > 65_535) throw new WireError(`Cannot read PROXY header: found port ${port}`);
  return { host, port };
}
