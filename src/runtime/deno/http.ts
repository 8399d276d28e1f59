/**
 * HTTP over `Deno.serve`, with `no-legacy-abort` from deno.json: without it Deno aborts a request's
 * signal after every answer, and says on standard error that it does.
 *
 * @module
 */
import type { Http, HttpOptions, HttpServer } from "../../ports/http.ts";

/** The native server of Deno. */
export const denoHttp: Http = { serve };

/** `completed` comes before the last bytes have left: cut at once, the peer would not get them. */
const flushMs = 50;

type DenoServer = Deno.HttpServer<Deno.NetAddr>;
type DenoInfo = Deno.ServeHandlerInfo<Deno.NetAddr>;

/** Requests being answered, the sending of the body included. */
class Underway {
  #count = 0;
  #onIdle: () => void = () => {};

  add(completed: Promise<void>): void {
    this.#count++;
    const finish = () => {
      if (--this.#count === 0) this.#onIdle();
    };
    completed.then(finish, finish);
  }

  /** Resolves when nothing is under way, or after `waitMsMax`. */
  idle(waitMsMax: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMsMax);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function serve(options: HttpOptions): Promise<HttpServer> {
  const cut = new AbortController();
  const underway = new Underway();
  let stopping = false;
  const handle = (request: Request, info: DenoInfo): Response | Promise<Response> => {
    if (stopping) return new Response(null, { status: 503, headers: { connection: "close" } });
    underway.add(info.completed);
    const { hostname, port } = info.remoteAddr;
    return options.fetch(request, { remote: { host: hostname, port } });
  };
  const server = await listen(options, handle, cut.signal);
  return {
    address: { host: server.addr.hostname, port: server.addr.port },
    // Not by the server's own `shutdown`: once that has begun, nothing can cut it short.
    stop: async (graceMs) => {
      stopping = true;
      await underway.idle(graceMs);
      await new Promise((resolve) => setTimeout(resolve, flushMs));
      cut.abort();
      await server.finished;
    },
  };
}

/** `Deno.serve` binds before it returns: an address that cannot be had is thrown, not rejected. */
function listen(
  options: HttpOptions,
  handle: (request: Request, info: DenoInfo) => Response | Promise<Response>,
  signal: AbortSignal,
): Promise<DenoServer> {
  const { host, port, onError, tls } = options;
  const keys = tls === undefined ? {} : { cert: tls.certificatePem, key: tls.keyPem };
  try {
    return Promise.resolve(
      Deno.serve({ hostname: host, port, signal, onListen: () => {}, onError, ...keys }, handle),
    );
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = cause instanceof Deno.errors.AddrInUse
      ? "EADDRINUSE"
      : cause instanceof Deno.errors.PermissionDenied
      ? "EACCES"
      : "EADDRNOTAVAIL";
    const message = `Cannot listen on ${host}:${port}: ${cause.message}`;
    return Promise.reject(Object.assign(new Error(message, { cause }), { code }));
  }
}
