/**
 * Owns the readers of broadcast groups: who has places of his own, and since when he is silent.
 *
 * @module
 */
import { BroadcastReaders, type Reader } from "../../src/core/broadcast_readers.ts";
import type { CoordinatorNews } from "../../src/link/coordinator_messages.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import { readersNamespace } from "./owns_key_values.ts";

/** Every write is a flush: a reader that is heard all the time is written this often. */
const writeAgainMs = 3_600_000;

/** What the owner is made of. */
export type OwnsReadersParts = {
  readonly store: MetaStore;
  /** A number no group and no reader had before. */
  readonly newKey: () => number;
  readonly tell: (news: CoordinatorNews) => void;
};

/** The readers, in memory and in the store alike. */
export class OwnsReaders {
  readonly #parts: OwnsReadersParts;
  readonly #readers: BroadcastReaders;

  constructor(parts: OwnsReadersParts) {
    this.#parts = parts;
    const stored = Object.values(parts.store.keyValues(readersNamespace));
    this.#readers = new BroadcastReaders(stored.map((text) => JSON.parse(text) as Reader));
  }

  /** The key of a client's places; a new one for a client that is new. @throws `limit_exceeded` */
  join(group: string, clientId: string, nowMs: number): number {
    const known = this.#readers.find(group, clientId);
    if (known !== undefined) {
      if (nowMs - known.heardMs >= writeAgainMs) this.#put({ ...known, heardMs: nowMs });
      return known.readerKey;
    }
    this.#readers.checkRoom(group);
    const readerKey = this.#parts.newKey();
    this.#put({ readerKey, group, clientId, heardMs: nowMs, isGone: false });
    return readerKey;
  }

  /** Of all readers, those included whom some shard may not have dropped yet. */
  keys(): number[] {
    return this.#readers.keys();
  }

  forgetGroup(group: string): void {
    for (const reader of this.#readers.of(group)) this.#put({ ...reader, isGone: true });
    this.#tellGone();
  }

  /** Lets go of who is silent for long, and tells again of whom the shards have not dropped yet. */
  sweep(nowMs: number): void {
    for (const reader of this.#readers.silent(nowMs)) this.#put({ ...reader, isGone: true });
    this.#tellGone();
  }

  /** Every shard has dropped the places of these. */
  dropped(readerKeys: readonly number[]): void {
    for (const { readerKey } of this.#readers.gone()) {
      if (!readerKeys.includes(readerKey)) continue;
      this.#parts.store.putKeyValue(readersNamespace, String(readerKey), null);
      this.#readers.forget(readerKey);
    }
  }

  #tellGone(): void {
    const readerKeys = this.#readers.gone().map(({ readerKey }) => readerKey);
    if (readerKeys.length > 0) this.#parts.tell({ kind: "readers-gone", readerKeys });
  }

  #put(reader: Reader): void {
    const key = String(reader.readerKey);
    this.#parts.store.putKeyValue(readersNamespace, key, JSON.stringify(reader));
    this.#readers.put(reader);
  }
}
