/**
 * Request bodies that came compressed (`Content-Encoding`), as the bytes they stand for.
 *
 *     body ──▶ slices of 1 KiB ──▶ decompression ──▶ a chunk at a time, when the reader asks
 *
 * A slice cannot become more than some 1 MiB, and the next one waits for the reader: who counts the
 * bytes that come, and stops, has not decompressed more than that beyond its bound.
 *
 * @module
 */
import { BrokerError } from "../../model/errors.ts";
import { ProblemError } from "./problem.ts";

/** Bytes decompressed in one step: deflate makes at most 1,032 of one. */
const sliceBytes = 1024;

/** The names of HTTP to those of the decompressor. `deflate` means zlib's format (RFC 9110). */
const formats: Readonly<Record<string, "gzip" | "deflate">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/**
 * The body as its sender meant it; without a coding, as it came.
 *
 * @throws {ProblemError} `not_supported`, 415: another coding than gzip and deflate, or several.
 *   The stream fails with `BrokerError` `invalid_argument` when it cannot be decompressed.
 */
export function decodedBody({ body, headers }: Request): ReadableStream<Uint8Array> | null {
  const coding = headers.get("content-encoding");
  if (coding === null || coding === "" || coding.toLowerCase() === "identity") return body;
  const format = formats[coding.toLowerCase()];
  if (format === undefined) throw notTaken(coding);
  return body === null ? null : decoded(body, format);
}

function notTaken(coding: string): ProblemError {
  const shown = JSON.stringify(coding.slice(0, 60));
  return new ProblemError(
    "not_supported",
    `Cannot read a body with Content-Encoding ${shown}: gzip and deflate are taken, one of them`,
    {},
    { status: 415, headers: [["accept-encoding", "gzip, deflate"]] },
  );
}

type Decompressor = ReadableWritablePair<Uint8Array, Uint8Array>;

function decoded(
  body: ReadableStream<Uint8Array>,
  format: "gzip" | "deflate",
): ReadableStream<Uint8Array> {
  const reader = body
    .pipeThrough(sliced())
    .pipeThrough(new DecompressionStream(format) as Decompressor)
    .getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        const message = `Cannot read the body: it is no whole ${format}, or the connection ended`;
        controller.error(new BrokerError("invalid_argument", message, { cause }));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function sliced(): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += sliceBytes) {
        controller.enqueue(chunk.subarray(at, at + sliceBytes));
      }
    },
  });
}
