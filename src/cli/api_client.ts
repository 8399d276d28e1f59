/**
 * Asks a broker over its open HTTP API. Everything but a good answer becomes one of two errors: the
 * broker refused, or nobody answered.
 *
 * @module
 */
import { errorCodes, isErrorCode } from "../model/error_codes.ts";
import type { Host } from "../ports/host.ts";
import { RefusedError, UnreachableError, UsageError } from "./failure.ts";

/** The options of every command that asks a broker. */
export const apiOptions = {
  url: {
    kind: "text",
    value: "URL",
    help: "the broker's HTTP address; CURLEW_URL, or http://127.0.0.1:8080",
  },
  token: { kind: "text", value: "TOKEN", help: "bearer token; better in CURLEW_TOKEN" },
  timeoutMs: { kind: "duration", value: "TIME", fallback: "10s", help: "for one answer", min: 1 },
  json: { kind: "flag", help: "JSON for programs, instead of text for people" },
} as const;

/** One question. `waitMs` is what the broker may wait before it answers, beyond the usual time. */
export type ApiRequest = {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE";
  /** Parts of the path; each is encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** A JSON value, or JSON text that is already made. */
  readonly body?: unknown;
  readonly waitMs?: number;
  readonly stop?: AbortSignal;
};

/** Asks one broker. Stateless: connections are the runtime's. */
export class ApiClient {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;

  /** @throws {UsageError} `url` is no HTTP address. */
  constructor(url: string, timeoutMs: number, token?: string) {
    this.#base = baseUrl(url);
    this.#timeoutMs = timeoutMs;
    this.#headers = {
      "accept": "application/json, application/problem+json",
      ...(token && { authorization: `Bearer ${token}` }),
    };
  }

  /** The broker's address as it was given, for messages. */
  get address(): string {
    return this.#base.origin;
  }

  /**
   * The answer's JSON value; `undefined` if the answer has no body.
   *
   * @throws {RefusedError} The broker answered with an error.
   * @throws {UnreachableError} It did not answer, or the answer was cut.
   */
  async ask(request: ApiRequest): Promise<unknown> {
    const { method, body } = request;
    const url = this.#urlOf(request);
    const limitMs = this.#timeoutMs + (request.waitMs ?? 0);
    const late = AbortSignal.timeout(limitMs);
    const signal = request.stop ? AbortSignal.any([late, request.stop]) : late;
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    let status: number;
    let answer: string;
    try {
      const headers = { ...this.#headers, ...(text && { "content-type": "application/json" }) };
      const init: RequestInit = { method, signal, headers };
      const response = await fetch(url, text === undefined ? init : withBody(init, text));
      status = response.status;
      answer = await response.text();
    } catch (thrown) {
      throw this.#unanswered(thrown, request, late.aborted ? limitMs : undefined);
    }
    if (status >= 400) throw refusal(status, answer, `${method} ${url.pathname}`);
    if (answer === "") return undefined;
    return this.#parse(answer, request);
  }

  #urlOf({ path, query = {} }: ApiRequest): URL {
    const url = new URL(this.#base);
    url.pathname += path.map(encodeURIComponent).join("/");
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  #parse(answer: string, { method, path }: ApiRequest): unknown {
    try {
      return JSON.parse(answer);
    } catch (cause) {
      const what = `${method} ${path.join("/")}`;
      throw new UnreachableError(
        `${this.address} answered ${what} with something that is not JSON: is it a Curlew broker?`,
        true,
        { cause },
      );
    }
  }

  #unanswered(cause: unknown, { method, path }: ApiRequest, lateMs?: number): UnreachableError {
    const what = `${method} /${path.join("/")}`;
    if (lateMs !== undefined) {
      const message = `${this.address} did not answer ${what} within ${lateMs} ms`;
      return new UnreachableError(message, true, { cause });
    }
    const reason = reasonOf(cause);
    const refused = /refused/i.test(reason);
    const message = refused
      ? `Nobody listens at ${this.address}: the connection was refused`
      : `The connection to ${this.address} failed during ${what}: ${reason}`;
    return new UnreachableError(message, !refused, { cause });
  }
}

/**
 * Adds a body as a stream. A connection that is closed without an answer makes Deno's `fetch` send
 * a request with a plain body once more by itself, unseen by us; a stream it cannot send twice, so
 * that what was sent again is known and counted.
 */
function withBody(init: RequestInit, text: string): RequestInit {
  const once: RequestInit & { duplex: "half" } = {
    ...init,
    duplex: "half",
    body: new Blob([text]).stream(),
  };
  return once;
}

/** The client that a command's options name. */
export function apiClientOf(
  host: Host,
  options: { readonly url: string | undefined; token: string | undefined; timeoutMs: number },
): ApiClient {
  const url = options.url ?? host.env["CURLEW_URL"] ?? "http://127.0.0.1:8080";
  return new ApiClient(url, options.timeoutMs, options.token ?? host.env["CURLEW_TOKEN"]);
}

function baseUrl(text: string): URL {
  const url = URL.parse(/^[a-z][a-z+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new UsageError(`"${text}" is not an HTTP address.`, "Write it as http://HOST:PORT");
  }
  url.search = "";
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function refusal(status: number, answer: string, what: string): RefusedError {
  const problem = problemOf(answer);
  const code = typeof problem["code"] === "string" ? problem["code"] : `http_${status}`;
  const told = problem["detail"] ?? problem["title"];
  const detail = typeof told === "string" ? told : `${what} was answered with status ${status}`;
  const retriable = isErrorCode(code)
    ? errorCodes[code].retriable
    : status === 429 || status === 502 || status === 503 || status === 504;
  return new RefusedError(code, detail, retriable);
}

function problemOf(answer: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(answer);
    return isObject(value) ? value : {};
  } catch {
    // A proxy in between answers in its own words; the status says enough.
    return {};
  }
}

/** Whether a JSON value is an object: neither a list nor `null`. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The list at `name` of an answer; empty if there is none. */
export function listAt(answer: unknown, name: string): readonly Record<string, unknown>[] {
  const list = isObject(answer) ? answer[name] : undefined;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Causes of one error that are told: an error can be its own cause. */
const causesMax = 5;

/**
 * What lies at the bottom of a failed `fetch`: each runtime wraps the socket's error differently.
 */
function reasonOf(thrown: unknown): string {
  const parts: string[] = [];
  let at = thrown;
  while (at instanceof Error && parts.length < causesMax) {
    const code = "code" in at && typeof at.code === "string" ? ` (${at.code})` : "";
    parts.push(`${at.message}${code}`);
    at = at.cause;
  }
  return parts.join(": ") || String(thrown);
}
