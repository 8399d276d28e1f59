/** The three kinds of failure that are not bugs. @module */
import { type ErrorCode, errorCodes } from "./error_codes.ts";

/**
 * A request that cannot be fulfilled. The message says what was attempted, why not, what was found.
 */
export class BrokerError extends Error {
  override readonly name: string = "BrokerError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message?: string, options?: ErrorOptions) {
    super(message ?? errorCodes[code].sentence, options);
    this.code = code;
  }
}

/** A peer broke its protocol. The connection answers in its own form, or closes. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** What a failed commit says of the store. `full`: nothing was written, try again with room. */
export type StorageFault = "full" | "io" | "damaged";

/** The store refused. On `io` and `damaged` the shard stops acknowledging until it is re-opened. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly fault: StorageFault;

  constructor(fault: StorageFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Anything thrown, as a `BrokerError`: what a caller can be told without inner details. */
export function asBrokerError(thrown: unknown): BrokerError {
  if (thrown instanceof BrokerError) return thrown;
  if (thrown instanceof StorageError) {
    const code = thrown.fault === "full"
      ? "disk_full"
      : thrown.fault === "damaged"
      ? "storage_damaged"
      : "storage_failed";
    return new BrokerError(code, thrown.message, { cause: thrown });
  }
  return new BrokerError("internal", undefined, { cause: thrown });
}
