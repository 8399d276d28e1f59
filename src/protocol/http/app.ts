/**
 * The HTTP front: a table of endpoints under Hono. All a listener needs is `app.fetch`.
 *
 * @module
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { BrokerError } from "../../model/errors.ts";
import type { RequestInfo } from "../../ports/http.ts";
import { type Answer, responseOf } from "./answer.ts";
import { docsEndpoints } from "./docs_page.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HttpContext, HttpParts } from "./exchange.ts";
import { FilterCache } from "./filter_cache.ts";
import { Guard, rawPath } from "./guards.ts";
import { KnownPaths } from "./known_paths.ts";
import { requestSeconds, requestsTotal } from "./metric_rows.ts";
import { documentText } from "./openapi.ts";
import { failureOf, problemAnswer } from "./problem.ts";
import { deadLetterEndpoints } from "./routes/dead_letters.ts";
import { explainEndpoints } from "./routes/explain.ts";
import { findEndpoint } from "./routes/find.ts";
import { groupEndpoints } from "./routes/groups.ts";
import { offsetEndpoints } from "./routes/offsets.ts";
import { operationEndpoints } from "./routes/operations.ts";
import { parkedKeyEndpoints } from "./routes/parked_keys.ts";
import { queueEndpoint } from "./routes/queues.ts";
import { receiveEndpoints } from "./routes/receive.ts";
import { resetEndpoints } from "./routes/resets.ts";
import { requestEndpoints } from "./routes/requests.ts";
import { sendEndpoint } from "./routes/send.ts";
import { streamEndpoint } from "./routes/stream.ts";
import { timerEndpoints } from "./routes/timers.ts";
import { topicEndpoints } from "./routes/topics.ts";
import { transactionEndpoints } from "./routes/transactions.ts";

/** What Hono carries along: the listener's words about the connection. */
export type HttpEnv = { Bindings: RequestInfo };
/** The app. `fetch(request, info)` never rejects. */
export type HttpApp = OpenAPIHono<HttpEnv>;

/** Every row, in the order of the documentation. */
export const endpoints: readonly Endpoint[] = [
  sendEndpoint,
  ...requestEndpoints,
  ...receiveEndpoints,
  streamEndpoint,
  queueEndpoint,
  findEndpoint,
  ...explainEndpoints,
  ...topicEndpoints,
  ...groupEndpoints,
  ...offsetEndpoints,
  ...resetEndpoints,
  ...parkedKeyEndpoints,
  ...deadLetterEndpoints,
  ...timerEndpoints,
  ...transactionEndpoints,
  ...operationEndpoints,
];

/** Joins the parts to an app. Parts handed in are used as they are; nothing else is shared. */
export function httpApp(parts: HttpParts): HttpApp {
  const context: HttpContext = {
    ...parts,
    filters: new FilterCache(parts.broker),
    streams: { open: 0 },
  };
  // The path is matched as it came; each part of it is decoded once, after the match.
  const app: HttpApp = new OpenAPIHono<HttpEnv>({
    getPath: ({ url }) => rawPath(url),
    router: new KnownPaths(),
  });
  const ids = requestIds(parts.settings.requestIdPrefix);
  const guard = new Guard(parts.settings.hostNames);
  const rows = [...endpoints, ...docsEndpoints(() => documentText(endpoints, parts.version))];
  for (const row of rows) {
    const serve = served(row, context, guard, ids);
    app.on(row.method.toUpperCase(), row.path.replaceAll(/\{(\w+)\}/g, ":$1"), serve);
  }
  app.notFound(unrouted(rows, context, guard, ids));
  // Handlers turn what they throw into answers; what arrives here comes from the answer itself.
  app.onError((error) => {
    const requestId = ids();
    parts.log.error("http_answer_failed", { requestId, error });
    return responseOf(problemAnswer(failureOf(error)), requestId, true);
  });
  return app;
}

type Serve = (honoContext: Context<HttpEnv>) => Promise<Response>;

/** One row as Hono calls it: guarded, counted, with failures told as problems. */
function served(row: Endpoint, context: HttpContext, guard: Guard, ids: () => string): Serve {
  const { clock, metrics, log } = context;
  const method = row.method.toUpperCase();
  const isRead = method === "GET";
  const paramsOf = paramReader(row.path);
  const seconds = metrics.series(requestSeconds, [method, row.path]);
  const countOf = statusCounter(context, method, row.path);
  return async (honoContext) => {
    const startMs = clock.monotonicMs();
    const request = honoContext.req.raw;
    const requestId = ids();
    let answer: Answer;
    try {
      guard.check(request);
      const params = paramsOf(request.url);
      answer = await row.run({ context, request, info: honoContext.env, params });
    } catch (thrown) {
      const error = failureOf(thrown);
      if (error.code === "internal") log.error("http_request_failed", { requestId, error });
      answer = problemAnswer(error);
    }
    seconds.observe((clock.monotonicMs() - startMs) / 1000);
    countOf(answer.status).add();
    return responseOf(answer, requestId, isRead);
  };
}

/** What no row serves: 404, or 405 where another method would be. */
function unrouted(
  rows: readonly Endpoint[],
  context: HttpContext,
  guard: Guard,
  ids: () => string,
): (honoContext: Context<HttpEnv>) => Response {
  const patterns = rows.map(({ path, method }) => {
    const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    return { pattern, method: method.toUpperCase() };
  });
  const count = statusCounter(context, "other", "none");
  return (honoContext) => {
    const answer = refusal(honoContext.req.raw, patterns, guard);
    count(answer.status).add();
    return responseOf(answer, ids(), true);
  };
}

function refusal(
  request: Request,
  patterns: readonly { readonly pattern: RegExp; readonly method: string }[],
  guard: Guard,
): Answer {
  try {
    guard.check(request);
  } catch (thrown) {
    return problemAnswer(failureOf(thrown));
  }
  const path = rawPath(request.url);
  const shown = JSON.stringify(path.slice(0, 255));
  const allowed = patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
  if (allowed.length === 0) {
    const message = `Cannot find ${shown}: no route has this path; /docs lists them`;
    return problemAnswer(new BrokerError("not_supported", message), {}, 404);
  }
  if (allowed.includes("GET")) allowed.push("HEAD");
  const methods = allowed.join(", ");
  const method = request.method.slice(0, 20);
  const message = `Cannot ${method} ${shown}: this path takes ${methods}`;
  const answer = problemAnswer(new BrokerError("not_supported", message), {}, 405);
  return { ...answer, headers: [["allow", methods]] };
}

/** Series by status, each looked up once. */
function statusCounter({ metrics }: HttpContext, method: string, route: string) {
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
function paramReader(path: string): (url: string) => Record<string, string> {
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

function requestIds(prefix: string): () => string {
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
