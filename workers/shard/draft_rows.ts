/**
 * Messages a turn puts aside instead of into the log: delayed ones and halves of transactions. What
 * the turn has decided so far stands before what the store says, so that two requests of one turn
 * see each other as they would in two.
 *
 * @module
 */
import type { DelayedRow, HalfRow, ShardStore } from "../../src/ports/shard_store.ts";

/** A delayed row before it has its number. */
export type NewDelayedRow = Omit<DelayedRow, "id">;

/** The rows with a due time that one turn writes and deletes; gone with its draft. */
export class DraftRows {
  readonly #store: ShardStore;
  readonly #puts = new Map<number, DelayedRow>();
  readonly #deletes = new Set<number>();
  readonly #halves = new Map<number, HalfRow>();
  /** Asked of the store when the first one is needed: most turns need none. */
  #nextDelayedId: number | null = null;
  #nextHalfId: number | null = null;

  constructor(store: ShardStore) {
    this.#store = store;
  }

  /** Whether rows with a due time come or go, or their time changes. */
  get changed(): boolean {
    return this.#puts.size > 0 || this.#deletes.size > 0 || this.#halves.size > 0;
  }

  /** How many rows the turn writes or deletes. */
  get count(): number {
    return this.#puts.size + this.#deletes.size + this.#halves.size;
  }

  /** The draft's part of the turn's record. */
  get writes() {
    return {
      delayedPuts: [...this.#puts.values()],
      delayedDeletes: [...this.#deletes],
      halfPuts: [...this.#halves.values()],
    };
  }

  /** Puts a message aside until it is due. */
  putDelayed(row: NewDelayedRow): void {
    const id = this.#nextDelayedId ?? this.#store.lastDelayedId() + 1;
    this.#nextDelayedId = id + 1;
    this.#puts.set(id, { ...row, id });
  }

  /** Takes a delayed message away: it was called off, moved, or became visible. */
  deleteDelayed(row: DelayedRow): void {
    // A row of this very turn was never stored.
    if (!this.#puts.delete(row.id)) this.#deletes.add(row.id);
  }

  /** Whether the turn has taken the row away. */
  isDeleted(id: number): boolean {
    return this.#deletes.has(id);
  }

  /** The pending timer of this message in one of the queues. */
  timerById(queueKeys: readonly number[], messageId: string): DelayedRow | null {
    const stored = this.#store.delayedById(queueKeys, messageId);
    return this.#newest(queueKeys, stored, (row) => row.messageId === messageId);
  }

  /** The pending timer with this key in one of the queues. */
  timerByKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null {
    const stored = this.#store.delayedByKey(queueKeys, timerKey);
    return this.#newest(queueKeys, stored, (row) => row.timerKey === timerKey);
  }

  /** A new half message's number. */
  newHalfId(): number {
    const id = this.#nextHalfId ?? this.#store.lastHalfId() + 1;
    this.#nextHalfId = id + 1;
    return id;
  }

  /** Writes a half message, new or changed. */
  putHalf(row: HalfRow): void {
    this.#halves.set(row.id, row);
  }

  /** @throws {StorageError} `damaged`: the row does not match its checksum. */
  half(id: number): HalfRow | null {
    return this.#halves.get(id) ?? this.#store.half(id);
  }

  #newest(
    queueKeys: readonly number[],
    stored: DelayedRow | null,
    wanted: (row: DelayedRow) => boolean,
  ): DelayedRow | null {
    for (const row of this.#puts.values()) {
      if (row.kind === "timer" && queueKeys.includes(row.queueKey) && wanted(row)) return row;
    }
    // A retry keeps its message's id, but nobody who sends may touch it.
    return stored?.kind === "timer" && !this.#deletes.has(stored.id) ? stored : null;
  }
}
