/**
 * Takes keys of messages that are gone out of `key_index`, a generation a step. A generation whose
 * turns are all gone is deleted; one of which little is left is filtered, since the newest entry of
 * an idle queue may keep its turn, and so its generation, for ever.
 *
 * @module
 */
import { bucketSpan, keyBuckets, type KeyIndex, keyRowChecksum } from "./key_index.ts";
import type { KeyRow } from "./key_index.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";
import { aligned, type Turn, turnOf, type TurnRow } from "./turn_format.ts";
import type { TurnLog } from "./turn_log.ts";

/** A generation over more turns than these is dense: filtering it would gain nothing. */
const turnsMax = 512;

/** Retention of one shard's key index. */
export class KeyRetention {
  readonly #log: TurnLog;
  readonly #keys: KeyIndex;
  readonly #generations: SqliteStatement;
  readonly #turns: SqliteStatement;
  readonly #row: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #update: SqliteStatement;
  /** Generations below were looked at in this round. */
  #from = 0;

  constructor(client: SqliteClient, log: TurnLog, keys: KeyIndex) {
    this.#log = log;
    this.#keys = keys;
    // Every generation has a row in bucket 0, so its ids are the list of generations.
    this.#generations = client.prepare(
      `SELECT id FROM key_index WHERE id >= ? AND id < ${bucketSpan} ORDER BY id LIMIT 2`,
    );
    this.#turns = client.prepare(
      `SELECT * FROM log WHERE firstPosition >= ? AND firstPosition < ?
        ORDER BY firstPosition LIMIT ${turnsMax + 1}`,
    );
    this.#row = client.prepare("SELECT * FROM key_index WHERE id = ?");
    this.#delete = client.prepare("DELETE FROM key_index WHERE id = ?");
    this.#update = client.prepare("UPDATE key_index SET checksum = ?, entries = ? WHERE id = ?");
  }

  /** Looks at the next generation. True while the round is not finished. */
  step(isLive: (turn: Turn, index: number) => boolean): boolean {
    const [first, second] = this.#generations.all(this.#from) as { id: number }[];
    if (first === undefined) {
      this.#from = 0;
      return false;
    }
    const end = second?.id ?? this.#keys.from;
    const oldest = this.#log.rowFrom(0)?.firstPosition ?? this.#log.nextPosition;
    if (oldest >= end) this.#deleteGeneration(first.id);
    else this.#filterIfSparse(first.id, end, isLive);
    this.#from = first.id + 1;
    return second !== undefined;
  }

  #deleteGeneration(first: number): void {
    for (let bucket = 0; bucket < keyBuckets; bucket++) {
      this.#delete.run(bucket * bucketSpan + first);
    }
  }

  #filterIfSparse(
    first: number,
    end: number,
    isLive: (turn: Turn, index: number) => boolean,
  ): void {
    const head = this.#log.headAt(first);
    const rows = this.#turns.all(head?.firstPosition ?? first, end) as TurnRow[];
    // Only rewritten turns make a generation sparse; a whole one among them means: not yet.
    if (rows.length > turnsMax || rows.some((row) => row.appended === null)) return;
    const live = new Set<number>();
    for (const row of rows) {
      const turn = turnOf(row);
      for (let at = 0; at < turn.live; at++) if (isLive(turn, at)) live.add(turn.positionOf(at));
    }
    if (live.size === 0) this.#deleteGeneration(first);
    else if (live.size < (end - first) / 4) this.#filter(first, live);
  }

  #filter(first: number, live: ReadonlySet<number>): void {
    for (let bucket = 0; bucket < keyBuckets; bucket++) {
      const id = bucket * bucketSpan + first;
      const row = this.#row.get(id) as KeyRow | undefined;
      if (row === undefined || keyRowChecksum(row) !== row.checksum) continue;
      const bytes = aligned(row.entries);
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      const kept: number[] = [];
      for (let at = 0; at < words.length; at += 2) {
        const position = first + (words[at + 1] ?? 0);
        if (live.has(position)) kept.push(words[at] ?? 0, words[at + 1] ?? 0);
      }
      if (kept.length === words.length) continue;
      const entries = new Uint8Array(new Uint32Array(kept).buffer);
      if (kept.length === 0 && bucket > 0) this.#delete.run(id);
      else this.#update.run(keyRowChecksum({ id, entries }), entries, id);
    }
  }
}
