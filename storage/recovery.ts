/**
 * What opening a shard does: read where the queues end, index the last turns of the log again, and
 * make sure that nothing acknowledged is gone.
 *
 *     log   ... ├─ turn ─┼─ turn ─┼─ turn ─┤ nextPosition
 *               ▲ mark: index and keys are complete before it
 *               └ each turn from here on is verified, with its link to the one before it
 *
 * @module
 */
import type { KeyIndex } from "./key_index.ts";
import { type Mark, type MarkedTurn, promisedBy } from "./mark_file.ts";
import type { QueueIndex } from "./queue_index.ts";
import { QueueTail } from "./queue_tail.ts";
import { assertRow } from "./row_checksum.ts";
import type { SqliteClient } from "./session.ts";
import { appendedChecksum, type Turn, turnChecksum, turnOf, type TurnRow } from "./turn_format.ts";
import type { TurnHead, TurnLog } from "./turn_log.ts";

/** The row of `mark`, as SQLite hands it over. */
export type MarkRow = {
  readonly shard: number;
  readonly indexFrom: number;
  readonly keysFrom: number;
  readonly logBytes: number;
  readonly logBytesTo: number;
  readonly checksum: number;
};

type QueueRow = {
  readonly queueKey: number;
  readonly minOffset: number;
  readonly minBytes: number;
  readonly droppedAt: number | null;
  readonly checksum: number;
};

type Missing = { readonly from: number; readonly to: number };

/** The parts recovery fills. */
export type Recovered = {
  readonly client: SqliteClient;
  readonly log: TurnLog;
  readonly index: QueueIndex;
  readonly keys: KeyIndex;
  /** Dropped queues whose entries may still stand in the log, with when they were dropped. */
  readonly dropped: Map<number, number>;
};

/** What recovery saw. `notices`: worth a log line, but nothing acknowledged is gone. */
export type Findings = {
  replayedMessages: number;
  logBytes: number;
  missing: Missing | null;
  damage: string | null;
  readonly notices: string[];
};

/**
 * Fills the parts from the database, up to the first turn that cannot be trusted. With `accept`
 * such turns are buried instead, and the log goes on behind them.
 *
 * @throws {StorageError} `damaged`: the small tables that say where to begin cannot be trusted.
 */
export function recover(
  parts: Recovered,
  mark: MarkRow,
  path: string,
  accept: boolean,
): Findings {
  const findings: Findings = {
    replayedMessages: 0,
    logBytes: mark.logBytes,
    missing: null,
    damage: null,
    notices: [],
  };
  const unchunked = loadQueues(parts);
  new Replay(parts, mark, findings, unchunked, accept).run(path);
  for (const tail of parts.index.tails.values()) {
    if (tail.nextOffset >= tail.minOffset) continue;
    findings.damage ??= `Cannot trust queue ${tail.queueKey} in ${path}: it begins at ` +
      `${tail.minOffset} and ends at ${tail.nextOffset}`;
    tail.nextOffset = tail.minOffset;
  }
  return findings;
}

/** Reads where flushed indexes end. Answers with the queues that have no flushed chunk. */
function loadQueues({ client, index, dropped }: Recovered): Set<QueueTail> {
  const unchunked = new Set<QueueTail>();
  for (const row of client.prepare("SELECT * FROM queue").all() as QueueRow[]) {
    const numbers = [row.queueKey, row.minOffset, row.minBytes, row.droppedAt];
    assertRow(row.checksum, numbers, `queue ${row.queueKey}`);
    if (row.droppedAt !== null) {
      dropped.set(row.queueKey, row.droppedAt);
      continue;
    }
    const tail = new QueueTail(row.queueKey);
    tail.minOffset = row.minOffset;
    tail.minBytes = row.minBytes;
    const chunk = index.lastChunk(row.queueKey);
    tail.nextOffset = chunk?.endOffset ?? 0;
    tail.firstOffset = tail.nextOffset;
    tail.endBytes = chunk?.bytesTo(chunk.count) ?? row.minBytes;
    if (chunk === null) unchunked.add(tail);
    index.tails.set(row.queueKey, tail);
  }
  return unchunked;
}

/** One walk over the turns behind the mark. */
class Replay {
  readonly #parts: Recovered;
  readonly #mark: MarkRow;
  readonly #findings: Findings;
  readonly #unchunked: ReadonlySet<QueueTail>;
  readonly #accept: boolean;
  /** Checksum the turn before was appended with; `null` when retention took that turn. */
  #chain: number | null = null;

  constructor(
    parts: Recovered,
    mark: MarkRow,
    findings: Findings,
    unchunked: ReadonlySet<QueueTail>,
    accept: boolean,
  ) {
    this.#parts = parts;
    this.#mark = mark;
    this.#findings = findings;
    this.#unchunked = unchunked;
    this.#accept = accept;
  }

  run(path: string): void {
    const { log } = this.#parts;
    const last = log.headAt(Number.MAX_SAFE_INTEGER);
    if (last !== null) this.#walk(this.#firstHead(last), last);
    if (this.#findings.damage !== null || log.nextPosition >= this.#mark.indexFrom) return;
    this.#findings.missing ??= { from: log.nextPosition, to: this.#mark.indexFrom - 1 };
    this.#findings.damage = `Cannot trust ${path}: its index reaches further than its log`;
  }

  #firstHead(last: TurnHead): TurnHead {
    const { log } = this.#parts;
    const from = Math.min(this.#mark.indexFrom, this.#mark.keysFrom, last.firstPosition);
    const first = log.headAt(from) ?? last;
    const before = log.headAt(first.firstPosition - 1);
    if (before && before.firstPosition + before.count === first.firstPosition) {
      this.#chain = appendedChecksum(before);
    }
    return first;
  }

  #walk(first: TurnHead, last: TurnHead): void {
    const { log } = this.#parts;
    let next = first.firstPosition;
    log.moveTo(next, 0, this.#chain ?? 0);
    for (let row = log.rowFrom(next); row !== null; row = log.rowFrom(next)) {
      const fault = this.#faultOf(row, next);
      if (fault === null) {
        this.#take(row);
      } else {
        this.#findings.damage ??= fault;
        if (row.firstPosition > next) {
          this.#findings.missing ??= { from: next, to: row.firstPosition - 1 };
        }
        if (!this.#accept) {
          // Read on where that is possible; without `accept` nothing is written behind it.
          log.moveTo(last.firstPosition + last.count, last.storedMs, appendedChecksum(last));
          return;
        }
        this.#bury(row, next);
      }
      next = log.nextPosition;
      this.#chain = log.chain;
    }
  }

  #faultOf(row: TurnRow, next: number): string | null {
    if (row.firstPosition !== next) {
      return `Cannot find the turns of positions ${next} to ${row.firstPosition - 1}: ` +
        "later turns are there";
    }
    if (turnChecksum(row) !== row.checksum) return this.#parts.log.damageOf(row);
    if (this.#chain !== null && row.previous !== this.#chain) {
      return `Cannot trust the turn at position ${row.firstPosition}: ` +
        "it does not follow the turn before it";
    }
    return null;
  }

  #take(row: TurnRow): void {
    const { log } = this.#parts;
    this.#replayTurn(turnOf(row));
    if (row.firstPosition >= this.#mark.logBytesTo) {
      this.#findings.logBytes += row.entries.length + row.records.length;
    }
    this.#findings.replayedMessages += row.count;
    log.moveTo(row.firstPosition + row.count, row.storedMs, appendedChecksum(row));
  }

  /** Leaves out a damaged turn, or fills a gap before one that is whole. */
  #bury(row: TurnRow, next: number): void {
    const { client, log } = this.#parts;
    const isGap = row.firstPosition > next;
    const follower = isGap ? row : log.rowFrom(next + 1);
    const end = follower?.firstPosition ?? next + row.count;
    client.inTransaction("immediate", () => {
      log.bury({
        first: next,
        count: end - next,
        storedMs: log.lastStoredMs,
        appended: follower?.previous ?? 0,
      });
    });
  }

  #replayTurn(turn: Turn): void {
    const { client, index, keys } = this.#parts;
    for (let at = 0; at < turn.live; at++) {
      const position = turn.positionOf(at);
      const bytes = turn.size(at);
      if (position >= this.#mark.keysFrom) {
        keys.addRecord(turn.records, turn.start(at), bytes, position);
      }
      const tail = index.tails.get(turn.queueKey(at));
      const offset = turn.queueOffset(at);
      if (!tail || offset < tail.nextOffset) continue;
      // Of a queue whose chunks were all trimmed, nothing below its minimum is expected here.
      if (tail.nextOffset === 0 && this.#unchunked.has(tail) && tail.minOffset > 0) {
        tail.nextOffset = Math.min(offset, tail.minOffset);
        tail.firstOffset = tail.nextOffset;
      }
      if (offset > tail.nextOffset) {
        if (!this.#accept) {
          this.#findings.damage ??= `Cannot find offsets ${tail.nextOffset} to ${offset - 1} ` +
            `of queue ${tail.queueKey}: later ones are there`;
          continue;
        }
        client.inTransaction("immediate", () => index.skipTo(tail, offset, position));
      }
      index.push(tail, position, bytes, turn.tagHash(at));
      // Without a chunk the count of bytes began at `minOffset`, so what lies before is taken off.
      if (offset < tail.minOffset && this.#unchunked.has(tail)) tail.endBytes -= bytes;
    }
  }
}

/**
 * Compares the log with the high-water file. `boot` is today's.
 */
export function compareMark(
  mark: Mark | string | null,
  log: TurnLog,
  boot: number,
  findings: Findings,
): void {
  if (mark === null) {
    if (log.nextPosition > 1) {
      findings.notices.push("There was no high-water mark: lost turns at the end go unnoticed");
    }
    return;
  }
  if (typeof mark === "string") {
    findings.damage ??= mark;
    return;
  }
  // The walk stopped at a turn it could not trust: what lies behind it was not looked at.
  if (findings.damage !== null) return;
  const sameBoot = boot !== 0 && boot === mark.boot;
  const lost = missingTurn(promisedBy(mark, boot), log, findings);
  if (lost || sameBoot || mark.written.position < log.nextPosition) return;
  const from = Math.max(log.nextPosition, mark.powerSafe.position + 1);
  findings.notices.push(
    `A power cut took positions ${from} to ${mark.written.position}: ` +
      "they were acknowledged with durability process-crash",
  );
}

function missingTurn(promised: MarkedTurn, log: TurnLog, findings: Findings): boolean {
  if (promised.position === 0) return false;
  if (promised.position >= log.nextPosition) {
    const missing = { from: log.nextPosition, to: promised.position };
    findings.missing ??= missing;
    findings.damage ??= `Cannot find positions ${missing.from} to ${missing.to}: ` +
      "they were acknowledged, the log ends before them";
    return true;
  }
  if (log.chainAt(promised.position) === promised.chain) return false;
  findings.damage ??= `Cannot trust the turn that ends at position ${promised.position}: ` +
    "it is not the one that was acknowledged";
  return true;
}
