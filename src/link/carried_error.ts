/**
 * An error on its way to another thread: code and sentence. Causes stay in the thread's log.
 *
 * @module
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import { isErrorCode } from "../model/error_codes.ts";
import { asBrokerError, BrokerError } from "../model/errors.ts";

/** Writes anything thrown as an error a caller can be told. */
export function writeError(writer: ByteWriter, thrown: unknown): void {
  const { code, message } = asBrokerError(thrown);
  writer.text32(code);
  writer.text32(message);
}

/** Reads what `writeError` wrote. */
export function readError(reader: ByteReader): BrokerError {
  const code = reader.text32();
  const message = reader.text32();
  return new BrokerError(isErrorCode(code) ? code : "internal", message);
}
