/**
 * Bytes → lines, exactly: what stands between two `\n`, whatever it is. An empty line is a line, a
 * `\r` belongs to its line, and the last line needs no end.
 *
 * @module
 */
import { UsageError } from "../failure.ts";
import { showBytes } from "../units.ts";

const lineFeed = 0x0a;

/**
 * The lines of `chunks`, as many at a time as a chunk completes, so that a sender can send what has
 * come without waiting for more. Lines are views on the chunks where they do not cross a border.
 *
 * @throws {UsageError} A line is longer than `lineBytesMax`; it is not buffered further.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<readonly Uint8Array[]> {
  let linesSeen = 0;
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  for await (const chunk of chunks) {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
      const last = chunk.subarray(from, end);
      checkLength(partBytes + last.length, linesSeen + lines.length + 1, lineBytesMax);
      lines.push(parts.length === 0 ? last : join([...parts, last], partBytes + last.length));
      parts = [];
      partBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      partBytes += chunk.length - from;
    }
    // The complete lines first: they can be sent whatever becomes of the one that is too long.
    linesSeen += lines.length;
    if (lines.length > 0) yield lines;
    checkLength(partBytes, linesSeen + 1, lineBytesMax);
  }
  if (partBytes > 0) yield [join(parts, partBytes)];
}

function checkLength(bytes: number, line: number, lineBytesMax: number): void {
  if (bytes <= lineBytesMax) return;
  throw new UsageError(
    `Line ${line} is longer than a message may be (${showBytes(lineBytesMax)}); ` +
      `what came before it is sent.`,
  );
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
