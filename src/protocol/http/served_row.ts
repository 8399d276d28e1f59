/**
 * One row as it is served: guarded, counted, with failures told as problems.
 *
 *     first time   ──▶ Hono's tree ──▶ host, origin, path ──▶ run ──▶ answer
 *     later        ──▶ known address ──────▶ origin ────────▶ run ──▶ answer
 *
 * @module
 */
import { BrokerError } from "../../model/errors.ts";
import type { HeaderReader, RequestInfo } from "../../ports/http.ts";
import { type Answer, responseOf } from "./answer.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HttpContext } from "./exchange.ts";
import { type Guard, rawPath } from "./guards.ts";
import type { KnownAddresses } from "./known_addresses.ts";
import { requestSeconds, requestsTotal } from "./metric_rows.ts";
import { failureOf, problemAnswer } from "./problem.ts";

type Params = Readonly<Record<string, string>>;
type Served = Response | Promise<Response>;

/** Where an address led: a row, and what its path names. */
export type Found = { readonly row: ServedRow; readonly params: Params };

/** What all rows share. */
export type RowParts = {
  readonly context: HttpContext;
  readonly guard: Guard;
  readonly known: KnownAddresses<Found>;
  /** Makes the name under which user and log speak of a request. */
  readonly requestId: () => string;
};

/** Serves a row. Never throws, and never rejects. */
export class ServedRow {
  readonly #row: Endpoint;
  readonly #method: string;
  readonly #parts: RowParts;
  readonly #paramsOf: (url: string) => Params;
  readonly #seconds: { observe(value: number): void };
  readonly #countOf: (status: number) => { add(): void };

  constructor(row: Endpoint, parts: RowParts) {
    const { context } = parts;
    this.#row = row;
    this.#method = row.method.toUpperCase();
    this.#parts = parts;
    this.#paramsOf = paramReader(row.path);
    this.#seconds = context.metrics.series(requestSeconds, [this.#method, row.path]);
    this.#countOf = statusCounter(context, this.#method, row.path);
  }

  /** For who was led here by the router. What is good about the address is remembered. */
  serve(request: Request, info: RequestInfo): Served {
    const startMs = this.#parts.context.clock.monotonicMs();
    try {
      const { guard, known } = this.#parts;
      const headers = info.headersOf(request);
      guard.check(request, headers);
      const { url } = request;
      const params = this.#paramsOf(url);
      // A HEAD is led to what a GET asks, and answered otherwise.
      if (request.method === this.#method) known.keep(this.#method, url, { row: this, params });
      return this.#run(request, headers, info, params, startMs);
    } catch (thrown) {
      return this.#failed(thrown, startMs);
    }
  }

  /** For who asks at a known address. */
  serveKnown(request: Request, info: RequestInfo, params: Params): Served {
    const startMs = this.#parts.context.clock.monotonicMs();
    try {
      const headers = info.headersOf(request);
      this.#parts.guard.checkPage(request, headers);
      return this.#run(request, headers, info, params, startMs);
    } catch (thrown) {
      return this.#failed(thrown, startMs);
    }
  }

  #run(
    request: Request,
    headers: HeaderReader,
    info: RequestInfo,
    params: Params,
    startMs: number,
  ): Served {
    const { context } = this.#parts;
    const answer = this.#row.run({ context, request, headers, info, params });
    if (!(answer instanceof Promise)) return this.#given(answer, info, startMs);
    return answer.then(
      (given) => this.#given(given, info, startMs),
      (thrown: unknown) => this.#failed(thrown, startMs),
    );
  }

  #given(answer: Answer, info: RequestInfo, startMs: number): Response {
    const response = this.#respond(answer, startMs);
    if (answer.body instanceof ReadableStream) info.lasts(response);
    return response;
  }

  #failed(thrown: unknown, startMs: number): Response {
    const requestId = this.#parts.requestId();
    const error = failureOf(thrown);
    if (error.code === "internal") {
      this.#parts.context.log.error("http_request_failed", { requestId, error });
    }
    return this.#respond(problemAnswer(error), startMs, () => requestId);
  }

  #respond(answer: Answer, startMs: number, requestId = this.#parts.requestId): Response {
    const { clock, log } = this.#parts.context;
    this.#seconds.observe((clock.monotonicMs() - startMs) / 1000);
    this.#countOf(answer.status).add();
    try {
      return responseOf(answer, requestId, this.#method === "GET");
    } catch (thrown) {
      // The answer itself is at fault: a header or a status that cannot be.
      const id = requestId();
      log.error("http_answer_failed", { requestId: id, error: failureOf(thrown) });
      return responseOf(problemAnswer(failureOf(thrown)), () => id, true);
    }
  }
}

/** Series by status, each looked up once. */
export function statusCounter({ metrics }: HttpContext, method: string, route: string) {
  const byStatus = new Map<number, { add(): void }>();
  return (status: number) => {
    const known = byStatus.get(status);
    if (known) return known;
    const made = metrics.series(requestsTotal, [method, route, String(status)]);
    byStatus.set(status, made);
    return made;
  };
}

/** Where in the path the row's parameters stand, decoded once. */
function paramReader(path: string): (url: string) => Params {
  const places = path.split("/").flatMap((part, index): [string, number][] =>
    part.startsWith("{") ? [[part.slice(1, -1), index]] : []
  );
  if (places.length === 0) return () => ({});
  return (url) => {
    const parts = rawPath(url).split("/");
    const params: Record<string, string> = {};
    for (const [name, index] of places) params[name] = decodePart(parts[index] ?? "");
    return params;
  };
}

/** @throws {BrokerError} `invalid_argument`: a `%` that begins no escape, or escapes of no text. */
function decodePart(part: string): string {
  if (!part.includes("%")) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new BrokerError(
      "invalid_argument",
      `Cannot read ${JSON.stringify(part.slice(0, 255))} in the path: a % is written %25 there`,
    );
  }
}
