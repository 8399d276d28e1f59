/**
 * What Deno keeps of a request, taken without the turns that the web's ways to it make.
 *
 * `request.bytes()` waits over three turns of promises for what is there already, and `Headers`
 * checks each name it is asked for: both together cost a small send an eighth of the front's time.
 * Deno's ways are behind symbols of its own, and not documented: where they are not found as
 * expected, everything is read as everywhere else.
 *
 * @module
 */
import type { HeaderReader } from "../../ports/http.ts";

/** A stream, or bytes, and whether they were taken. */
type InnerBody = {
  readonly streamOrStatic?: { readonly body?: unknown; readonly consumed?: unknown };
  consume(): unknown;
};
type HeaderPair = readonly [name: string, value: string];

const bodyKey = keyNamed(Request.prototype, "body");
const innerBody: ((this: Request) => InnerBody | null) | undefined = bodyKey === undefined
  ? undefined
  : Object.getOwnPropertyDescriptor(Request.prototype, bodyKey)?.get;

/** The whole body, taken; `null`: it is not all there, or not to be had this way. */
export function arrivedBody(request: Request): Uint8Array | null {
  const inner = innerBody?.call(request) ?? null;
  const kept = inner?.streamOrStatic;
  if (!(kept?.body instanceof Uint8Array) || kept.consumed !== false) return null;
  inner?.consume();
  return kept.body;
}

/** The key of what a server's request is made around; looked for in the first one. */
let requestKey: symbol | undefined;

/** The request's headers. */
export function arrivedHeaders(request: Request): HeaderReader {
  const pairs = headerPairs(request);
  return pairs === null ? request.headers : new PlainHeaders(pairs);
}

function headerPairs(request: Request): readonly HeaderPair[] | null {
  requestKey ??= keyNamed(request, "request");
  if (requestKey === undefined) return null;
  const inner: unknown = Reflect.get(request, requestKey);
  if (typeof inner !== "object" || inner === null) return null;
  const pairs: unknown = Reflect.get(inner, "headerList");
  return Array.isArray(pairs) ? pairs : null;
}

/** Headers as the client wrote them. */
class PlainHeaders implements HeaderReader {
  readonly #pairs: readonly HeaderPair[];

  constructor(pairs: readonly HeaderPair[]) {
    this.#pairs = pairs;
  }

  get(name: string): string | null {
    let value: string | null = null;
    for (const pair of this.#pairs) {
      if (isSameName(pair[0], name)) value = value === null ? pair[1] : `${value}, ${pair[1]}`;
    }
    return value;
  }

  has(name: string): boolean {
    for (const pair of this.#pairs) if (isSameName(pair[0], name)) return true;
    return false;
  }
}

/** `name` is in lower case; most clients write it so, or differ in length. */
function isSameName(written: string, name: string): boolean {
  return written.length === name.length && (written === name || written.toLowerCase() === name);
}

function keyNamed(of: object, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(of).find(({ description }) => description === name);
}
