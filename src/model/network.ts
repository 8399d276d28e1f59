/**
 * Networks in the form of CIDR: an address and how many of its leading bits count.
 *
 * Both families are compared as sixteen bytes, IPv4 in its mapped form, so that a peer is found
 * whichever way the listener reported it.
 *
 * @module
 */
import { BrokerError } from "./errors.ts";
import { ipv4Number, ipv6Bytes } from "./ip_address.ts";

/** The bits in front of an IPv4 address in its IPv6 form. */
const mappedBits = 96;
const addressBits = 128;

/** A network: the first `bits` of `address`, sixteen bytes, are those of all its members. */
export type Network = { readonly address: Uint8Array; readonly bits: number };

/**
 * `10.0.0.0/8`, `2001:db8::/32`, or one address: `10.0.0.1`.
 *
 * @throws {BrokerError} `invalid_argument`: the text is no network.
 */
export function parseNetwork(text: string): Network {
  const [host = "", length, ...rest] = text.split("/");
  const isV4 = ipv4Number(host) !== -1 && !host.includes(":");
  const bitsMax = isV4 ? addressBits - mappedBits : addressBits;
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  const address = sixteenBytes(host);
  if (address === null || rest.length > 0 || !(bits <= bitsMax)) {
    throw new BrokerError(
      "invalid_argument",
      `Cannot read a network: found ${JSON.stringify(text)}; ` +
        "allowed is an IP address, or one with its length such as 10.0.0.0/8",
    );
  }
  return { address, bits: isV4 ? bits + mappedBits : bits };
}

/** Whether the address belongs to the network. What is no IP address belongs to none. */
export function networkHolds({ address, bits }: Network, host: string): boolean {
  const found = sixteenBytes(host);
  if (found === null) return false;
  for (let at = 0; at * 8 < bits; at++) {
    const ignored = Math.max(0, 8 - (bits - at * 8));
    if (((address[at] ?? 0) ^ (found[at] ?? 0)) >>> ignored !== 0) return false;
  }
  return true;
}

function sixteenBytes(host: string): Uint8Array | null {
  const v4 = ipv4Number(host);
  if (v4 !== -1) {
    const bytes = new Uint8Array(16).fill(0xff, 10, 12);
    new DataView(bytes.buffer).setUint32(12, v4);
    return bytes;
  }
  try {
    return ipv6Bytes(host);
  } catch (thrown) {
    // Its refusal speaks of writing a record; here "no address" is an answer.
    if (thrown instanceof BrokerError) return null;
    throw thrown;
  }
}
