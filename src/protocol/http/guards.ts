/**
 * Who may ask at all, before any route: a broker on loopback can be reached by every web page its
 * user looks at. A page under a foreign name that resolves to loopback is told apart by the `Host`
 * it asks for; a page of another site that posts here, by its `Origin`.
 *
 * @module
 */
import { BrokerError } from "../../model/errors.ts";
import type { HeaderReader } from "../../ports/http.ts";

/** Where the path begins in an absolute URL. */
export function pathStart(url: string): number {
  const at = url.indexOf("/", url.indexOf(":") + 3);
  return at === -1 ? url.length : at;
}

/** The path of an absolute URL, escapes and all. */
export function rawPath(url: string): string {
  const start = pathStart(url);
  for (let end = start; end < url.length; end++) {
    const code = url.charCodeAt(end);
    if (code === 0x3f || code === 0x23) return url.slice(start, end);
  }
  return start === url.length ? "/" : url.slice(start);
}

/** Checks requests against the names the broker answers to. */
export class Guard {
  readonly #hostNames: ReadonlySet<string> | null;
  /** The authority that was good last: nearly always the next one too. */
  #lastGood = "";

  constructor(hostNames: readonly string[] | null) {
    this.#hostNames = hostNames === null ? null : new Set(hostNames);
  }

  /** @throws {BrokerError} `no_permission`: the request's host or origin is foreign. */
  check(request: Request, headers: HeaderReader): void {
    const authority = authorityOf(request.url);
    if (authority !== this.#lastGood) this.#checkHost(authority);
    this.checkPage(request, headers);
  }

  /** As `check`, of a request to a host that is known to be good. */
  checkPage(request: Request, headers: HeaderReader): void {
    const { method } = request;
    if (method === "GET" || method === "HEAD") return;
    const origin = headers.get("origin");
    if (origin !== null) checkOrigin(origin, authorityOf(request.url));
  }

  #checkHost(authority: string): void {
    const name = authority.replace(/:\d+$/, "").toLowerCase();
    if (this.#hostNames !== null && !this.#hostNames.has(name)) {
      throw new BrokerError(
        "no_permission",
        `Cannot answer for host ${
          JSON.stringify(name.slice(0, 255))
        }: it is no name of this broker`,
      );
    }
    this.#lastGood = authority;
  }
}

function authorityOf(url: string): string {
  return url.slice(url.indexOf(":") + 3, pathStart(url));
}

function checkOrigin(origin: string, authority: string): void {
  if (origin.slice(origin.indexOf(":") + 3) === authority) return;
  throw new BrokerError(
    "no_permission",
    `Cannot take a change from a page of ${JSON.stringify(origin.slice(0, 255))}: ` +
      "pages of other sites may not send here",
  );
}
