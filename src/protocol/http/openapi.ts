/** The OpenAPI 3.1 document, made of the same rows and schemas that serve. @module */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { errorCodes } from "../../model/error_codes.ts";
import type { Endpoint } from "./endpoint.ts";

const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.enum(Object.keys(errorCodes) as [string, ...string[]]),
}).openapi("Problem", {
  description:
    "A failure (RFC 9457). Some carry more: `suggestion`, `errors`, `receipts`, `line`, " +
    "`verdicts`, `minOffset`, `maxOffset`.",
});

/** The document as text. Made when it is first asked for. */
export function documentText(rows: readonly Endpoint[], version: string): string {
  return JSON.stringify(document(rows, version), undefined, 1);
}

function document(rows: readonly Endpoint[], version: string): unknown {
  const app = new OpenAPIHono();
  for (const row of rows) app.openAPIRegistry.registerPath(configOf(row));
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Curlew",
      version,
      description:
        "Sending, receiving and managing messages over HTTP. In a path, the characters " +
        "% and | of a name are written %25 and %7C. Bodies may come with Content-Encoding gzip " +
        "or deflate.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
  });
}

type RouteConfig = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];

function configOf(row: Endpoint): RouteConfig {
  const names = [...row.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const params = z.object(Object.fromEntries(names.map((name) => [name, z.string()])));
  const responses: RouteConfig["responses"] = {
    default: {
      description: "A failure.",
      content: { "application/problem+json": { schema: problemSchema } },
    },
  };
  for (const [status, { description, schema, contentType }] of Object.entries(row.answers)) {
    const type = contentType ?? "application/json";
    const isEmpty = schema === undefined && contentType === undefined;
    responses[status] = isEmpty
      ? { description }
      : { description, content: { [type]: { schema: schema ?? z.string() } } };
  }
  return {
    method: row.method,
    path: row.path,
    operationId: row.operationId,
    tags: [row.tag],
    summary: row.summary,
    ...(row.description === undefined ? {} : { description: row.description }),
    request: {
      ...(names.length === 0 ? {} : { params }),
      ...(row.query === undefined ? {} : { query: row.query }),
      ...(row.headers === undefined ? {} : { headers: row.headers }),
      ...(row.body === undefined ? {} : { body: bodyOf(row, row.body) }),
    },
    responses,
  };
}

/** No body reads as an empty object: where that says enough, none is needed. */
function bodyOf(row: Endpoint, schema: z.ZodType) {
  return { required: !schema.safeParse({}).success, content: bodyContent(row, schema) };
}

function bodyContent(row: Endpoint, schema: z.ZodType) {
  const others = Object.entries(row.otherBodies ?? {}).map(([type, description]) => [
    type,
    { schema: z.string().openapi({ description }) },
  ]);
  return { "application/json": { schema }, ...Object.fromEntries(others) };
}
