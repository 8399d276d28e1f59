/** Who is at the other end of a connection, worked out once for all its requests. @module */
import type { Host } from "../../model/message.ts";
import { ipv4Number, ipv4Text } from "../../model/ip_address.ts";
import { offsetMessageIdPrefix } from "../../model/message_id.ts";
import { networkHolds } from "../../model/network.ts";
import type { Connection, SocketAddress } from "../../ports/sockets.ts";
import type { Peer, RemotingSettings } from "./call.ts";
import { HeartbeatMemory } from "./heartbeat_memory.ts";
import type { Parking } from "./parking.ts";

/** Describes a connection to the handlers. `gone` is aborted when it closes. */
export function peerOf(
  number: number,
  connection: Connection,
  advertise: SocketAddress | null,
  gone: AbortSignal,
  parking: Parking,
): Peer {
  const local = hostOf(connection.local);
  const remote = hostOf(connection.remote);
  const advertised = advertise === null ? local : hostOf(advertise);
  // A record holds an address, and clients resolve an advertised name themselves.
  const storeHost = isAddress(advertised.ip) ? advertised : { ...advertised, ip: local.ip };
  return {
    connection: number,
    route: addressText(advertised),
    storeHost,
    remote,
    address: addressText(remote),
    messageIdPrefix: offsetMessageIdPrefix(storeHost.ip, storeHost.port),
    gone,
    heartbeats: new HeartbeatMemory(),
    parking,
  };
}

/** Where a client is sent by the operator's word; `null`: wherever it dialled. */
export function advertisedTo(
  remoteHost: string,
  { advertise, advertiseNetworks }: Pick<RemotingSettings, "advertise" | "advertiseNetworks">,
): SocketAddress | null {
  const own = advertiseNetworks?.find(({ network }) => networkHolds(network, remoteHost));
  return own?.address ?? advertise;
}

function hostOf({ host, port }: SocketAddress): Host {
  return { ip: plainIp(host), port };
}

/** IPv4 in its IPv6 form, as a listener on both families reports it, becomes plain IPv4. */
function plainIp(host: string): string {
  const v4 = ipv4Number(host);
  return v4 === -1 ? host : ipv4Text(v4);
}

function isAddress(host: string): boolean {
  return ipv4Number(host) !== -1 || host.includes(":");
}

function addressText({ ip, port }: Host): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
