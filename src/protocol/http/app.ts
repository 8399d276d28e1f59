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
import { KnownAddresses } from "./known_addresses.ts";
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
import { type Found, type RowParts, ServedRow, statusCounter } from "./served_row.ts";

/** The app. `fetch` never rejects. */
export type HttpApp = {
  readonly fetch: (request: Request, info: RequestInfo) => Response | Promise<Response>;
};
/** What Hono carries along: the listener's words about the connection. */
type HttpEnv = { Bindings: RequestInfo };

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
  const known = new KnownAddresses<Found>();
  const requestId = requestIds(parts.settings.requestIdPrefix);
  const guard = new Guard(parts.settings.hostNames);
  const rows = [...endpoints, ...docsEndpoints(() => documentText(endpoints, parts.version))];
  const tree = routed(rows, { context, guard, known, requestId });
  return {
    fetch: (request, info) => {
      const found = known.find(request.method, request.url);
      if (found === undefined) return tree.fetch(request, info);
      return found.row.serveKnown(request, info, found.params);
    },
  };
}

/** The rows under Hono. */
function routed(rows: readonly Endpoint[], parts: RowParts): OpenAPIHono<HttpEnv> {
  const { context, guard, requestId } = parts;
  // The path is matched as it came; each part of it is decoded once, after the match.
  const tree = new OpenAPIHono<HttpEnv>({ getPath: ({ url }) => rawPath(url) });
  for (const row of rows) {
    const served = new ServedRow(row, parts);
    tree.on(
      row.method.toUpperCase(),
      row.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      (honoContext) => served.serve(honoContext.req.raw, honoContext.env),
    );
  }
  tree.notFound(unrouted(rows, context, guard, requestId));
  // Rows turn what is thrown into answers; what arrives here comes from what answers for no row.
  tree.onError((error) => {
    const id = requestId();
    context.log.error("http_answer_failed", { requestId: id, error });
    return responseOf(problemAnswer(failureOf(error)), () => id, true);
  });
  return tree;
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
    const answer = refusal(honoContext.req.raw, honoContext.env, patterns, guard);
    count(answer.status).add();
    return responseOf(answer, ids, true);
  };
}

function refusal(
  request: Request,
  info: RequestInfo,
  patterns: readonly { readonly pattern: RegExp; readonly method: string }[],
  guard: Guard,
): Answer {
  try {
    guard.check(request, info.headersOf(request));
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

function requestIds(prefix: string): () => string {
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}
