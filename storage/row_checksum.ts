/**
 * Checksums of small rows. SQLite's pages carry none, and a flipped bit in a minimum or in a
 * group's offset would hide messages without a trace.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { StorageError } from "../src/model/errors.ts";

const numbersMax = 16;
const buffer = new Float64Array(numbersMax);
const bytes = new Uint8Array(buffer.buffer);
const views = Array.from({ length: numbersMax + 1 }, (_, count) => bytes.subarray(0, count * 8));
const nothing: Uint8Array = new Uint8Array(0);

/**
 * Over up to sixteen numbers, a text and a blob. `null` is told from every number. Several texts go
 * in as one, with their lengths among the numbers.
 */
export function rowChecksum(
  numbers: readonly (number | null)[],
  blob = nothing,
  text = "",
): number {
  for (let at = 0; at < numbers.length; at++) buffer[at] = numbers[at] ?? NaN;
  const sum = crc32(views[numbers.length] ?? bytes);
  return crc32(blob, text === "" ? sum : crc32(text, sum));
}

/** @throws {StorageError} `damaged`: `what` does not match its checksum. */
export function assertRow(
  checksum: number,
  numbers: readonly (number | null)[],
  what: string,
  blob?: Uint8Array,
  text?: string,
): void {
  if (rowChecksum(numbers, blob, text) === checksum) return;
  throw new StorageError("damaged", `Cannot trust ${what}: it does not match its checksum`);
}
