/**
 * One row of the HTTP interface: method, path, what it takes, what it answers, and who does it. The
 * same schemas check requests and describe them in the OpenAPI document. What a schema does not
 * name is refused, in queries as in bodies: nothing a user writes is ignored in silence.
 *
 * @module
 */
import type { z } from "@hono/zod-openapi";
import { bodyText, parseJson } from "./body.ts";
import type { Answer } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { faultsIn } from "./fault_words.ts";
import { ProblemError } from "./problem.ts";

/** Methods that rows use. */
export type Method = "get" | "put" | "post" | "patch" | "delete";
/** What an answer looks like. No schema: no body, or one that JSON does not describe. */
export type AnswerShape = {
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
};
/** What else a route takes than JSON: content types with a sentence each. */
export type OtherBodies = Readonly<Record<string, string>>;

/** What the document tells of a row. */
export type EndpointFacts = {
  /** What generated clients call it, in camel case: it stays, whatever else changes. */
  readonly operationId: string;
  readonly method: Method;
  /** In OpenAPI's form: `/v1/topics/{topic}`. */
  readonly path: string;
  /** Heading the row stands under. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly otherBodies?: OtherBodies;
  readonly headers?: z.ZodObject;
  readonly answers: Readonly<Record<number, AnswerShape>>;
};
/** A row that can be served. */
export type Endpoint = EndpointFacts & {
  readonly run: (exchange: Exchange) => Answer | Promise<Answer>;
};

/** A row whose query is read by its schema. */
export function queryEndpoint<Query extends z.ZodObject>(
  facts: EndpointFacts & { readonly query: Query },
  handle: (exchange: Exchange, query: z.output<Query>) => Answer | Promise<Answer>,
): Endpoint {
  return {
    ...facts,
    run: (exchange) => handle(exchange, readQuery(facts.query, exchange.request)),
  };
}

/** A row whose body is JSON, read by its schema. No body reads as an empty object. */
export function bodyEndpoint<Body extends z.ZodType>(
  facts: EndpointFacts & { readonly body: Body },
  handle: (exchange: Exchange, body: z.output<Body>) => Answer | Promise<Answer>,
): Endpoint {
  const run = async (exchange: Exchange) => {
    refuseQuery(exchange.request);
    const text = await bodyText(exchange);
    const value = text === "" ? {} : parseJson(text);
    return await handle(exchange, readBy(facts.body, value, "the body"));
  };
  return { ...facts, run };
}

/** A row that takes neither. */
export function plainEndpoint(
  facts: EndpointFacts,
  handle: (exchange: Exchange) => Answer | Promise<Answer>,
): Endpoint {
  const run = (exchange: Exchange) => {
    refuseQuery(exchange.request);
    return handle(exchange);
  };
  return { ...facts, run };
}

/** A value as its schema reads it. @throws {ProblemError} `invalid_argument`, with every fault. */
export function readBy<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = faultsIn(value, result.error.issues);
  const first = errors[0];
  const where = first === undefined || first.path === "" ? "" : `, ${first.path}`;
  const why = first?.message ?? "it does not have the right shape";
  throw new ProblemError("invalid_argument", `Cannot read ${what}${where}: ${why}`, { errors });
}

/** Refuses a query where a route takes none. @throws {ProblemError} `invalid_argument`. */
export function refuseQuery(request: Request): void {
  const found = queryText(request.url);
  if (found === "") return;
  const name = found.split(/[=&]/, 1)[0] ?? "";
  throw new ProblemError(
    "invalid_argument",
    `Cannot read the query: this route takes none, found ${JSON.stringify(name.slice(0, 60))}`,
    {},
  );
}

function readQuery<Query extends z.ZodObject>(schema: Query, request: Request): z.output<Query> {
  const pairs = [...new URLSearchParams(queryText(request.url))];
  const values = Object.fromEntries(pairs);
  if (Object.keys(values).length !== pairs.length) {
    throw new ProblemError("invalid_argument", "Cannot read the query: a name occurs twice", {});
  }
  return readBy(schema, values, "the query");
}

function queryText(url: string): string {
  const at = url.indexOf("?");
  if (at === -1) return "";
  const end = url.indexOf("#", at);
  return url.slice(at + 1, end === -1 ? undefined : end);
}
