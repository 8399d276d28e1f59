/** HTTP over `Bun.serve`. @module */
import { assert } from "../../base/assert.ts";
import type { HeaderReader, Http, HttpOptions, HttpServer, RequestInfo } from "../../ports/http.ts";
import type { SocketAddress } from "../../ports/sockets.ts";
import type { TlsIdentity } from "../../ports/tls.ts";

/** As much of Bun as is used here; its own types are no dependency of ours. */
type BunServer = {
  readonly port: number;
  requestIP(request: Request): { address: string; port: number } | null;
  /** Cuts the connection in so many seconds, up to 255; the request's bytes do not count anew. */
  timeout(request: Request, seconds: number): void;
  stop(closeActive?: boolean): Promise<void>;
};
type BunServeOptions = {
  hostname: string;
  port: number;
  idleTimeout: number;
  maxRequestBodySize: number;
  reusePort: boolean;
  development: boolean;
  tls?: { cert: string; key: string };
  fetch(request: Request, server: BunServer): Response | Promise<Response>;
  error(error: unknown): Response;
};
declare const Bun: { serve(options: BunServeOptions): BunServer };

/** The native server of Bun. */
export const bunHttp: Http = { serve };

function serve(options: HttpOptions): Promise<HttpServer> {
  try {
    return Promise.resolve(new RunningServer(options));
  } catch (cause) {
    assert(cause instanceof Error, "Bun throws errors");
    const code = "code" in cause ? cause.code : "EADDRNOTAVAIL";
    const message = `Cannot listen on ${options.host}:${options.port}: ${cause.message}`;
    return Promise.reject(Object.assign(new Error(message, { cause }), { code }));
  }
}

/** A taken port is tried again so often when the keys are replaced. */
const retryMs = 100;

class RunningServer implements HttpServer {
  readonly #options: HttpOptions;
  readonly #port: number;
  /** The one that listens, and those that still answer what they were asked before it. */
  readonly #servers = new Set<BunServer>();
  #isStopping = false;

  constructor(options: HttpOptions) {
    this.#options = options;
    const server = listen(options, options.port, options.tls);
    this.#port = server.port;
    this.#servers.add(server);
  }

  get address() {
    return { host: this.#options.host, port: this.#port };
  }

  async replaceTls(tls: TlsIdentity): Promise<void> {
    for (const server of this.#servers) {
      void server.stop().then(() => this.#servers.delete(server));
    }
    while (!this.#isStopping) {
      try {
        this.#servers.add(listen(this.#options, this.#port, tls));
        return;
      } catch (thrown) {
        this.#options.onTrouble(thrown instanceof Error ? thrown : new Error(String(thrown)));
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const servers = [...this.#servers];
    const graceful = Promise.all(servers.map((server) => server.stop()));
    const timer = setTimeout(() => servers.forEach((server) => void server.stop(true)), graceMs);
    await graceful;
    clearTimeout(timer);
  }
}

/** The longest that Bun can wait before it cuts. */
const secondsMax = 255;

/** What is known of one request. */
class Info implements RequestInfo {
  readonly remote: SocketAddress;
  isLasting = false;
  readonly #server: BunServer;
  readonly #request: Request;

  constructor(server: BunServer, request: Request) {
    const remote = server.requestIP(request);
    this.remote = { host: remote?.address ?? "", port: remote?.port ?? 0 };
    this.#server = server;
    this.#request = request;
  }

  bodyWithin(ms: number): void {
    this.#server.timeout(this.#request, Math.min(secondsMax, Math.ceil(ms / 1000)));
  }

  bodyAtOnce(): null {
    return null;
  }

  headersOf({ headers }: Request): HeaderReader {
    return headers;
  }

  lasts(): void {
    this.isLasting = true;
  }
}

/** Bun has 12 s for a first head. The number of connections cannot be bounded. */
function listen(options: HttpOptions, port: number, tls: TlsIdentity | undefined): BunServer {
  return Bun.serve({
    hostname: options.host,
    port,
    // Off: its longest is 255 s, and it counts the silence of a long poll and of an event stream.
    idleTimeout: 0,
    // Bun would answer 413 in its own words; the app has its limit, and streams may be longer.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Otherwise a second broker would share the port, and half of the requests.
    reusePort: false,
    development: false,
    ...(tls === undefined ? {} : { tls: { cert: tls.certificatePem, key: tls.keyPem } }),
    fetch: async (request, server) => {
      const info = new Info(server, request);
      const answer = await options.fetch(request, info);
      // From now on the connection is to ask again. What a stream tells does not count for Bun.
      info.bodyWithin(info.isLasting ? 0 : options.bounds.idleMsMax);
      return answer;
    },
    error: options.onError,
  });
}
