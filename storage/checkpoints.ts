/**
 * When the WAL is moved into the file. A PASSIVE checkpoint waits for nobody; when it moved all,
 * the next commit starts the WAL anew. A reader that stays holds it back: then the WAL grows, is
 * measured, and above `walBytesMax` sends are refused until the reader is gone.
 *
 * @module
 */
import { statSync } from "node:fs";
import { limits } from "../src/base/limits.ts";
import { StorageError } from "../src/model/errors.ts";
import type { SqliteClient, SqliteStatement } from "./session.ts";

type Outcome = { readonly busy: number; readonly log: number; readonly checkpointed: number };

const pageBytes = 8192;
const treePages = 3;

/** Checkpoints of one database. */
export class Checkpoints {
  readonly #walPath: string;
  readonly #walBytesMax: number;
  readonly #passive: SqliteStatement;
  readonly #truncate: SqliteStatement;
  /** Bytes written since a checkpoint moved all: an estimate that costs no system call. */
  #pendingBytes: number;
  /** Of these, what dropping queues has written. */
  #droppedBytes = 0;
  /** `#pendingBytes` at which the next attempt is worth it. */
  #dueBytes: number = limits.checkpointBytesMin;
  /** How many were run. */
  count = 0;

  constructor(client: SqliteClient, path: string, walBytesMax: number) {
    this.#walPath = `${path}-wal`;
    this.#walBytesMax = walBytesMax;
    this.#passive = client.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#truncate = client.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#pendingBytes = this.walBytes();
  }

  /**
   * Notes a commit: whole pages, a few more for the trees above them, and one for each row of a
   * small table, since such rows and their index entries lie apart.
   */
  wrote(bytes: number, rows = 0): void {
    this.#pendingBytes += (Math.ceil(bytes / pageBytes) + treePages + rows) * pageBytes;
  }

  /** Notes a commit that deleted so many rows of dropped queues. */
  dropped(rows: number): void {
    const beforeBytes = this.#pendingBytes;
    this.wrote(0, rows);
    this.#droppedBytes += this.#pendingBytes - beforeBytes;
  }

  /** Which part of what waits for a checkpoint dropping queues has written, from 0 to 1. */
  get dropShare(): number {
    return this.#droppedBytes === 0 ? 0 : this.#droppedBytes / this.#pendingBytes;
  }

  due(): boolean {
    return this.#pendingBytes >= this.#dueBytes;
  }

  /** Dropping queues has written so much that a checkpoint gets too long for who comes then. */
  overdue(): boolean {
    return this.#droppedBytes >= limits.droppedBytesMax && this.due();
  }

  /** Moves what readers allow. In a gap without readers an overgrown WAL file is cut as well. */
  run(): void {
    const { log, checkpointed } = this.#passive.get() as Outcome;
    this.count++;
    if (checkpointed < log) {
      this.#dueBytes = this.#pendingBytes + limits.checkpointBytesMin;
      return;
    }
    this.#pendingBytes = 0;
    this.#droppedBytes = 0;
    this.#dueBytes = limits.checkpointBytesMin;
    // Eight times what a checkpoint waits for: only a reader that stayed lets it grow so far.
    if (this.walBytes() > 8 * limits.checkpointBytesMin) this.#truncate.get();
  }

  /** Moves everything and empties the WAL file, if nobody reads. */
  truncate(): void {
    this.#truncate.get();
    this.count++;
  }

  /** Length of the WAL file. */
  walBytes(): number {
    return statSync(this.#walPath, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** @throws {StorageError} `full`: a reader keeps the WAL from being emptied. */
  assertRoom(): void {
    if (this.#pendingBytes < this.#walBytesMax) return;
    const bytes = this.walBytes();
    if (bytes < this.#walBytesMax) return;
    throw new StorageError(
      "full",
      `Cannot append: ${this.#walPath} has grown to ${bytes} bytes, its bound is ` +
        `${this.#walBytesMax}. A reader keeps it from being emptied`,
    );
  }
}
