/**
 * HTTP on Deno, with `no-legacy-abort` from deno.json: without it Deno aborts a request's signal
 * after every answer, and says on standard error that it does.
 *
 * `Deno.serve` alone would let anyone end the process: it counts no connection, waits for ever for
 * the head of a request, and gives up for good when no file is left for one connection more. So the
 * connections are accepted here (`each_server.ts`), where Deno lets us.
 *
 * @module
 */
import type { Http, HttpOptions, HttpServer } from "../../ports/http.ts";
import { connectionServer, EachServer } from "./each_server.ts";
import { WholeServer } from "./whole_server.ts";

/** The native server of Deno. */
export const denoHttp: Http = { serve: (options) => attempt(() => startServer(options)) };

function startServer(options: HttpOptions): HttpServer {
  const serveConnection = connectionServer();
  return serveConnection === null
    ? new WholeServer(options)
    : new EachServer(options, serveConnection);
}

/** Deno binds before it returns: an address that cannot be had is thrown, not rejected. */
function attempt<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
