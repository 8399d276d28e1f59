/** HTTP over `Bun.serve`. @module */
import { assert } from "../../base/assert.ts";
import type { Http, HttpOptions, HttpServer } from "../../ports/http.ts";

/** As much of Bun as is used here; its own types are no dependency of ours. */
type BunServer = {
  readonly hostname: string;
  readonly port: number;
  requestIP(request: Request): { address: string; port: number } | null;
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
  const { host, port, tls } = options;
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      // Off: its longest is 255 s, and it counts the silence of a long poll and of an event stream.
      idleTimeout: 0,
      // Bun would answer 413 in its own words; the app has its limit, and streams may be longer.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      // Otherwise a second broker would share the port, and half of the requests.
      reusePort: false,
      development: false,
      ...(tls === undefined ? {} : { tls: { cert: tls.certificatePem, key: tls.keyPem } }),
      fetch: (request, server) => {
        const remote = server.requestIP(request);
        return options.fetch(request, {
          remote: { host: remote?.address ?? "", port: remote?.port ?? 0 },
        });
      },
      error: options.onError,
    });
    return Promise.resolve({
      address: { host: server.hostname, port: server.port },
      stop: (graceMs) => stop(server, graceMs),
    });
  } catch (cause) {
    assert(cause instanceof Error, "Bun throws errors");
    const code = "code" in cause ? cause.code : "EADDRNOTAVAIL";
    const message = `Cannot listen on ${host}:${port}: ${cause.message}`;
    return Promise.reject(Object.assign(new Error(message, { cause }), { code }));
  }
}

async function stop(server: BunServer, graceMs: number): Promise<void> {
  const graceful = server.stop();
  const timer = setTimeout(() => void server.stop(true), graceMs);
  await graceful;
  clearTimeout(timer);
}
