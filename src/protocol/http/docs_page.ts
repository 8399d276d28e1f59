/**
 * `/openapi.json`, and the same document as a page to read at `/docs`: made here, without scripts
 * or anything from elsewhere, so that the strictest content policy holds and it works offline.
 *
 * @module
 */
import { errorCodes } from "../../model/error_codes.ts";
import { jsonTextAnswer, textAnswer } from "./answer.ts";
import { type Endpoint, plainEndpoint } from "./endpoint.ts";
import { statusOfCode } from "./status.ts";

/** Nothing may run, nothing may be loaded but the page's own style. */
const contentPolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'";

type Json = Readonly<Record<string, unknown>>;

/** The rows of documentation. `document` gives the OpenAPI document; it is asked once. */
export function docsEndpoints(document: () => string): readonly Endpoint[] {
  let text: string | undefined;
  let page: string | undefined;
  const documentOnce = () => text ??= document();
  const tag = "Operation";
  return [
    plainEndpoint({
      operationId: "readInterface",
      method: "get",
      path: "/openapi.json",
      tag,
      summary: "This interface as an OpenAPI 3.1 document",
      answers: { 200: { description: "The document.", contentType: "application/json" } },
    }, () => jsonTextAnswer(documentOnce())),
    plainEndpoint({
      operationId: "readDocs",
      method: "get",
      path: "/docs",
      tag,
      summary: "This interface as a page",
      answers: { 200: { description: "The page.", contentType: "text/html" } },
    }, () => {
      page ??= pageOf(JSON.parse(documentOnce()) as Json);
      return {
        ...textAnswer(page, "text/html; charset=utf-8"),
        headers: [
          ["content-security-policy", contentPolicy],
          ["referrer-policy", "no-referrer"],
        ],
      };
    }),
    plainEndpoint({
      operationId: "readDocsStyle",
      method: "get",
      path: "/docs/style.css",
      tag,
      summary: "The page's style",
      answers: { 200: { description: "The style.", contentType: "text/css" } },
    }, () => textAnswer(style, "text/css; charset=utf-8")),
  ];
}

function pageOf(document: Json): string {
  const info = part(document, "info");
  const sections = new Map<string, string[]>();
  for (const [path, methods] of Object.entries(part(document, "paths"))) {
    for (const [method, operation] of Object.entries(methods as Json)) {
      const heading = String((operation as { tags?: unknown[] }).tags?.[0] ?? "Other");
      const rows = sections.get(heading) ?? [];
      rows.push(operationHtml(method, path, operation as Json));
      sections.set(heading, rows);
    }
  }
  const operations = [...sections].map(([heading, rows]) =>
    `<section><h2>${escapeHtml(heading)}</h2>${rows.join("")}</section>`
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${text(info, "title")} HTTP interface</title>` +
    `<link rel="stylesheet" href="/docs/style.css"></head><body><main>` +
    `<h1>${text(info, "title")} ${text(info, "version")}</h1>` +
    `<p>${text(info, "description")}</p>` +
    `<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>` +
    `${operations.join("")}${errorsHtml()}${schemasHtml(document)}</main></body></html>`;
}

function operationHtml(method: string, path: string, operation: Json): string {
  const parameters = Array.isArray(operation["parameters"]) ? operation["parameters"] : [];
  const rows = parameters
    .filter((parameter: Json) => parameter["in"] !== "path")
    .map((parameter: Json) =>
      `<tr><td><code>${text(parameter, "name")}</code></td><td>${text(parameter, "in")}</td>` +
      `<td>${kindHtml(part(parameter, "schema"))}</td>` +
      `<td>${
        text(part(parameter, "schema"), "description") || text(parameter, "description")
      }</td></tr>`
    );
  const responses = Object.entries(part(operation, "responses"))
    .filter(([status]) => status !== "default")
    .map(([status, response]) =>
      `<li><b>${escapeHtml(status)}</b> ${text(response as Json, "description")} ` +
      `${contentHtml(response as Json)}</li>`
    );
  const body = part(operation, "requestBody");
  return `<article><h3><span class="method">${escapeHtml(method.toUpperCase())}</span> ` +
    `<code>${escapeHtml(path)}</code></h3><p>${text(operation, "summary")}</p>` +
    `<p>${text(operation, "description")}</p>` +
    (rows.length === 0 ? "" : `<table>${rows.join("")}</table>`) +
    (Object.keys(body).length === 0 ? "" : `<p>Takes ${contentHtml(body)}</p>`) +
    `<ul>${responses.join("")}</ul></article>`;
}

function contentHtml(holder: Json): string {
  return Object.entries(part(holder, "content")).map(([type, media]) =>
    `<span class="type">${escapeHtml(type)}</span> ${kindHtml(part(media as Json, "schema"))}`
  ).join("; ");
}

/** A schema in a few words: its name with a link, or its type. */
function kindHtml(schema: Json): string {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = escapeHtml(reference.split("/").at(-1) ?? "");
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(choices)) return choices.map((choice: Json) => kindHtml(choice)).join(" or ");
  // A reference that says more than it refers to: the parts without a kind are words.
  const parts = schema["allOf"];
  if (Array.isArray(parts)) return parts.map((part: Json) => kindHtml(part)).join("");
  if (Array.isArray(schema["enum"])) return escapeHtml(schema["enum"].join(" | "));
  if (schema["type"] === "array") return `list of ${kindHtml(part(schema, "items"))}`;
  if (schema["properties"] !== undefined) return fieldsHtml(schema);
  if (schema["const"] !== undefined) return escapeHtml(String(schema["const"]));
  return escapeHtml(String(schema["type"] ?? ""));
}

function fieldsHtml(schema: Json): string {
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const rows = Object.entries(part(schema, "properties")).map(([name, field]) =>
    `<tr><td><code>${escapeHtml(name)}</code></td><td>${required.includes(name) ? "always" : ""}` +
    `</td><td>${kindHtml(field as Json)}</td><td>${wordsOf(field as Json)}</td></tr>`
  );
  return `<table>${rows.join("")}</table>`;
}

function wordsOf(field: Json): string {
  const parts = Array.isArray(field["allOf"]) ? field["allOf"] : [field];
  return parts.map((part: Json) => text(part, "description")).join("");
}

function errorsHtml(): string {
  const rows = Object.entries(errorCodes).map(([code, { sentence, retriable }]) => {
    const status = statusOfCode[code as keyof typeof errorCodes];
    return `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td>` +
      `<td>${escapeHtml(sentence)}</td><td>${retriable ? "may be tried again" : ""}</td></tr>`;
  });
  return `<section><h2>Failures</h2><p>Every failure is <span class="type">` +
    `application/problem+json</span> with one of these codes.</p>` +
    `<table>${rows.join("")}</table></section>`;
}

function schemasHtml(document: Json): string {
  const schemas = Object.entries(part(part(document, "components"), "schemas")).map(
    ([name, schema]) =>
      `<article id="schema-${escapeHtml(name)}"><h3>${escapeHtml(name)}</h3>` +
      `<p>${text(schema as Json, "description")}</p>${kindHtml(schema as Json)}</article>`,
  );
  return `<section><h2>Shapes</h2>${schemas.join("")}</section>`;
}

function part(holder: Json, name: string): Json {
  const value = holder[name];
  return typeof value === "object" && value !== null ? value as Json : {};
}

function text(holder: Json, name: string): string {
  const value = holder[name];
  return typeof value === "string" ? escapeHtml(value) : "";
}

function escapeHtml(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { border-bottom: 1px solid; margin-top: 3rem; }
article { margin: 1.5rem 0; }
h3 { margin-bottom: 0.25rem; }
p { margin: 0.25rem 0; }
.method { font-size: 0.8em; padding: 0.1em 0.5em; border: 1px solid; border-radius: 0.3em; }
.type { font-style: italic; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
td { padding: 0.15rem 1rem 0.15rem 0; vertical-align: top; }
:target { background: Highlight; color: HighlightText; }
`;
