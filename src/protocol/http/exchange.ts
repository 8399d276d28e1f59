/** What the HTTP front is made of, and what one request brings along. @module */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Broker } from "../../broker/broker.ts";
import type { Host } from "../../model/message.ts";
import type { HeaderReader, RequestInfo } from "../../ports/http.ts";
import type { Signer } from "../../ports/signer.ts";
import type { FilterCache } from "./filter_cache.ts";

/** What the operator chose. */
export type HttpSettings = {
  /**
   * Host names a request may address, without ports, lower case; `null`: any. A broker on loopback
   * allows its own names only, so that no web page can reach it under a name of its own.
   */
  readonly hostNames: readonly string[] | null;
  /**
   * `host:port` of name servers for who asks at `/rocketmq/nsaddr`, by where they are and the host
   * they asked.
   */
  readonly nameServers: (remoteHost: string, dialledHost: string) => readonly string[];
  /** Becomes the store host of what is sent here. */
  readonly storeHost: Host;
  /** Queues of a topic made on the fly. */
  readonly queuesPerNewTopic: number;
  /** How long an idle event stream is silent. */
  readonly heartbeatMs: number;
  /** Begins every request id: tells this process from the one before. */
  readonly requestIdPrefix: string;
};

/** The parts handed to the HTTP front. */
export type HttpParts = {
  readonly broker: Broker;
  readonly log: Log;
  readonly clock: Clock;
  readonly settings: HttpSettings;
  readonly version: string;
  readonly metrics: Metrics;
  readonly signer: Signer;
};

/** The parts, and what the front keeps between requests. */
export type HttpContext = HttpParts & {
  readonly filters: FilterCache;
  /** How many event streams are open. */
  readonly streams: { open: number };
};

/** One request. `params` are decoded. */
export type Exchange = {
  readonly context: HttpContext;
  readonly request: Request;
  readonly headers: HeaderReader;
  readonly info: RequestInfo;
  readonly params: Readonly<Record<string, string>>;
};

/** Loopback's own names, for `HttpSettings.hostNames`. */
export const loopbackHostNames: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
