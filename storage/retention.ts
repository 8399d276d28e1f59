/**
 * Trims queues and takes dead turns out of the log, in steps that fit between turns:
 *
 *     rules ──▶ a queue's minimum moves ──▶ its chunks go ──▶ turns with nothing alive go,
 *                                                             turns with little alive are rewritten
 *
 * The newest entry of a queue is never trimmed, so a queue's next offset can always be read back.
 * What recovery would index again, and the last turn of all, is left alone. A turn is verified
 * before it is deleted or rewritten: a flipped bit must not pass for a dead message.
 *
 * `step` runs inside a transaction and leaves memory alone; `settle` follows the commit.
 *
 * @module
 */
import type { RetentionRule } from "../src/ports/shard_store.ts";
import { KeyRetention } from "./key_retention.ts";
import { firstIndex } from "./queue_chunk.ts";
import type { QueueTail } from "./queue_tail.ts";
import type { MarkRow, Recovered } from "./recovery.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteStatement } from "./session.ts";
import { rewrittenBlobs, type Turn, turnChecksum, turnOf, type TurnRow } from "./turn_format.ts";

/** Queues looked at in one step. */
const queuesPerStep = 64;
/** Index chunks of one queue deleted in one step. */
const chunksPerStep = 64;
/** Turns looked at in one step. */
const turnsPerStep = 64;
/** Bytes of turns read whole in one step. */
const bytesPerStep = 8 * 1024 * 1024;

/** What a step did. `freedLogBytes`: the log's blobs are smaller by so much. */
export type RetentionStep = {
  readonly deletedMessages: number;
  readonly freedLogBytes: number;
  readonly writtenBytes: number;
  readonly more: boolean;
};

type Floors = (queueKey: number) => number | null;
type Minimum = { readonly tail: QueueTail; readonly offset: number; readonly bytes: number };
type Place = { rule: number; queue: number; share: number };

/** Retention of one shard. */
export class Retention {
  readonly #parts: Recovered;
  readonly #keys: KeyRetention;
  readonly #setMinimum: SqliteStatement;
  readonly #setDropped: SqliteStatement;
  readonly #deleteQueue: SqliteStatement;
  readonly #deleteChunks: SqliteStatement;
  readonly #deleteTurn: SqliteStatement;
  readonly #rewriteTurn: SqliteStatement;
  /** The queue looked at next. */
  #place: Place = { rule: 0, queue: 0, share: 0 };
  /** Where the walk through the log is; `null` between walks. */
  #scan: number | null = null;
  /**
   * Bytes trimmed since a walk began. After a start nobody knows: the first walk is due at once.
   */
  #trimmedBytes = Infinity;
  #minimums: Minimum[] = [];
  #forgotten: number[] = [];
  #blocked = false;
  #freed = 0;
  #written = 0;

  constructor(parts: Recovered) {
    const { client } = parts;
    this.#parts = parts;
    this.#keys = new KeyRetention(client, parts.log, parts.keys);
    this.#setMinimum = client.prepare(
      "UPDATE queue SET minOffset = ?, minBytes = ?, checksum = ? WHERE queueKey = ?",
    );
    this.#setDropped = client.prepare(
      `UPDATE queue SET minOffset = 0, minBytes = 0, droppedAt = ?, checksum = ?
       WHERE queueKey = ?`,
    );
    this.#deleteQueue = client.prepare("DELETE FROM queue WHERE queueKey = ?");
    this.#deleteChunks = client.prepare(
      `DELETE FROM queue_index WHERE id IN (SELECT id FROM queue_index
        WHERE queueKey = ? AND firstOffset < ? AND firstOffset + count <= ?
        ORDER BY firstOffset LIMIT ${chunksPerStep})`,
    );
    this.#deleteTurn = client.prepare("DELETE FROM log WHERE firstPosition = ?");
    this.#rewriteTurn = client.prepare(
      `UPDATE log SET appended = ?, checksum = ?, entries = ?, records = ?
        WHERE firstPosition = ?`,
    );
  }

  /** Inside the transaction that drops queues. */
  noteDropped(queueKeys: readonly number[], nextPosition: number): void {
    for (const queueKey of queueKeys) {
      const checksum = rowChecksum([queueKey, 0, 0, nextPosition]);
      this.#setDropped.run(nextPosition, checksum, queueKey);
    }
    this.#trimmedBytes = Infinity;
  }

  /** The front of the log is dead, and only what recovery would replay keeps it. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** `advance`: the caller flushes the indexes in this transaction, so nothing will be replayed. */
  step(
    rules: readonly RetentionRule[],
    floors: Floors,
    nowMs: number,
    mark: MarkRow,
    logBytes: number,
    advance: boolean,
  ): RetentionStep {
    this.#minimums = [];
    this.#forgotten = [];
    this.#freed = 0;
    this.#written = 0;
    const queuesLeft = this.#trimQueues(rules, floors, nowMs);
    const last = this.#parts.log.headAt(Number.MAX_SAFE_INTEGER);
    const lastFirst = last?.firstPosition ?? 1;
    const fixed = advance ? lastFirst : Math.min(mark.indexFrom, mark.keysFrom, lastFirst);
    this.#blocked = false;
    const droppedLeft = this.#clearDropped(fixed);
    const turnsLeft = this.#clearLog(fixed, logBytes);
    const isLive = (turn: Turn, index: number) => this.#isLive(turn, index);
    const keysLeft = !turnsLeft && this.#keys.step(isLive);
    let deletedMessages = 0;
    for (const { tail, offset } of this.#minimums) deletedMessages += offset - tail.minOffset;
    return {
      deletedMessages,
      freedLogBytes: this.#freed,
      writtenBytes: this.#written,
      more: queuesLeft || droppedLeft || turnsLeft || keysLeft ||
        // What died in this step is seen in the next, once the new minimums are committed.
        this.#minimums.length > 0,
    };
  }

  /** The step was committed. */
  settle(): void {
    const { index, log } = this.#parts;
    for (const { tail, offset, bytes } of this.#minimums) {
      this.#trimmedBytes += bytes - tail.minBytes;
      tail.minOffset = offset;
      tail.minBytes = bytes;
      index.forgetChunk(tail.queueKey);
    }
    for (const position of this.#forgotten) log.forget(position);
  }

  /** Looks at the next queues. True while the round through all rules is not finished. */
  #trimQueues(rules: readonly RetentionRule[], floors: Floors, nowMs: number): boolean {
    const place = this.#place;
    for (let looked = 0; looked < queuesPerStep; looked++) {
      let rule = rules[place.rule];
      while (rule !== undefined && place.queue >= rule.queueKeys.length) {
        place.rule++;
        place.queue = 0;
        rule = rules[place.rule];
      }
      if (rule === undefined) {
        this.#place = { rule: 0, queue: 0, share: 0 };
        return false;
      }
      if (place.queue === 0) place.share = this.#excessShare(rule);
      const tail = this.#parts.index.tails.get(rule.queueKeys[place.queue] ?? -1);
      if (tail) this.#trimQueue(tail, rule, floors, nowMs);
      place.queue++;
    }
    return true;
  }

  /** Which part of each queue is over the topic's bound: all queues give in proportion. */
  #excessShare(rule: RetentionRule): number {
    if (rule.retentionBytes === null) return 0;
    let bytes = 0;
    for (const queueKey of rule.queueKeys) {
      const tail = this.#parts.index.tails.get(queueKey);
      if (tail) bytes += tail.endBytes - tail.minBytes;
    }
    return bytes <= rule.retentionBytes ? 0 : (bytes - rule.retentionBytes) / bytes;
  }

  #trimQueue(tail: QueueTail, rule: RetentionRule, floors: Floors, nowMs: number): void {
    const { index, log } = this.#parts;
    this.#deleteChunks.run(tail.queueKey, tail.minOffset, tail.minOffset);
    const floor = rule.deleteUnread ? null : floors(tail.queueKey);
    const highest = Math.min(tail.nextOffset - 1, floor ?? tail.nextOffset);
    if (highest <= tail.minOffset) return;
    const oldMs = nowMs - rule.retentionMs;
    let offset = index.offsetAtPosition(tail, log.positionAtTime(oldMs));
    const excess = (tail.endBytes - tail.minBytes) * this.#place.share;
    if (excess > 0) {
      const over = firstIndex(highest - tail.minOffset, (at) => {
        return index.bytesTo(tail, tail.minOffset + at) - tail.minBytes >= excess;
      });
      offset = Math.max(offset, tail.minOffset + over);
    }
    offset = Math.min(offset, highest);
    if (offset <= tail.minOffset) return;
    const bytes = index.bytesTo(tail, offset);
    const checksum = rowChecksum([tail.queueKey, offset, bytes, null]);
    this.#setMinimum.run(offset, bytes, checksum, tail.queueKey);
    this.#minimums.push({ tail, offset, bytes });
  }

  /** Deletes chunks of dropped queues, then their rows. `fixed`: recovery starts there. */
  #clearDropped(fixed: number): boolean {
    let left = false;
    let looked = 0;
    const all = Number.MAX_SAFE_INTEGER;
    for (const [queueKey, droppedAt] of this.#parts.dropped) {
      if (looked++ === queuesPerStep) return true;
      if (Number(this.#deleteChunks.run(queueKey, all, all).changes) > 0) left = true;
      // Until then recovery has to know that entries of this queue are nobody's.
      else if (droppedAt <= fixed) {
        this.#deleteQueue.run(queueKey);
        this.#parts.dropped.delete(queueKey);
      }
    }
    return left;
  }

  #isLive(turn: Turn, index: number): boolean {
    const tail = this.#parts.index.tails.get(turn.queueKey(index));
    return tail !== undefined && turn.queueOffset(index) >= tail.minOffset;
  }

  #hasLive(turn: Turn): boolean {
    for (let index = 0; index < turn.live; index++) if (this.#isLive(turn, index)) return true;
    return false;
  }

  /** Takes dead turns from the front; now and then walks through the others too. */
  #clearLog(fixed: number, logBytes: number): boolean {
    const { log } = this.#parts;
    let bytesLeft = bytesPerStep;
    for (let looked = 0; looked < turnsPerStep && bytesLeft > 0; looked++) {
      const row = log.rowFrom(0);
      if (row === null) return false;
      if (row.firstPosition >= fixed) {
        const isLast = row.firstPosition + row.count >= log.nextPosition;
        this.#blocked = !isLast && !this.#hasLive(turnOf(row));
        return false;
      }
      bytesLeft -= row.entries.length + row.records.length;
      if (!this.#clearTurn(row, 0)) return this.#walk(fixed, logBytes, bytesLeft);
    }
    return true;
  }

  /** A walk reads the index of every turn, so it waits until there is enough to gain. */
  #walk(fixed: number, logBytes: number, bytesMax: number): boolean {
    if (this.#scan === null) {
      if (this.#trimmedBytes < Math.max(1, logBytes / 16)) return false;
      this.#scan = 0;
      this.#trimmedBytes = 0;
    }
    let bytesLeft = bytesMax;
    for (let looked = 0; looked < turnsPerStep && bytesLeft > 0; looked++) {
      const row = this.#parts.log.rowFrom(this.#scan);
      if (row === null || row.firstPosition >= fixed) {
        this.#scan = null;
        return this.#trimmedBytes >= Math.max(1, logBytes / 16);
      }
      bytesLeft -= row.entries.length + row.records.length;
      this.#clearTurn(row, 0.5);
      this.#scan = row.firstPosition + row.count;
    }
    return true;
  }

  /** Deletes a turn without anything alive; rewrites one whose living bytes are below `share`. */
  #clearTurn(row: TurnRow, share: number): boolean {
    if (turnChecksum(row) !== row.checksum) return false;
    const turn = turnOf(row);
    let liveBytes = 0;
    let live = 0;
    for (let index = 0; index < turn.live; index++) {
      if (!this.#isLive(turn, index)) continue;
      live++;
      liveBytes += turn.size(index);
    }
    const before = row.entries.length + row.records.length;
    if (live === 0) {
      this.#deleteTurn.run(row.firstPosition);
      this.#freed += before;
      this.#forgotten.push(row.firstPosition);
      return true;
    }
    if (liveBytes >= turn.records.length * share) return false;
    const blobs = rewrittenBlobs(turn, (index) => this.#isLive(turn, index));
    const appended = row.appended ?? row.checksum;
    const checksum = turnChecksum({ ...row, ...blobs, appended });
    this.#rewriteTurn.run(appended, checksum, blobs.entries, blobs.records, row.firstPosition);
    const after = blobs.entries.length + blobs.records.length;
    this.#freed += before - after;
    this.#written += after;
    this.#forgotten.push(row.firstPosition);
    return true;
  }
}
