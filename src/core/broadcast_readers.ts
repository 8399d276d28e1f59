/**
 * The readers of broadcast groups: each client has a place of its own in every queue, under a key
 * of its own, as a group has.
 *
 *     join ──▶ reader ──not heard for `keptMs`, or its group deleted──▶ gone ──dropped──▶ forgotten
 *
 * A reader that is gone keeps its key until every shard has dropped its places; should the client
 * come back, it is a new reader. Pure: the caller passes the time in and stores what changed.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";

/** How long the places of a client that does not come are kept. */
export const keptMs = 7 * 24 * 3_600_000;

/** One client of one group. `isGone`: its places are being dropped. */
export type Reader = {
  readonly readerKey: number;
  readonly group: string;
  readonly clientId: string;
  readonly heardMs: number;
  readonly isGone: boolean;
};

/** All readers. Bounded by `limits.broadcastReadersMax`, those that are gone included. */
export class BroadcastReaders {
  readonly #readers = new Map<number, Reader>();
  readonly #keys = new Map<string, number>();

  /** `stored`: as they were put before. */
  constructor(stored: Iterable<Reader>) {
    for (const reader of stored) this.put(reader);
  }

  /** The reader of this name that is not gone. */
  find(group: string, clientId: string): Reader | undefined {
    return this.#readers.get(this.#keys.get(nameOf(group, clientId)) ?? -1);
  }

  /** The readers of a group that are not gone. */
  of(group: string): Reader[] {
    return [...this.#readers.values()].filter((one) => one.group === group && !one.isGone);
  }

  /** Of all readers, whether gone or not. */
  keys(): number[] {
    return [...this.#readers.keys()];
  }

  /** Those whose places are to be dropped. */
  gone(): Reader[] {
    return [...this.#readers.values()].filter(({ isGone }) => isGone);
  }

  /** @throws {BrokerError} `limit_exceeded`. */
  checkRoom(group: string): void {
    const max = limits.broadcastReadersMax;
    if (this.#readers.size < max) return;
    throw new BrokerError(
      "limit_exceeded",
      `Cannot give another client of group "${group}" its own place: ${max} clients have one`,
    );
  }

  /** Remembers a reader that is new or changed, once it is stored. */
  put(reader: Reader): void {
    this.#readers.set(reader.readerKey, reader);
    const name = nameOf(reader.group, reader.clientId);
    if (!reader.isGone) this.#keys.set(name, reader.readerKey);
    else if (this.#keys.get(name) === reader.readerKey) this.#keys.delete(name);
  }

  /** Those that were not heard for too long. */
  silent(nowMs: number): Reader[] {
    return [...this.#readers.values()]
      .filter(({ heardMs, isGone }) => !isGone && nowMs - heardMs >= keptMs);
  }

  /** Every shard has dropped its places. */
  forget(readerKey: number): void {
    assert(this.#readers.get(readerKey)?.isGone !== false, "only who is gone is forgotten");
    this.#readers.delete(readerKey);
  }
}

function nameOf(group: string, clientId: string): string {
  return `${group}\n${clientId}`;
}
