/**
 * A keep-alive HTTP/1.1 connection with nothing between it and the socket: requests are made ready
 * beforehand, and answers are read only as far as a load needs.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Address, Line } from "./sockets.ts";

/** An answer: its status, and its body, a view that is valid until the listener returns. */
export type HttpAnswer = { readonly status: number; readonly body: Buffer };

/** A request ready to be written. */
export function httpRequest(
  address: Address,
  method: string,
  path: string,
  body: string | Uint8Array,
): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : Buffer.from(body);
  const type = bytes.length > 0 ? "content-type: application/json\r\n" : "";
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${address.host}:${address.port}\r\n` +
    `${type}content-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

/** What a head says: its status, and how long the body is; `undefined`: it comes in chunks. */
type Head = { readonly status: number; readonly bodyBytes: number | undefined };

const noBytes = Buffer.alloc(0);

/**
 * Takes answers out of chunks: `content-length` and chunked bodies.
 *
 * A head is mostly the one before once more, byte by byte, and is then not read again: a load that
 * works for each answer takes time from the broker it measures.
 */
export class HttpAnswerReader {
  readonly #listener: (answer: HttpAnswer) => void;
  #rest: Buffer | undefined;
  /** The last head with its empty line, and what it says. */
  #headBytes: Buffer = noBytes;
  #head: Head = { status: 0, bodyBytes: undefined };

  constructor(listener: (answer: HttpAnswer) => void) {
    this.#listener = listener;
  }

  /** @throws {Error} This is no HTTP answer. */
  push(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (at < bytes.length) {
      const end = this.#readOne(bytes, at);
      if (end === undefined) break;
      at = end;
    }
    // A copy: the memory of a chunk is its line's.
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }

  /** Where the answer at `at` ends; `undefined` if it is not all there. */
  #readOne(bytes: Buffer, at: number): number | undefined {
    if (!this.#isSameHead(bytes, at) && !this.#readHead(bytes, at)) return undefined;
    const { status, bodyBytes } = this.#head;
    const bodyAt = at + this.#headBytes.length;
    if (bodyBytes === undefined) return this.#readChunks(bytes, bodyAt, status);
    const end = bodyAt + bodyBytes;
    if (end > bytes.length) return undefined;
    this.#listener({ status, body: bytes.subarray(bodyAt, end) });
    return end;
  }

  #isSameHead(bytes: Buffer, at: number): boolean {
    const known = this.#headBytes;
    if (known.length === 0 || bytes.length - at < known.length) return false;
    for (let index = 0; index < known.length; index++) {
      if (bytes[at + index] !== known[index]) return false;
    }
    return true;
  }

  /** Reads the head at `at`. False: it is not all there. */
  #readHead(bytes: Buffer, at: number): boolean {
    const end = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (end === -1) return false;
    const text = bytes.toString("latin1", at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
    if (!status) throw new Error(`This is no HTTP answer: ${text.slice(0, 80)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    const inChunks = length === undefined && /\r\ntransfer-encoding: *chunked/i.test(text);
    this.#headBytes = Buffer.from(bytes.subarray(at, end + 4));
    this.#head = { status, bodyBytes: inChunks ? undefined : Number(length ?? 0) };
    return true;
  }

  #readChunks(bytes: Buffer, bodyAt: number, status: number): number | undefined {
    const parts: Buffer[] = [];
    for (let at = bodyAt;;) {
      const lineEnd = bytes.indexOf("\r\n", at, "latin1");
      if (lineEnd === -1) return undefined;
      const size = parseInt(bytes.toString("latin1", at, lineEnd), 16);
      if (Number.isNaN(size)) throw new Error("A chunk of an HTTP answer has no size");
      const end = lineEnd + 2 + size;
      if (end + 2 > bytes.length) return undefined;
      if (size === 0) {
        this.#listener({ status, body: parts.length === 1 ? parts[0]! : Buffer.concat(parts) });
        return end + 2;
      }
      parts.push(bytes.subarray(lineEnd + 2, end));
      at = end + 2;
    }
  }
}

type Waiting = {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
};

/** One connection. Requests are answered in their order. The owner bounds how many wait. */
export class HttpConnection {
  readonly #line: Line;
  readonly #waiting: Waiting[] = [];
  #closed: Error | undefined;

  constructor(line: Line) {
    this.#line = line;
    const reader = new HttpAnswerReader(({ status, body }) =>
      this.#waiting.shift()?.resolve({ status, body: Buffer.from(body) })
    );
    line.listen({
      onData: (chunk) => reader.push(chunk),
      onEnd: (reason) => this.#fail(new Error(reason)),
    });
  }

  /** Sends a request made by `httpRequest`. @throws {Error} The connection ended first. */
  ask(request: Buffer): Promise<HttpAnswer> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#line.write(request);
    });
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
