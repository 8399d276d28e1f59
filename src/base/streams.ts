/**
 * The part of JSR's `@std/streams` that is used here, with the same names and signatures. The
 * import maps point `@std/streams` at this file because JSR cannot be reached from every machine
 * this is built on; where it can, the line in `deno.json` may read `jsr:@std/streams@^1` instead.
 *
 * @module
 */

/** How `TextLineStream` parts lines. */
export interface TextLineStreamOptions {
  /** Whether a lone `\r` ends a line too. */
  allowCR?: boolean;
}

/** Text in pieces → its lines, without their ends (`\n` or `\r\n`). A last line needs no end. */
export class TextLineStream {
  readonly readable: ReadableStream<string>;
  readonly writable: WritableStream<string>;

  constructor(options: TextLineStreamOptions = {}) {
    const { allowCR = false } = options;
    let rest = "";
    const { readable, writable } = new TransformStream<string, string>({
      transform(chunk, controller) {
        // Only the new piece is searched: a line that comes in many pieces is not read again and
        // again. A "\r" held back may be half of a "\r\n".
        const searchFrom = Math.max(0, rest.length - 1);
        const text = rest + chunk;
        let start = 0;
        for (let at = nextEnd(text, searchFrom, allowCR); at !== -1;) {
          if (text[at] === "\r" && at + 1 === text.length) break;
          const isPair = text[at] === "\r" && text[at + 1] === "\n";
          const isEndPair = text[at] === "\n" && at > start && text[at - 1] === "\r";
          controller.enqueue(text.slice(start, isEndPair ? at - 1 : at));
          start = at + (isPair ? 2 : 1);
          at = nextEnd(text, start, allowCR);
        }
        rest = text.slice(start);
      },
      flush(controller) {
        if (allowCR && rest.endsWith("\r")) rest = rest.slice(0, -1);
        if (rest !== "") controller.enqueue(rest);
      },
    });
    this.readable = readable;
    this.writable = writable;
  }
}

/** What a `LimitedBytesTransformStream` does above its size. */
export interface LimitedBytesTransformStreamOptions {
  /** Fail instead of ending early. */
  error?: boolean;
}

/** Passes chunks on up to `size` bytes; then it ends, or fails with a `RangeError` if told so. */
export class LimitedBytesTransformStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;

  constructor(size: number, options: LimitedBytesTransformStreamOptions = {}) {
    const { error = false } = options;
    let read = 0;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (read + chunk.byteLength <= size) {
          read += chunk.byteLength;
          controller.enqueue(chunk);
        } else if (error) {
          throw new RangeError(`Exceeded byte size limit of '${size}'`);
        } else controller.terminate();
      },
    });
    this.readable = readable;
    this.writable = writable;
  }
}

/** The whole stream as one buffer. */
export async function toArrayBuffer(stream: ReadableStream<Uint8Array>): Promise<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.byteLength;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes.buffer;
}

function nextEnd(text: string, from: number, allowCR: boolean): number {
  const newline = text.indexOf("\n", from);
  if (!allowCR) return newline;
  const carriage = text.indexOf("\r", from);
  return carriage === -1 ? newline : newline === -1 ? carriage : Math.min(carriage, newline);
}
