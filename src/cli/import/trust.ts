/** TLS with a source: which certificates its brokers may show. @module */
import { isIP, type Socket } from "node:net";
import { connect } from "node:tls";
import type { Files } from "../../ports/files.ts";
import type { Address } from "../bench/sockets.ts";
import { UnreachableError, UsageError } from "../failure.ts";

/**
 * What is trusted: certificates of the machine's authorities that are made for the host; those of
 * given authorities, whatever host they are made for; any.
 */
export type Trust =
  | { readonly kind: "system" }
  | { readonly kind: "authorities"; readonly pem: string }
  | { readonly kind: "any" };

/** What to try when a peer closes the connection without a word, as one does that wants TLS. */
export const tlsWantedHint =
  "A source that speaks TLS only closes so. --tls FILE speaks TLS, and trusts the authorities in " +
  "a PEM file; --tls any trusts whoever answers";

const tlsFailedHint =
  "--tls FILE trusts the authorities in a PEM file, whatever host a certificate is made for; " +
  "--tls any trusts whoever answers; without --tls nothing is encrypted";

/** `system`, `any`, or the path of a PEM file. @throws {UsageError} There is no such file. */
export async function readTrust(text: string, files: Pick<Files, "readSmall">): Promise<Trust> {
  if (text === "system" || text === "any") return { kind: text };
  const pem = await files.readSmall(text);
  if (pem?.includes("-----BEGIN CERTIFICATE-----")) return { kind: "authorities", pem };
  const found = pem === null ? "there is no such file" : "there is no certificate in it";
  throw new UsageError(
    `--tls cannot trust "${text}": ${found}.`,
    "Give a PEM file of the source's certificate or its authority's, or `system`, or `any`",
  );
}

/**
 * Speaks TLS on a connection that is open.
 *
 * @throws {UnreachableError} The peer does not speak it, or its certificate is not trusted.
 */
export function secured(socket: Socket, { host, port }: Address, trust: Trust): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const secure = connect({ socket, host, ...name, ...checksOf(trust) });
    const fail = (reason: string) => {
      socket.destroy();
      const message = `Cannot speak TLS with ${host}:${port}: ${reason}`;
      reject(new UnreachableError(message, false, { hint: tlsFailedHint }));
    };
    const onError = (error: Error) => fail(error.message);
    const onClose = () => fail("it closed the connection");
    secure.on("error", onError);
    secure.once("close", onClose);
    secure.once("secureConnect", () => {
      secure.off("error", onError);
      secure.off("close", onClose);
      resolve(secure);
    });
  });
}

function checksOf(trust: Trust) {
  switch (trust.kind) {
    case "system":
      return {};
    case "authorities":
      // Brokers are dialled by the addresses their name server tells, which certificates seldom
      // name; RocketMQ's own clients compare no names either.
      return { ca: trust.pem, checkServerIdentity: () => undefined };
    case "any":
      return { rejectUnauthorized: false };
  }
}
