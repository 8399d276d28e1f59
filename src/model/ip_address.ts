/**
 * IP addresses as text and as the bytes records and message ids hold.
 *
 * An IPv4 address met in its IPv6 form (`::ffff:a.b.c.d`) is an IPv4 address here: a listener on
 * both families reports it so, and old clients read four bytes only.
 *
 * @module
 */
import { BrokerError } from "./errors.ts";

const mapped = "::ffff:";

/** The address as an unsigned 32-bit number, or -1 if it is not IPv4, plain or mapped. */
export function ipv4Number(text: string): number {
  let at = 0;
  if (text.charCodeAt(0) === 58) {
    if (text.slice(0, mapped.length).toLowerCase() !== mapped) return -1;
    at = mapped.length;
  }
  let address = 0;
  for (let part = 0; part < 4; part++) {
    let value = 0;
    const start = at;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === start || at - start > 3 || value > 255) return -1;
    if (part < 3 && text.charCodeAt(at++) !== 46) return -1;
    address = address * 256 + value;
  }
  return at === text.length ? address : -1;
}

/** An unsigned 32-bit number as dotted text. */
export function ipv4Text(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/**
 * The sixteen bytes of an IPv6 address. A zone (`%eth0`) is dropped: it means nothing elsewhere.
 *
 * @throws {BrokerError} `invalid_argument`: the text is no IP address.
 */
export function ipv6Bytes(text: string): Uint8Array {
  const halves = (text.split("%", 1)[0] ?? "").split("::");
  const [head, tail] = halves.map((half) => half === "" ? [] : half.split(":").flatMap(groupsOf));
  const count = (head?.length ?? 0) + (tail?.length ?? 0);
  const fits = halves.length === 2 ? count < 8 : halves.length === 1 && count === 8;
  const groups = [...head ?? [], ...new Array<number>(Math.max(0, 8 - count)).fill(0)];
  groups.push(...tail ?? []);
  if (!fits || groups.some((group) => Number.isNaN(group))) {
    throw new BrokerError(
      "invalid_argument",
      `Cannot write host: ${JSON.stringify(text)} is no IP address`,
    );
  }
  return Uint8Array.from(groups.flatMap((group) => [group >>> 8, group & 255]));
}

/** Sixteen bytes as IPv6 text, the longest run of zero groups shortened. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => {
    const value = (bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0);
    return value.toString(16);
  });
  const run = groups.join(":").match(/\b0(?::0)+\b/g)?.reduce((longest, found) =>
    found.length > longest.length ? found : longest
  );
  if (run === undefined) return groups.join(":");
  const [before, after] = splitOnce(groups.join(":"), run);
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}

/** A group of an IPv6 address, or the two that a dotted tail (`::1.2.3.4`) stands for. */
function groupsOf(text: string): number[] {
  const dotted = text.includes(".") ? ipv4Number(text) : -1;
  if (dotted !== -1) return [dotted >>> 16, dotted & 0xffff];
  return [/^[0-9a-fA-F]{1,4}$/.test(text) ? parseInt(text, 16) : NaN];
}

function splitOnce(text: string, run: string): [string, string] {
  // The run must begin at a group: "10:0:0" holds "0:0" in the middle of its first group, too.
  const at = `:${text}:`.indexOf(`:${run}:`);
  return [text.slice(0, at), text.slice(at + run.length)];
}
