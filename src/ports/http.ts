/**
 * The fetch-style HTTP server of the runtime.
 *
 * @module
 */
import type { SocketAddress } from "./sockets.ts";
import type { TlsIdentity } from "./tls.ts";

/** What a request does not carry itself. */
export type RequestInfo = { readonly remote: SocketAddress };

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
  /** `fetch` threw: the answer to give. */
  onError(error: unknown): Response;
};

/** A running server. */
export interface HttpServer {
  /** Where it listens, with the port it got. */
  readonly address: SocketAddress;
  /**
   * Takes no more requests, and waits for those that are being answered. After `graceMs` what is
   * left is cut.
   */
  stop(graceMs: number): Promise<void>;
}

/** The HTTP of the runtime. */
export interface Http {
  /** @throws {Error} The address cannot be had; `code` says why. */
  serve(options: HttpOptions): Promise<HttpServer>;
}
