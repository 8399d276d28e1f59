/** Owns the name server's keys and values: small configuration that clients keep here. @module */
import { limits } from "../../src/base/limits.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";

/** The broker's own namespaces begin so; clients can neither read nor write them. */
const ownPrefix = "\u0000";
/** Where the wishes of groups are kept. */
export const groupFiltersNamespace = `${ownPrefix}filters`;
/** Where the readers of broadcast groups are kept. */
export const readersNamespace = `${ownPrefix}readers`;

/** Keys and values by namespace, within their bounds. */
export class OwnsKeyValues {
  readonly #store: MetaStore;

  constructor(store: MetaStore) {
    this.#store = store;
  }

  get(namespace: string, key: string): string | null {
    checkForeign(namespace);
    return this.#store.keyValue(namespace, key);
  }

  list(namespace: string): Readonly<Record<string, string>> {
    checkForeign(namespace);
    return this.#store.keyValues(namespace);
  }

  /** `null` deletes. @throws {BrokerError} `invalid_argument`, `limit_exceeded`. */
  put(namespace: string, key: string, value: string | null): void {
    checkLength("namespace", namespace, 1, limits.keyLengthInNamespaceMax);
    checkForeign(namespace);
    checkLength("key", key, 1, limits.keyLengthInNamespaceMax);
    if (value !== null) {
      checkLength("value", value, 0, limits.keyValueLengthMax);
      const isNew = this.#store.keyValue(namespace, key) === null;
      if (isNew && this.#store.keyValueCount() >= limits.keyValuesMax) {
        throw new BrokerError(
          "limit_exceeded",
          `Cannot keep another key: there are ${limits.keyValuesMax} already`,
        );
      }
    }
    this.#store.putKeyValue(namespace, key, value);
  }
}

function checkForeign(namespace: string): void {
  if (!namespace.startsWith(ownPrefix)) return;
  throw new BrokerError(
    "no_permission",
    "Cannot use this namespace: the broker keeps it for itself",
  );
}

function checkLength(what: string, text: string, min: number, max: number): void {
  if (text.length >= min && text.length <= max) return;
  throw new BrokerError(
    "invalid_argument",
    `Cannot keep a ${what} of ${text.length} characters: it needs ${min} to ${max}`,
  );
}
