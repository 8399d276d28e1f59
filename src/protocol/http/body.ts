/**
 * Request bodies, read within a bound, which holds for compressed ones before and after they are
 * decompressed. A body that is too long is refused before it is kept; one that comes too slowly is
 * cut off with its connection.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { RequestInfo } from "../../ports/http.ts";
import { decodedBody } from "./coding.ts";

/** A client on a line as slow as this is waited for. */
const slowestBytesPerMs = 16;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** What of an exchange tells of its body. */
type Asked = { readonly request: Request; readonly info: RequestInfo };

/**
 * The whole body.
 *
 * @throws {BrokerError} `message_too_large`: longer than `limits.httpBodyBytesMax`;
 *   `invalid_argument`: it ended early, or cannot be decompressed; `not_supported`: its coding.
 */
export function bodyBytes(asked: Asked): Promise<Uint8Array> {
  return wholeBody(asked, (bytes) => bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
}

/**
 * The body as text.
 *
 * @throws {BrokerError} As `bodyBytes`; `invalid_argument`: it is not UTF-8.
 */
export function bodyText(asked: Asked): Promise<string> {
  return wholeBody(asked, strictText);
}

/** Not an `async` function, and with one promise: every send over HTTP waits here. */
function wholeBody<T>(
  { request, info }: Asked,
  read: (bytes: Uint8Array | ArrayBuffer) => T,
): Promise<T> {
  const { headers } = request;
  const declared = headers.get("content-length");
  if (declared !== null && isTooLong(declared)) return Promise.reject(tooLongAs(declared));
  const bytesMax = declared === null ? limits.httpBodyBytesMax : Number(declared);
  info.bodyWithin(limits.httpBodyMsMax + bytesMax / slowestBytesPerMs);
  // The server cuts the body at the declared length, so it is bounded already.
  const isPlain = declared !== null && headers.get("content-encoding") === null;
  const body = isPlain ? request.arrayBuffer() : collect(request);
  return body.then(
    (bytes: Uint8Array | ArrayBuffer) => {
      info.bodyWithin(0);
      return read(bytes);
    },
    (thrown: unknown) => {
      info.bodyWithin(0);
      if (thrown instanceof BrokerError) throw thrown;
      // Who went away in the middle made the mistake, not the broker: it is no failure to be
      // logged.
      const message = "Cannot read the body: the connection ended before it was complete";
      throw new BrokerError("invalid_argument", message, { cause: thrown });
    },
  );
}

function strictText(bytes: Uint8Array | ArrayBuffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    throw new BrokerError("invalid_argument", "Cannot read the body: it is not valid UTF-8");
  }
}

/** A text as the JSON it is. @throws {BrokerError} `invalid_argument`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.slice(0, 200) : "it cannot be parsed";
    throw new BrokerError("invalid_argument", `Cannot read the body as JSON: ${why}`);
  }
}

/** Refuses a declared length beyond the bound. @throws {BrokerError} `message_too_large`. */
export function checkDeclared(declared: string): void {
  if (isTooLong(declared)) throw tooLongAs(declared);
}

/** Whether a declared length is beyond the bound, or none. */
function isTooLong(declared: string): boolean {
  return !(Number(declared) <= limits.httpBodyBytesMax);
}

function tooLongAs(declared: string): BrokerError {
  return tooLong(`${declared.slice(0, 20)} bytes are announced`);
}

async function collect(request: Request): Promise<Uint8Array> {
  const body = decodedBody(request);
  if (body === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.length;
    // Leaving the loop cancels the stream: what is still on its way is not read.
    if (total > limits.httpBodyBytesMax) throw tooLong(`${total} bytes came so far`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLong(found: string): BrokerError {
  return new BrokerError(
    "message_too_large",
    `Cannot read the body: at most ${limits.httpBodyBytesMax} bytes are taken, ${found}`,
  );
}
