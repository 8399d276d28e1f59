/**
 * The fetch-style HTTP server of the runtime.
 *
 * @module
 */
import type { SocketAddress } from "./sockets.ts";
import type { TlsIdentity } from "./tls.ts";

/** Headers, to be asked for by names in lower case. */
export type HeaderReader = Pick<Headers, "get" | "has">;

/** What a request does not carry itself, and shorter ways to what it does. */
export interface RequestInfo {
  readonly remote: SocketAddress;
  /**
   * The connection is cut, and with it the request's body fails, unless this is called again before
   * `ms` are over, to some seconds; 0: nothing is waited for any more. Where the runtime's server
   * cannot cut one connection, nothing happens.
   */
  bodyWithin(ms: number): void;
  /**
   * Takes the body if all of it came with the head, as a small one does: there is nothing to wait
   * for. `null`: it has to be read from the request, as if nobody had asked here.
   */
  bodyAtOnce(request: Request): Uint8Array | null;
  /** The request's headers, read anew; `request.headers` says the same, slower. */
  headersOf(request: Request): HeaderReader;
  /** To be told of an answer that is streamed before it is given: it lasts until its body ends. */
  lasts(answer: Response): void;
}

/**
 * How many may be connected, and for how long without asking. Where the runtime's server has bounds
 * of its own that cannot be changed, those hold.
 */
export type HttpBounds = {
  /** Connections at one time. When there are more, those are cut that ask nothing. */
  readonly connectionsMax: number;
  /** From the connection to the end of its first request's head. */
  readonly headMsMax: number;
  /** From an answer to the end of the next request's head. */
  readonly idleMsMax: number;
};

/** What to serve, and where. */
export type HttpOptions = {
  readonly host: string;
  /** 0 asks for any free one. */
  readonly port: number;
  /**
   * Answers one request. `request.signal` aborts when the client goes away, also while the answer's
   * body is being streamed; the body's stream is then cancelled. After a complete answer nothing
   * aborts. The server sets no limit on bodies and on waiting: the app does.
   */
  fetch(request: Request, info: RequestInfo): Response | Promise<Response>;
  /** Speak HTTPS with these keys; without them, HTTP. */
  readonly tls?: TlsIdentity;
  readonly bounds: HttpBounds;
  /** `fetch` threw: the answer to give. */
  onError(error: unknown): Response;
  /** A connection could not be taken, for example because files ran out. Serving goes on. */
  onTrouble(error: Error): void;
};

/** A running server. */
export interface HttpServer {
  /** Where it listens, with the port it got. */
  readonly address: SocketAddress;
  /** New connections speak TLS with these keys, on the same port; open ones go on. */
  replaceTls(tls: TlsIdentity): Promise<void>;
  /**
   * Takes no more connections, and waits for those that are being answered. After `graceMs` what is
   * left is cut.
   */
  stop(graceMs: number): Promise<void>;
}

/** The HTTP of the runtime. */
export interface Http {
  /** @throws {Error} The address cannot be had; `code` says why. */
  serve(options: HttpOptions): Promise<HttpServer>;
}
