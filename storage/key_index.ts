/**
 * Finds messages by key. Hashes of the newest keys are in memory; now and then all of them become a
 * generation: 256 rows of `key_index`, one a bucket, so that a look-up reads one row of each
 * generation. A row's id is bucket × 2^45 + the generation's first position. Its blob:
 *
 *     u32 hash, u32 position (from the generation's first), ... in the order of positions
 *
 * Rows stay unsorted: scanning 256 numbers costs less than sorting them ever would.
 *
 * @module
 */
import { StorageError } from "../src/model/errors.ts";
import { forEachKeyHash, keyHash } from "./record_keys.ts";
import { rowChecksum } from "./row_checksum.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";
import { aligned } from "./turn_format.ts";

/** Buckets of a generation: the top byte of the hash. */
export const keyBuckets = 256;
/** Keys that make a generation, at about 2 KiB a row. */
export const generationKeys = 65_536;
/** Positions fit below it: the upper bits of a physical offset are the shard's. */
export const bucketSpan = 2 ** 45;

/** A row of `key_index`, as SQLite hands it over. */
export type KeyRow = {
  readonly id: number;
  readonly checksum: number;
  readonly entries: Uint8Array;
};

/** Over the id and the blob. */
export function keyRowChecksum(row: Omit<KeyRow, "checksum">): number {
  return rowChecksum([row.id], row.entries);
}

/**
 * The keys of a shard's messages. Used like `QueueIndex`: write inside, settle after the commit.
 */
export class KeyIndex {
  readonly #path: string;
  readonly #spanMax: number;
  readonly #insert: SqliteStatement;
  readonly #below: SqliteStatement;
  #hashes = new Uint32Array(generationKeys * 2);
  #positions = new Float64Array(generationKeys * 2);
  #count = 0;
  #from: number;
  #writtenTo: number | null = null;
  #position = 0;
  readonly #add = (hash: number): void => {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.#positions[this.#count] = this.#position;
    this.#count++;
  };

  /** `from`: keys of lower positions are flushed. `spanMax`: positions one generation covers. */
  constructor(client: SqliteClient, path: string, from: number, spanMax: number) {
    this.#path = path;
    this.#from = from;
    this.#spanMax = spanMax;
    this.#insert = client.prepare("INSERT INTO key_index (id, checksum, entries) VALUES (?, ?, ?)");
    this.#below = client.prepare(
      "SELECT * FROM key_index WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
    );
  }

  /** Keys of lower positions are all in `key_index`. */
  get from(): number {
    return this.#from;
  }

  /** Keys in memory. */
  get count(): number {
    return this.#count;
  }

  /** Whether closing should make a generation: small ones would cost each look-up a row. */
  get worthFlushing(): boolean {
    return this.#count >= generationKeys / 4;
  }

  /** Reads the keys of a record. Positions never go back. */
  addRecord(records: Uint8Array, start: number, size: number, position: number): void {
    this.#position = position;
    forEachKeyHash(records, start, size, this.#add);
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2);
    const positions = new Float64Array(hashes.length);
    hashes.set(this.#hashes);
    positions.set(this.#positions);
    this.#hashes = hashes;
    this.#positions = positions;
  }

  /**
   * Whether a generation should be written in a turn that begins at `nextPosition`; what lies
   * before `replayFrom` should be in one.
   */
  due(nextPosition: number, replayFrom: number): boolean {
    return this.#count >= generationKeys || nextPosition - this.#from >= this.#spanMax ||
      this.#from < replayFrom;
  }

  /** Writes what is in memory as a generation, inside a transaction. */
  writeAll(nextPosition: number): void {
    this.#writtenTo = nextPosition;
    if (this.#count === 0) return;
    const starts = new Uint32Array(keyBuckets + 1);
    for (let at = 0; at < this.#count; at++) starts[((this.#hashes[at] ?? 0) >>> 24) + 1]!++;
    for (let bucket = 0; bucket < keyBuckets; bucket++) {
      starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0);
    }
    const words = new Uint32Array(this.#count * 2);
    const ends = starts.slice();
    for (let at = 0; at < this.#count; at++) {
      const hash = this.#hashes[at] ?? 0;
      const to = ends[hash >>> 24]!++ * 2;
      words[to] = hash;
      words[to + 1] = (this.#positions[at] ?? 0) - this.#from;
    }
    for (let bucket = 0; bucket < keyBuckets; bucket++) {
      const start = starts[bucket] ?? 0;
      const entries = new Uint8Array(words.buffer, start * 8, ((ends[bucket] ?? 0) - start) * 8);
      const id = bucket * bucketSpan + this.#from;
      this.#insert.run(id, keyRowChecksum({ id, entries }), entries);
    }
  }

  /** The transaction was committed. */
  settle(): void {
    if (this.#writtenTo === null) return;
    this.#from = this.#writtenTo;
    this.#count = 0;
    this.#writtenTo = null;
  }

  /** The transaction was rolled back. */
  abandon(): void {
    this.#writtenTo = null;
  }

  /**
   * Positions from `fromPosition` to below `beforePosition` whose key may be `key`, newest first.
   */
  find(key: string, countMax: number, beforePosition: number, fromPosition = 0): number[] {
    const hash = keyHash(new TextEncoder().encode(key));
    const found: number[] = [];
    for (let at = this.#count - 1; at >= 0 && found.length < countMax; at--) {
      if ((this.#positions[at] ?? 0) < fromPosition) return found;
      if (this.#hashes[at] === hash) note(found, this.#positions[at] ?? 0, beforePosition);
    }
    const base = (hash >>> 24) * bucketSpan;
    let below = base + Math.min(this.#from, beforePosition);
    while (found.length < countMax && below > base + fromPosition) {
      const row = this.#below.get(base, below) as KeyRow | undefined;
      if (!row) break;
      below = row.id;
      const words = wordsOfKeyRow(row, this.#path);
      for (let at = words.length - 2; at >= 0 && found.length < countMax; at -= 2) {
        const position = row.id - base + (words[at + 1] ?? 0);
        if (position < fromPosition) return found;
        if (words[at] === hash) note(found, position, beforePosition);
      }
    }
    return found;
  }
}

/** One message may carry a key twice: as its unique key and among its keys. */
function note(found: number[], position: number, beforePosition: number): void {
  if (position < beforePosition && found.at(-1) !== position) found.push(position);
}

/** @throws {StorageError} `damaged`: the row does not match its checksum. */
export function wordsOfKeyRow(row: KeyRow, path: string): Uint32Array {
  if (keyRowChecksum(row) !== row.checksum) {
    const place = `keys from position ${row.id % bucketSpan}`;
    throw new StorageError("damaged", `Cannot read the key index in ${path}: ${place} are damaged`);
  }
  const bytes = aligned(row.entries);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
