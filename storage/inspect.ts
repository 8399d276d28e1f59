/**
 * Checks a shard's file without changing it: every turn's checksum and its link to the one before,
 * the end of the log against the high-water file, the indexes against the log, every small row,
 * SQLite's own structure. For `curlew check`, on a
 * stopped store or a copy; beside a running one it holds the WAL back for as long as it reads.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { storageFault } from "./faults.ts";
import { inspectRows } from "./inspect_rows.ts";
import { type KeyRow, wordsOfKeyRow } from "./key_index.ts";
import { type Mark, type MarkedTurn, promisedBy, readBoot, readMark } from "./mark_file.ts";
import { type ChunkRow, QueueChunk } from "./queue_chunk.ts";
import { assertRow } from "./row_checksum.ts";
import { appendedChecksum, turnChecksum, turnOf, type TurnRow } from "./turn_format.ts";

/** Findings kept; beyond it only their number grows. */
const findingsMax = 100;

/** What was looked at, and what is wrong with it, a sentence each. */
export type Inspection = {
  readonly turns: number;
  readonly messages: number;
  readonly chunks: number;
  readonly faults: number;
  /** The first hundred. */
  readonly findings: readonly string[];
};

type Queue = { readonly min: number; dropped: boolean; next: number | null };

/**
 * Inspects the database file of a shard, and the high-water file beside it if there is one. `boot`
 * is today's, see `compareMark`.
 *
 * @throws {StorageError} The file cannot be opened or read as a database at all.
 */
export function inspectShard(path: string, boot: number = readBoot()): Inspection {
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = new DatabaseSync(path, { readOnly: true });
    return new Inspector(sqlite, path).run(readMark(path.replace(/\.db$/, ".mark")), boot);
  } catch (cause) {
    throw storageFault(`inspect ${path}`, cause);
  } finally {
    sqlite?.close();
  }
}

class Inspector {
  readonly #sqlite: DatabaseSync;
  readonly #path: string;
  readonly #findings: string[] = [];
  /** Bounded by `limits.queuesMax`, as the queues are. */
  readonly #queues = new Map<number, Queue>();
  #faults = 0;
  #turns = 0;
  #messages = 0;
  #chunks = 0;

  constructor(sqlite: DatabaseSync, path: string) {
    this.#sqlite = sqlite;
    this.#path = path;
  }

  run(mark: Mark | string | null, boot: number): Inspection {
    this.#inspectPages();
    this.#inspectQueues();
    if (typeof mark === "string") this.#note(mark);
    this.#inspectLog(mark === null || typeof mark === "string" ? null : promisedBy(mark, boot));
    this.#inspectChunks();
    inspectRows(this.#sqlite, this.#path, (check) => this.#try(check));
    for (const row of this.#sqlite.prepare("SELECT * FROM key_index").iterate()) {
      this.#try(() => wordsOfKeyRow(row as KeyRow, this.#path));
    }
    return {
      turns: this.#turns,
      messages: this.#messages,
      chunks: this.#chunks,
      faults: this.#faults,
      findings: this.#findings,
    };
  }

  #note(finding: string): void {
    this.#faults++;
    if (this.#findings.length < findingsMax) this.#findings.push(finding);
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#note(cause instanceof Error ? cause.message : String(cause));
    }
  }

  #inspectPages(): void {
    for (const row of this.#sqlite.prepare("PRAGMA integrity_check(20)").all()) {
      const text = String(row["integrity_check"]);
      if (text !== "ok") this.#note(`SQLite says: ${text}`);
    }
  }

  #inspectQueues(): void {
    type Row = { queueKey: number; minOffset: number; minBytes: number };
    type FullRow = Row & { droppedAt: number | null; checksum: number };
    for (const found of this.#sqlite.prepare("SELECT * FROM queue").iterate()) {
      const row = found as FullRow;
      const { queueKey, minOffset, minBytes, droppedAt, checksum } = row;
      const numbers = [queueKey, minOffset, minBytes, droppedAt];
      this.#try(() => assertRow(checksum, numbers, `queue ${queueKey}`));
      this.#queues.set(queueKey, { min: minOffset, dropped: droppedAt !== null, next: null });
    }
  }

  /** In the order of the log each queue's offsets go up by one, from its minimum to its end. */
  #inspectLog(promised: MarkedTurn | null): void {
    let before: { end: number; chain: number } | null = null;
    let isKept = promised === null || promised.position === 0;
    const rows = this.#sqlite.prepare("SELECT * FROM log ORDER BY firstPosition").iterate();
    for (const found of rows) {
      const row = found as TurnRow;
      const end = row.firstPosition + row.count;
      this.#turns++;
      if (turnChecksum(row) === row.checksum) this.#inspectTurn(row);
      else this.#note(`The turn of positions ${row.firstPosition} to ${end - 1} is damaged`);
      if (before?.end === row.firstPosition && before.chain !== row.previous) {
        this.#note(`The turn at position ${row.firstPosition} does not follow the one before it`);
      }
      before = { end, chain: appendedChecksum(row) };
      if (end - 1 === promised?.position) isKept = before.chain === promised.chain;
    }
    if (!isKept) this.#notePromised(promised?.position ?? 0, before?.end ?? 1);
  }

  #notePromised(position: number, end: number): void {
    this.#note(
      position >= end
        ? `The log lacks positions ${end} to ${position}: they were acknowledged`
        : `The turn that ends at position ${position} is not the one that was acknowledged`,
    );
  }

  #inspectTurn(row: TurnRow): void {
    const turn = turnOf(row);
    for (let at = 0; at < turn.live; at++) {
      const queue = this.#queues.get(turn.queueKey(at));
      const offset = turn.queueOffset(at);
      if (!queue || queue.dropped || offset < queue.min) continue;
      this.#messages++;
      const expected = queue.next ?? queue.min;
      if (offset !== expected) {
        const place = `queue ${turn.queueKey(at)}`;
        this.#note(`The log lacks offsets ${expected} to ${offset - 1} of ${place}`);
      }
      queue.next = offset + 1;
    }
  }

  #inspectChunks(): void {
    const position = this.#sqlite.prepare(
      `SELECT firstPosition, count, storedMs, previous, appended, checksum, entries,
        x'' AS records FROM log WHERE firstPosition <= ? ORDER BY firstPosition DESC LIMIT 1`,
    );
    const rows = this.#sqlite.prepare("SELECT * FROM queue_index ORDER BY queueKey, firstOffset");
    for (const found of rows.iterate()) {
      const row = found as ChunkRow;
      this.#chunks++;
      this.#try(() => {
        const chunk = new QueueChunk(row, this.#path);
        const queue = this.#queues.get(row.queueKey);
        if (!queue || queue.dropped || chunk.isHole) return;
        // A chunk's ends are enough: between them its checksum speaks.
        for (const index of [0, chunk.count - 1]) {
          const { queueOffset, position: at } = chunk.entry(index);
          if (queueOffset < queue.min) continue;
          const turnRow = position.get(at) as TurnRow | undefined;
          const turn = turnRow && turnOf(turnRow);
          const slot = turn?.indexOf(at) ?? -1;
          if (turn && slot >= 0 && turn.queueOffset(slot) === queueOffset) continue;
          this.#note(
            `The index has queue ${row.queueKey}, offset ${queueOffset} at position ${at}, ` +
              "where the log does not",
          );
        }
      });
    }
  }
}
