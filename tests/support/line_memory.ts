/** Chunks as a load's line hands them out: the memory is the line's. @module */
import { Buffer } from "node:buffer";

/** Pushes a copy of the chunk, and writes over it when the reader has returned. */
export function pushFromLine(reader: { push(chunk: Buffer): void }, chunk: Buffer): void {
  const memory = Buffer.from(chunk);
  reader.push(memory);
  memory.fill(0x3f);
}
