/**
 * A keep-alive HTTP/1.1 connection with nothing between it and the socket: requests are made ready
 * beforehand, and answers are read only as far as a load needs.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type Address, listen } from "./sockets.ts";

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

/**
 * Takes answers out of chunks: `content-length` and chunked bodies.
 */
export class HttpAnswerReader {
  readonly #listener: (answer: HttpAnswer) => void;
  #rest: Buffer | undefined;

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
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }

  /** Where the answer at `at` ends; `undefined` if it is not all there. */
  #readOne(bytes: Buffer, at: number): number | undefined {
    const headEnd = bytes.indexOf("\r\n\r\n", at, "latin1");
    if (headEnd === -1) return undefined;
    const head = bytes.toString("latin1", at, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    if (!status) throw new Error(`This is no HTTP answer: ${head.slice(0, 80)}`);
    const bodyAt = headEnd + 4;
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      const end = bodyAt + Number(length);
      if (end > bytes.length) return undefined;
      this.#listener({ status, body: bytes.subarray(bodyAt, end) });
      return end;
    }
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      return this.#readChunks(bytes, bodyAt, status);
    }
    this.#listener({ status, body: bytes.subarray(bodyAt, bodyAt) });
    return bodyAt;
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
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #closed: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new HttpAnswerReader(({ status, body }) =>
      this.#waiting.shift()?.resolve({ status, body: Buffer.from(body) })
    );
    listen(socket, {
      onData: (chunk) => {
        try {
          reader.push(chunk);
        } catch (thrown) {
          this.#fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
          socket.destroy();
        }
      },
      onEnd: (reason) => this.#fail(new Error(reason)),
    });
  }

  /** Sends a request made by `httpRequest`. @throws {Error} The connection ended first. */
  ask(request: Buffer): Promise<HttpAnswer> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(request);
    });
  }

  #fail(error: Error): void {
    this.#closed ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
