/** Joins the HTTP app with the runtime's server. @module */
import { limits } from "../base/limits.ts";
import { Metrics } from "../base/metrics.ts";
import type { HttpServer } from "../ports/http.ts";
import { httpApp } from "../protocol/http/app.ts";
import { type HttpSettings, loopbackHostNames } from "../protocol/http/exchange.ts";
import type { ListenerParts } from "./parts.ts";
import type { TlsKeys } from "./tls_keys.ts";

/** How long an idle event stream stays silent: below the idle limits of common proxies. */
const heartbeatMs = 15_000;
/** How long requests under way may still take when the broker stops. */
const graceMs = 2_000;
/** How often it is told that connections cannot be taken. */
const troubleMs = 10_000;
const bounds = {
  connectionsMax: limits.httpConnectionsMax,
  headMsMax: limits.httpHeadMsMax,
  idleMsMax: limits.connectionIdleMsMax,
};

/**
 * Serves HTTP, or HTTPS if there are keys. `nameServers`: where remoting listens, for clients that
 * look it up here.
 */
export async function serveHttp(
  parts: ListenerParts,
  keys: TlsKeys | null,
  nameServers: HttpSettings["nameServers"],
): Promise<HttpServer> {
  const { broker, log, version, settings, runtime, signer, uniqueKeys } = parts;
  const onLoopback = settings.host === "127.0.0.1" || settings.host === "localhost";
  const app = httpApp({
    broker,
    log,
    clock: runtime.clock,
    version,
    metrics: new Metrics(),
    signer,
    settings: {
      hostNames: onLoopback ? loopbackHostNames : null,
      nameServers,
      storeHost: { ip: "127.0.0.1", port: settings.remotingPort },
      queuesPerNewTopic: settings.defaultQueues,
      heartbeatMs,
      requestIdPrefix: uniqueKeys.next().slice(0, 8),
    },
  });
  return await runtime.http.serve({
    host: settings.host,
    port: settings.httpPort,
    ...(keys === null ? {} : { tls: keys.context.identity }),
    bounds,
    fetch: (request, info) => app.fetch(request, info),
    onError: (error) => {
      log.error("http request failed", { reason: error instanceof Error ? error : String(error) });
      return new Response(null, { status: 500 });
    },
    onTrouble: troubleLog(parts),
  });
}

/** A log's line for the first trouble, and for those that follow at most one in a while. */
function troubleLog({ log, runtime }: ListenerParts): (error: Error) => void {
  let toldMs = -troubleMs;
  return ({ message: reason }) => {
    const nowMs = runtime.clock.monotonicMs();
    if (nowMs - toldMs < troubleMs) return;
    toldMs = nowMs;
    log.error("http connection not taken", { reason });
  };
}

/** Stops serving: parked requests are answered by the broker's drain, streams end. */
export function stopHttp(server: HttpServer): Promise<void> {
  return server.stop(graceMs);
}
