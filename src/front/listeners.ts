/** Which protocol listens where. @module */
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Broker } from "../broker/broker.ts";
import type { Settings } from "../config/schema.ts";
import type { UniqueKeys } from "../model/message_id.ts";
import type { HttpServer } from "../ports/http.ts";
import type { Signer } from "../ports/signer.ts";
import type { SocketAddress } from "../ports/sockets.ts";
import { RemotingSessions } from "../protocol/remoting/sessions.ts";
import type { Runtime } from "../runtime/mod.ts";
import { serveHttp, stopHttp } from "./http.ts";

/** What listeners hand to their protocols. */
export type ListenerParts = {
  readonly broker: Broker;
  readonly signer: Signer;
  readonly uniqueKeys: UniqueKeys;
  readonly log: Log;
  readonly version: string;
  readonly settings: Settings;
  readonly runtime: Runtime;
};

/** Everything that listens. */
export type Listeners = {
  readonly http: string;
  readonly remoting: string;
  stop(): Promise<void>;
};

/** Opens every listener. @throws {Error} An address cannot be had; nothing listens then. */
export async function startListeners(parts: ListenerParts): Promise<Listeners> {
  const { broker, log, settings, runtime } = parts;
  const { clusterName, brokerName, advertise, autoCreateTopics, traceTopic } = settings;
  const sessions = new RemotingSessions({
    broker,
    settings: {
      clusterName,
      brokerName,
      advertise,
      autoCreateTopics,
      region: "DefaultRegion",
      traceOn: traceTopic,
    },
    clock: runtime.clock,
    log,
    bootMs: runtime.clock.wallMs(),
  });
  let connections = 0;
  const remoting = await runtime.sockets.listen({
    host: settings.host,
    port: settings.remotingPort,
    connectionsMax: limits.connectionsMax,
    onConnection: (connection) => sessions.accept(++connections, connection),
    onError: (error) => log.error("remoting listener failed", { reason: error }),
  });
  const remotingText = addressText(remoting.address);
  let http: HttpServer;
  try {
    http = await serveHttp(parts, [remotingText]);
  } catch (thrown) {
    await remoting.close();
    throw thrown;
  }
  return {
    http: addressText(http.address),
    remoting: remotingText,
    async stop() {
      sessions.stop();
      await Promise.all([remoting.close(), stopHttp(http)]);
      remoting.destroyConnections();
    },
  };
}

function addressText({ host, port }: SocketAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
