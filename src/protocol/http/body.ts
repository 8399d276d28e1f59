/**
 * Request bodies, read within a bound, which holds for compressed ones before and after they are
 * decompressed. A body that is too long is refused before it is kept; one that comes too slowly is
 * cut off with its connection.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { HeaderReader, RequestInfo } from "../../ports/http.ts";
import { decodedBody } from "./coding.ts";

/** A client on a line as slow as this is waited for. */
const slowestBytesPerMs = 16;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });
/** Writes U+FFFD for what is no UTF-8. Deno makes ASCII of it, which is parsed faster. */
const looseUtf8 = new TextDecoder("utf-8");

/** What of an exchange tells of its body. */
type Asked = {
  readonly request: Request;
  readonly headers: HeaderReader;
  readonly info: RequestInfo;
};

/**
 * The whole body; at once, if it came with the head.
 *
 * @throws {BrokerError} `message_too_large`: longer than `limits.httpBodyBytesMax`;
 *   `invalid_argument`: it ended early, or cannot be decompressed; `not_supported`: its coding.
 */
export function bodyBytes(asked: Asked): Uint8Array | Promise<Uint8Array> {
  return wholeBody(asked, (bytes) => bytes);
}

/**
 * The body as text; at once, if it came with the head.
 *
 * @throws {BrokerError} As `bodyBytes`; `invalid_argument`: it is not UTF-8.
 */
export function bodyText(asked: Asked): string | Promise<string> {
  return wholeBody(asked, strictText);
}

/** Not an `async` function, and with one promise at most: every send over HTTP comes by here. */
function wholeBody<T>(
  { request, headers, info }: Asked,
  read: (bytes: Uint8Array) => T,
): T | Promise<T> {
  const declared = headers.get("content-length");
  if (declared !== null) checkDeclared(declared);
  // The server cuts the body at the declared length, so it is bounded already.
  const isPlain = declared !== null && headers.get("content-encoding") === null;
  const arrived = isPlain ? info.bodyAtOnce(request) : null;
  if (arrived !== null) return read(arrived);
  const bytesMax = declared === null ? limits.httpBodyBytesMax : Number(declared);
  info.bodyWithin(limits.httpBodyMsMax + bytesMax / slowestBytesPerMs);
  const body = isPlain ? request.arrayBuffer() : collect(request);
  return body.then(
    (bytes: Uint8Array | ArrayBuffer) => {
      info.bodyWithin(0);
      return read(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
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

function strictText(bytes: Uint8Array): string {
  try {
    const text = looseUtf8.decode(bytes);
    // It may stand for bytes that are no UTF-8, or be what the client wrote.
    return text.includes("\ufffd") ? strictUtf8.decode(bytes) : text;
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
function checkDeclared(declared: string): void {
  if (Number(declared) <= limits.httpBodyBytesMax) return;
  throw tooLong(`${declared.slice(0, 20)} bytes are announced`);
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
