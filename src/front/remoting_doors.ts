/**
 * The listeners of the remoting protocol, one or more, before the same sessions.
 *
 *     accepted ──first bytes──▶ session ──its socket is gone──▶ forgotten
 *
 * RocketMQ's brokers listen two ports below as well, and clients with `vipChannelEnabled` dial
 * there whatever is not for the name server. Who comes in that way is told the main address.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type { HostAndPort } from "../config/schema.ts";
import type {
  AcceptedConnection,
  Connection,
  ConnectionListener,
  Listener,
  SocketAddress,
} from "../ports/sockets.ts";
import { networkHolds } from "../model/network.ts";
import type { RemotingSession } from "../protocol/remoting/session.ts";
import type { RemotingSessions } from "../protocol/remoting/sessions.ts";
import { addressesOf, addressText, networksOf } from "./addresses.ts";
import { type FirstBytesParts, meet } from "./first_bytes.ts";
import type { ListenerParts } from "./parts.ts";
import type { TlsKeys } from "./tls_keys.ts";

/** RocketMQ's distance. */
const vipPortsBelow = 2;

/** Every door that is open. */
export type RemotingDoors = {
  /** Where clients are to come; the first is the one of `host` and `remotingPort`. */
  readonly addresses: readonly SocketAddress[];
  /** Connections open now, those whose protocol has not begun included. */
  readonly open: ReadonlySet<Connection>;
  /** What came since the doors were opened. */
  readonly traffic: { readonly chunks: number };
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
  const open = async ({ host, port }: HostAndPort, portsBelow: number) => {
    const { connectionsMax } = limits;
    const listener = await runtime.sockets.listen({
      ...{ host, port, connectionsMax },
      onConnection: arrivals.door(portsBelow),
      onError: (error) => log.error("remoting listener failed", { reason: error }),
    });
    listeners.push(listener);
  };
  try {
    for (const place of places) await open(place, 0);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const addresses = listeners.map((listener) => listener.address);
  for (const place of settings.vipChannel ? vipPlaces(places) : []) {
    // Most clients do without: that another program has the port is no reason not to start.
    await open(place, vipPortsBelow).catch((thrown: unknown) => {
      if (!(thrown instanceof Error)) throw thrown;
      log.warn("vip channel is not open", { address: addressText(place), reason: thrown });
    });
  }
  return {
    addresses,
    open: arrivals.open,
    traffic: arrivals.traffic,
    close,
    destroyConnections: () => listeners.forEach((listener) => listener.destroyConnections()),
  };
}

/** Two ports below each that was named; whoever takes any free port has nobody who counts on it. */
function vipPlaces(places: readonly HostAndPort[]): HostAndPort[] {
  return places.filter(({ port }) => port > vipPortsBelow)
    .map(({ host, port }) => ({ host, port: port - vipPortsBelow }))
    .filter(({ port }) => !places.some((place) => place.port === port));
}

/** The connections of all doors. */
class Arrivals {
  /** Bounded by `limits.connectionsMax`, over all doors together. */
  readonly open = new Set<Connection>();
  readonly traffic = { chunks: 0 };
  readonly #sessions: RemotingSessions;
  readonly #meeting: Omit<FirstBytesParts, "open">;
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
      gone: (connection) => void this.open.delete(connection),
    };
  }

  /** What takes connections of a door that is `portsBelow` the one that clients are told. */
  door(portsBelow: number): (connection: AcceptedConnection) => void {
    const open = (met: AcceptedConnection) => this.#begin(met, portsBelow);
    const meeting = { ...this.#meeting, open };
    return (connection) => this.#accept(connection, meeting);
  }

  #accept(connection: AcceptedConnection, meeting: FirstBytesParts): void {
    const isFull = this.open.size >= limits.connectionsMax;
    this.open.add(connection);
    meet(connection, meeting);
    if (isFull) connection.destroy();
  }

  #begin(connection: AcceptedConnection, portsBelow: number): ConnectionListener {
    const { local: { host, port }, remote } = connection;
    if (portsBelow > 0) connection.nameEnds({ local: { host, port: port + portsBelow }, remote });
    const number = ++this.#connections;
    const session = this.#sessions.open(number, connection);
    return new Heard(session, this.traffic, () => {
      this.open.delete(connection);
      this.#sessions.close(number);
    });
  }
}

/** Hands a session what its connection says: one object, where a function for each would be six. */
class Heard implements ConnectionListener {
  readonly #session: RemotingSession;
  readonly #traffic: { chunks: number };
  readonly onClose: () => void;

  constructor(session: RemotingSession, traffic: { chunks: number }, onClose: () => void) {
    this.#session = session;
    this.#traffic = traffic;
    this.onClose = onClose;
  }

  onData(chunk: Uint8Array): void {
    this.#traffic.chunks++;
    this.#session.feed(chunk);
  }

  onDrain(): void {
    this.#session.drained();
  }
}
