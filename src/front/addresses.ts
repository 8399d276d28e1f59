/**
 * Addresses as settings write them and as they are shown.
 *
 *     remotingAlso        host:port,host:port
 *     proxyProtocolFrom   address or network,...
 *     advertiseNetworks   network=host:port,...
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type { HostAndPort } from "../config/schema.ts";
import { readAddress } from "../config/values.ts";
import { BrokerError } from "../model/errors.ts";
import { type Network, parseNetwork } from "../model/network.ts";
import type { SocketAddress } from "../ports/sockets.ts";
import type { AdvertisedNetwork } from "../protocol/remoting/call.ts";

/** Bound to it, a listener hears on every address of its family: it is none to be dialled. */
const wildcards = ["0.0.0.0", "::"];

/** `10.0.0.1:9876`, `[2001:db8::1]:9876`. */
export function addressText({ host, port }: SocketAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where a listener can be dialled by somebody who reached this machine as `dialledHost`. */
export function dialled({ host, port }: SocketAddress, dialledHost: string): SocketAddress {
  return { host: wildcards.includes(host) ? dialledHost : host, port };
}

/** @throws {BrokerError} `invalid_argument`: a part is no address, or there are too many. */
export function addressesOf(setting: string, text: string | null): HostAndPort[] {
  return parts(setting, text, limits.alsoListenMax).map((part) => addressOf(setting, part));
}

/** @throws {BrokerError} `invalid_argument`: a part is no network, or there are too many. */
export function networksOf(setting: string, text: string | null): Network[] {
  return parts(setting, text, limits.networksPerSettingMax).map((part) => network(setting, part));
}

/** @throws {BrokerError} `invalid_argument`: a part says no network and address. */
export function advertisedNetworksOf(setting: string, text: string | null): AdvertisedNetwork[] {
  return parts(setting, text, limits.networksPerSettingMax).map((part) => {
    const at = part.indexOf("=");
    if (at === -1) throw unreadable(setting, part, "network=host:port");
    return {
      network: network(setting, part.slice(0, at).trim()),
      address: addressOf(setting, part.slice(at + 1).trim()),
    };
  });
}

function parts(setting: string, text: string | null, countMax: number): string[] {
  const found = (text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (found.length <= countMax) return found;
  throw new BrokerError(
    "invalid_argument",
    `Cannot read setting ${setting}: found ${found.length} parts; allowed are ${countMax}`,
  );
}

function addressOf(setting: string, part: string): HostAndPort {
  const address = readAddress(part);
  if (address === undefined) throw unreadable(setting, part, "host:port");
  return address;
}

function network(setting: string, part: string): Network {
  try {
    return parseNetwork(part);
  } catch (thrown) {
    if (!(thrown instanceof BrokerError)) throw thrown;
    throw unreadable(setting, part, "an IP address, or one with its length such as 10.0.0.0/8");
  }
}

function unreadable(setting: string, part: string, allowed: string): BrokerError {
  return new BrokerError(
    "invalid_argument",
    `Cannot read setting ${setting}: found ${JSON.stringify(part)}; allowed is ${allowed}`,
  );
}
