/**
 * What a connection's first bytes say about it, before its protocol sees any.
 *
 *     accepted ──from a trusted proxy──▶ header ──its ends are named──┐
 *         └──from anyone else────────────────────────────────────────▶ first byte
 *
 *     first byte ──0x16, and TLS is spoken──▶ handshake ──▶ handed on, decrypted
 *         └──any other, and TLS is not enforced──────────▶ handed on, as it is
 *
 * A PROXY header from anyone who is not trusted is no header: it reaches the protocol, which finds
 * a bad frame. Nobody can choose the address they are seen under.
 *
 * @module
 */
import type { Log } from "../base/log.ts";
import { limits } from "../base/limits.ts";
import { WireError } from "../model/errors.ts";
import type { AcceptedConnection, CloseReason, ConnectionListener } from "../ports/sockets.ts";
import type { Timers } from "../ports/timers.ts";
import type { TlsContext } from "../ports/tls.ts";
import { readProxyHeader } from "./proxy_header.ts";

/** The first byte of every TLS connection: a handshake record. Frames begin with 0 or 1. */
const tlsFirstByte = 0x16;

/** What the door does with those who come. */
export type FirstBytesParts = {
  readonly timers: Timers;
  readonly log: Log;
  /** Whether this address may tell who dialled it. */
  isTrustedProxy(host: string): boolean;
  readonly tlsMode: "disabled" | "permissive" | "enforcing";
  /** The newest keys, asked once a TLS connection; `null` only where TLS is disabled. */
  tls(): TlsContext | null;
  /** The connection's protocol begins. The listener hears what came, and all that follows. */
  open(connection: AcceptedConnection): ConnectionListener;
  /** It went before its protocol began. */
  gone(connection: AcceptedConnection): void;
};

/** Listens to a new connection until it is known what it is. */
export function meet(connection: AcceptedConnection, parts: FirstBytesParts): void {
  connection.listen(new Newcomer(connection, parts));
}

class Newcomer implements ConnectionListener {
  readonly #connection: AcceptedConnection;
  readonly #parts: FirstBytesParts;
  readonly #stopWaiting: () => void;
  /** Whether a PROXY header must come first: from a proxy nothing else is believed. */
  #isProxy: boolean;
  /** The part of a header that came. Bounded by `limits.proxyHeaderBytesMax` and one chunk. */
  #kept: Uint8Array = new Uint8Array(0);

  constructor(connection: AcceptedConnection, parts: FirstBytesParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#isProxy = parts.isTrustedProxy(connection.remote.host);
    this.#stopWaiting = parts.timers.setTimer(limits.firstByteMsMax, () => {
      this.#refuse(`said nothing for ${limits.firstByteMsMax} ms`);
    });
  }

  onData(chunk: Uint8Array): void {
    if (!this.#isProxy) return this.#begin(chunk);
    try {
      const rest = this.#passHeader(chunk);
      if (rest !== null && rest.length > 0) this.#begin(rest);
    } catch (fault) {
      if (!(fault instanceof WireError)) throw fault;
      this.#refuse(fault.message);
    }
  }

  onClose(reason: CloseReason): void {
    this.#stopWaiting();
    const { remote: { host: address } } = this.#connection;
    if (reason.kind === "failed") {
      this.#parts.log.debug("connection failed early", { address, reason: reason.error.message });
    }
    this.#parts.gone(this.#connection);
  }

  /** What follows the header; `null` while it has not come in full. */
  #passHeader(chunk: Uint8Array): Uint8Array | null {
    const bytes = joined(this.#kept, chunk);
    const header = readProxyHeader(bytes);
    if (header.kind === "more") {
      this.#kept = bytes;
      return null;
    }
    if (header.kind === "none") {
      throw new WireError("Cannot read PROXY header: a trusted proxy sent none");
    }
    this.#kept = new Uint8Array(0);
    this.#isProxy = false;
    if (header.ends !== null) this.#connection.nameEnds(header.ends);
    return bytes.subarray(header.bytes);
  }

  #begin(chunk: Uint8Array): void {
    const { tlsMode, open, tls } = this.#parts;
    this.#stopWaiting();
    const context = tlsMode !== "disabled" && chunk[0] === tlsFirstByte ? tls() : null;
    if (context !== null) {
      this.#connection.listen(new Handshake(this.#connection, this.#parts));
      this.#connection.startTls(context, chunk);
    } else if (tlsMode === "enforcing") {
      this.#refuse("speaks no TLS, which is enforced here");
    } else {
      const listener = open(this.#connection);
      this.#connection.listen(listener);
      listener.onData(chunk);
    }
  }

  #refuse(reason: string): void {
    const { host: address } = this.#connection.remote;
    this.#parts.log.info("connection refused", { address, reason });
    this.#connection.destroy();
  }
}

/** Waits for the first decrypted bytes: only a peer that finished the handshake has a session. */
class Handshake implements ConnectionListener {
  readonly #connection: AcceptedConnection;
  readonly #parts: FirstBytesParts;
  readonly #stopWaiting: () => void;

  constructor(connection: AcceptedConnection, parts: FirstBytesParts) {
    this.#connection = connection;
    this.#parts = parts;
    // The handshake has a limit of its own, within this one.
    this.#stopWaiting = parts.timers.setTimer(limits.firstByteMsMax, () => connection.destroy());
  }

  onData(chunk: Uint8Array): void {
    this.#stopWaiting();
    const listener = this.#parts.open(this.#connection);
    this.#connection.listen(listener);
    listener.onData(chunk);
  }

  onClose(reason: CloseReason): void {
    this.#stopWaiting();
    if (reason.kind === "failed") {
      const { host: address } = this.#connection.remote;
      this.#parts.log.info("TLS handshake failed", { address, reason: reason.error.message });
    }
    this.#parts.gone(this.#connection);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
