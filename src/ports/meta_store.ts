/**
 * The store of what belongs to no shard: topics, groups, keys and values. The coordinator owns it
 * and calls it directly. Every method that writes is durable, power loss included, on return.
 *
 * @module
 */
import type { RegistryChange, RegistryState } from "../model/registry.ts";

/** What opening the store yields once. */
export type MetaStart = {
  readonly registry: RegistryState;
  /** Signs receipts: made at the first start, the same ever after. */
  readonly receiptSecret: Uint8Array;
  /** How often the store was opened, this time included. */
  readonly bootEpoch: number;
};

/** @throws {StorageError} From every method: what was to be written is not, what was stays. */
export interface MetaStore {
  readonly start: MetaStart;
  /** Stores a change as a whole. */
  save(change: RegistryChange): void;
  keyValue(namespace: string, key: string): string | null;
  /** `null` deletes the key. */
  putKeyValue(namespace: string, key: string, value: string | null): void;
  keyValues(namespace: string): Readonly<Record<string, string>>;
  /** Keys of all namespaces. */
  keyValueCount(): number;
  /** Lets go of the file. */
  close(): void;
}
