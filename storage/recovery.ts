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
import type { Mark, MarkedTurn } from "./mark_file.ts";
import type { QueueIndex } from "./queue_index.ts";
import { QueueTail } from "./queue_tail.ts";
import type { SqliteClient } from "./session.ts";
import { appendedChecksum, type Turn, turnChecksum, turnOf, type TurnRow } from "./turn_format.ts";
import type { TurnLog } from "./turn_log.ts";

/** The row of `mark`, as SQLite hands it over. */
export type MarkRow = {
  readonly shard: number;
  readonly index_from: number;
  readonly keys_from: number;
  readonly log_bytes: number;
  readonly log_bytes_to: number;
};

type QueueRow = {
  readonly queue_key: number;
  readonly min_offset: number;
  readonly min_bytes: number;
  readonly dropped_at: number | null;
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

/** Fills the parts from the database. Damaged turns are left out and told. */
export function recover(parts: Recovered, mark: MarkRow, path: string): Findings {
  const findings: Findings = {
    replayedMessages: 0,
    logBytes: mark.log_bytes,
    missing: null,
    damage: null,
    notices: [],
  };
  const unchunked = loadQueues(parts);
  replay(parts, mark, findings, unchunked, path);
  for (const tail of parts.index.tails.values()) {
    if (tail.nextOffset < tail.minOffset) parts.index.skipTo(tail, tail.minOffset);
  }
  return findings;
}

/** Reads where flushed indexes end. Answers with the queues that have no flushed chunk. */
function loadQueues({ client, index, dropped }: Recovered): Set<QueueTail> {
  const unchunked = new Set<QueueTail>();
  for (const row of client.prepare("SELECT * FROM queue").all() as QueueRow[]) {
    if (row.dropped_at !== null) {
      dropped.set(row.queue_key, row.dropped_at);
      continue;
    }
    const tail = new QueueTail(row.queue_key);
    tail.minOffset = row.min_offset;
    tail.minBytes = row.min_bytes;
    const chunk = index.lastChunk(row.queue_key);
    tail.nextOffset = chunk?.endOffset ?? 0;
    tail.firstOffset = tail.nextOffset;
    tail.endBytes = chunk?.bytesTo(chunk.count) ?? row.min_bytes;
    if (chunk === null) unchunked.add(tail);
    index.tails.set(row.queue_key, tail);
  }
  return unchunked;
}

function replay(
  parts: Recovered,
  mark: MarkRow,
  findings: Findings,
  unchunked: ReadonlySet<QueueTail>,
  path: string,
): void {
  const { log } = parts;
  const last = log.headAt(Number.MAX_SAFE_INTEGER);
  if (last === null) return;
  const from = Math.min(mark.index_from, mark.keys_from, last.first_position);
  const first = log.headAt(from) ?? last;
  const before = log.headAt(first.first_position - 1);
  // Before the window retention may have deleted turns; then there is no link to compare with.
  let chain = before && before.first_position + before.count === first.first_position
    ? appendedChecksum(before)
    : null;
  let next = first.first_position;
  for (let row = log.rowFrom(next); row !== null; row = log.rowFrom(next)) {
    const fault = faultOf(row, next, chain, log);
    if (fault !== null) findings.damage ??= fault;
    if (row.first_position > next) findings.missing ??= { from: next, to: row.first_position - 1 };
    if (row.first_position >= mark.log_bytes_to) {
      findings.logBytes += row.entries.length + row.records.length;
    }
    if (turnChecksum(row) === row.checksum) {
      replayTurn(parts, turnOf(row), mark, unchunked);
      findings.replayedMessages += row.count;
    }
    chain = appendedChecksum(row);
    next = row.first_position + row.count;
    log.moveTo(next, row.stored_ms, chain);
  }
  if (findings.damage === null && log.nextPosition < mark.index_from) {
    findings.missing ??= { from: log.nextPosition, to: mark.index_from - 1 };
    findings.damage = `Cannot trust ${path}: its index reaches further than its log`;
  }
}

function faultOf(row: TurnRow, next: number, chain: number | null, log: TurnLog): string | null {
  if (row.first_position !== next) {
    return `Cannot find the turns of positions ${next} to ${row.first_position - 1}: ` +
      "later turns are there";
  }
  if (turnChecksum(row) !== row.checksum) return log.damageOf(row);
  if (chain !== null && row.previous !== chain) {
    return `Cannot trust the turn at position ${row.first_position}: ` +
      "it does not follow the turn before it";
  }
  return null;
}

function replayTurn(
  { client, index, keys }: Recovered,
  turn: Turn,
  mark: MarkRow,
  unchunked: ReadonlySet<QueueTail>,
): void {
  for (let at = 0; at < turn.live; at++) {
    const position = turn.positionOf(at);
    if (position >= mark.keys_from) {
      keys.addRecord(turn.records, turn.start(at), turn.size(at), position);
    }
    const tail = index.tails.get(turn.queueKey(at));
    const offset = turn.queueOffset(at);
    if (!tail || offset < tail.nextOffset) continue;
    if (offset > tail.nextOffset) {
      client.inTransaction("immediate", () => {
        index.skipTo(tail, offset);
      });
    }
    const bytes = turn.size(at);
    index.push(tail, position, bytes, turn.tagHash(at));
    // Without a chunk the count of bytes began at `minOffset`, so what lies before is taken off.
    if (offset < tail.minOffset && unchunked.has(tail)) tail.endBytes -= bytes;
  }
}

/**
 * Compares the log with the high-water file. `boot` is today's: when it is the mark's, no power cut
 * came between, and every turn that was written has to be there.
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
  const sameBoot = boot !== 0 && boot === mark.boot;
  const promised = sameBoot ? mark.written : mark.powerSafe;
  const lost = missingTurn(promised, log, findings);
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
