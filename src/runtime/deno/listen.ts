/** Listening for HTTP on Deno, whoever serves what comes. @module */
import type { HttpOptions } from "../../ports/http.ts";
import type { TlsIdentity } from "../../ports/tls.ts";

/** A taken address is tried again so often when the keys are replaced. */
export const retryMs = 100;
/** `completed` comes before the last bytes have left: cut at once, the peer would not get them. */
export const flushMs = 50;

/** What is wanted of the address. */
export type Wanted = Pick<HttpOptions, "host" | "port"> & { readonly tls?: TlsIdentity };

/**
 * What `open` opens. Deno binds before it returns.
 *
 * @throws {Error} The address cannot be had; `code` says why, as the port promises.
 */
export function opened<T>({ host, port }: Wanted, open: () => T): T {
  try {
    return open();
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
    const code = cause instanceof Deno.errors.AddrInUse
      ? "EADDRINUSE"
      : cause instanceof Deno.errors.PermissionDenied
      ? "EACCES"
      : "EADDRNOTAVAIL";
    const message = `Cannot listen on ${host}:${port}: ${cause.message}`;
    throw Object.assign(new Error(message, { cause }), { code });
  }
}

/** A listener, with TLS if there are keys. @throws {Error} As `opened`. */
export function listenFor(wanted: Wanted): Deno.Listener<Deno.TcpConn | Deno.TlsConn> {
  const { host: hostname, port, tls } = wanted;
  return opened<Deno.Listener<Deno.TcpConn | Deno.TlsConn>>(wanted, () => {
    if (tls === undefined) return Deno.listen({ hostname, port });
    const { certificatePem: cert, keyPem: key } = tls;
    return Deno.listenTls({ hostname, port, cert, key, alpnProtocols: ["h2", "http/1.1"] });
  });
}

/** An answer that is its connection's last. */
export async function lastAnswer(answer: Response | Promise<Response>): Promise<Response> {
  const response = await answer;
  response.headers.set("connection", "close");
  return response;
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Anything thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
