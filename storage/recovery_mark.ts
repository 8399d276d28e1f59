/**
 * The mark: up to where the derived indexes are in the file, so that an opening replays only what
 * came later. It lags, since a write of it with every turn would cost more than it saves.
 *
 * @module
 */
import type { KeyIndex } from "./key_index.ts";
import type { QueueIndex } from "./queue_index.ts";
import type { MarkRow } from "./recovery.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";
import type { TurnLog } from "./turn_log.ts";

/** How far the mark may lag, so that it is not written with every turn. */
const lagMax = 16_384;
/** Messages, or bytes of them, behind the mark for which retention flushes the indexes early. */
const farMessagesMin = 16_384;
const farBytesMin = 16 * 1024 * 1024;

/** What the mark is made of, and what it tells of. */
export type MarkParts = {
  readonly client: SqliteClient;
  readonly mark: MarkRow;
  readonly log: TurnLog;
  readonly index: QueueIndex;
  readonly keys: KeyIndex;
};

/** The one row of `mark`, and its copy in memory. Writes belong into the caller's transaction. */
export class RecoveryMark {
  readonly #parts: MarkParts;
  readonly #put: SqliteStatement;
  #row: MarkRow;

  constructor(parts: MarkParts) {
    this.#parts = parts;
    this.#row = parts.mark;
    this.#put = parts.client.prepare(
      `UPDATE mark SET indexFrom = ?, keysFrom = ?, logBytes = ?, logBytesTo = ?,
        checksum = ?`,
    );
  }

  /** As it was written last. */
  get row(): MarkRow {
    return this.#row;
  }

  /** The transaction that wrote it failed: it is again what it was. */
  restore(row: MarkRow): void {
    this.#row = row;
  }

  /** What earlier turns flushed counts; this turn's flushes are not in `flushedTo` yet. */
  writeIfDue(nextPosition: number, logBytes: number): void {
    const { index, keys } = this.#parts;
    const moved = index.flushedTo(nextPosition) - this.#row.indexFrom;
    if (moved >= lagMax || keys.from > this.#row.keysFrom) this.write(logBytes, false);
  }

  /** `flushed`: everything that the indexes hold is in this transaction. */
  write(logBytes: number, flushed: boolean): void {
    const { index, keys, log: { nextPosition } } = this.#parts;
    const numbers = {
      shard: this.#row.shard,
      indexFrom: flushed ? nextPosition : index.flushedTo(nextPosition),
      keysFrom: flushed ? nextPosition : keys.from,
      logBytes,
      logBytesTo: nextPosition,
    };
    const { shard, indexFrom, keysFrom, logBytesTo } = numbers;
    const checksum = rowChecksum([shard, indexFrom, keysFrom, logBytes, logBytesTo]);
    this.#put.run(indexFrom, keysFrom, logBytes, logBytesTo, checksum);
    this.#row = { ...numbers, checksum };
  }

  /** Whether so much lies behind it that retention should not wait for it to move by itself. */
  get isFarBehind(): boolean {
    const { log } = this.#parts;
    const { indexFrom } = this.#row;
    return log.nextPosition - indexFrom >= farMessagesMin ||
      log.bytesFrom(indexFrom) >= farBytesMin;
  }
}
