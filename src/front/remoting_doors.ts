/**
 * The listeners of the remoting protocol, one or more, before the same sessions.
 *
 *     accepted ──first bytes──▶ session ──its socket is gone──▶ forgotten
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type {
  AcceptedConnection,
  Connection,
  ConnectionListener,
  Listener,
  SocketAddress,
} from "../ports/sockets.ts";
import { networkHolds } from "../model/network.ts";
import type { RemotingSessions } from "../protocol/remoting/sessions.ts";
import { addressesOf, networksOf } from "./addresses.ts";
import { type FirstBytesParts, meet } from "./first_bytes.ts";
import type { ListenerParts } from "./parts.ts";
import type { TlsKeys } from "./tls_keys.ts";

/** Every door that is open. */
export type RemotingDoors = {
  /** Where they listen; the first is the one of `host` and `remotingPort`. */
  readonly addresses: readonly SocketAddress[];
  /** Connections open now, those whose protocol has not begun included. */
  readonly open: ReadonlySet<Connection>;
  /** Takes no more connections. */
  close(): Promise<void>;
  destroyConnections(): void;
};

/**
 * Opens the doors, all or none.
 *
 * @throws {Error} An address cannot be had; `code` says why.
 */
export async function openRemotingDoors(
  parts: ListenerParts,
  sessions: RemotingSessions,
  keys: TlsKeys | null,
): Promise<RemotingDoors> {
  const { log, settings, runtime } = parts;
  const arrivals = new Arrivals(parts, sessions, keys);
  const places = [
    { host: settings.host, port: settings.remotingPort },
    ...addressesOf("remotingAlso", settings.remotingAlso),
  ];
  const listeners: Listener[] = [];
  const close = async () => void await Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const { host, port } of places) {
      listeners.push(
        await runtime.sockets.listen({
          host,
          port,
          connectionsMax: limits.connectionsMax,
          onConnection: (connection) => arrivals.accept(connection),
          onError: (error) => log.error("remoting listener failed", { reason: error }),
        }),
      );
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return {
    addresses: listeners.map((listener) => listener.address),
    open: arrivals.open,
    close,
    destroyConnections: () => listeners.forEach((listener) => listener.destroyConnections()),
  };
}

/** The connections of all doors. */
class Arrivals {
  /** Bounded by `limits.connectionsMax`, over all doors together. */
  readonly open = new Set<Connection>();
  readonly #sessions: RemotingSessions;
  readonly #meeting: FirstBytesParts;
  #connections = 0;

  constructor(
    { settings, runtime, log }: ListenerParts,
    sessions: RemotingSessions,
    keys: TlsKeys | null,
  ) {
    const proxies = networksOf("proxyProtocolFrom", settings.proxyProtocolFrom);
    this.#sessions = sessions;
    this.#meeting = {
      timers: runtime.timers,
      log,
      isTrustedProxy: (host) => proxies.some((network) => networkHolds(network, host)),
      tlsMode: settings.tlsMode,
      tls: () => keys === null ? null : keys.context,
      open: (connection) => this.#begin(connection),
      gone: (connection) => void this.open.delete(connection),
    };
  }

  accept(connection: AcceptedConnection): void {
    const isFull = this.open.size >= limits.connectionsMax;
    this.open.add(connection);
    meet(connection, this.#meeting);
    if (isFull) connection.destroy();
  }

  #begin(connection: AcceptedConnection): ConnectionListener {
    const number = ++this.#connections;
    const session = this.#sessions.open(number, connection);
    return {
      onData: (chunk) => session.feed(chunk),
      onDrain: () => session.drained(),
      onClose: () => {
        this.open.delete(connection);
        this.#sessions.close(number);
      },
    };
  }
}
