/**
 * The high-water file beside a shard's database: which turn was acknowledged last. SQLite drops
 * what lies behind a damaged WAL frame without a word; this file remembers that it was there.
 *
 *     0      4         8          16        20        28        32       36
 *     u32    u32       f64        u32       f64       u32       u32      u32
 *     magic  version   position   chain     position  chain     boot     crc32 of the rest
 *                      └─ written ────┘     └─ power-safe ──┘
 *
 * `written` is the last turn acknowledged at all, `powerSafe` the last one whose commit was synced:
 * a power cut may take the turns between the two, a crash of the process may not. `boot` names the
 * run of the operating system, so that opening can tell which of the two it was (0: unknown).
 *
 * Written in place after each commit, synced at most every `syncMs`. A reader copes with an old
 * one: it only notices less. Without the file nothing is noticed: a copy of a database has none.
 *
 * @module
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { StorageError } from "../src/model/errors.ts";

const magic = 0x6d726c63;
const version = 1;
const markBytes = 40;

/** The last position of a turn, and the checksum it was appended with. */
export type MarkedTurn = { readonly position: number; readonly chain: number };

/** What the file says. */
export type Mark = {
  readonly written: MarkedTurn;
  readonly powerSafe: MarkedTurn;
  readonly boot: number;
};

/**
 * Reads a mark.
 *
 * @returns `null` without a file; a sentence when the file is damaged.
 */
export function readMark(path: string): Mark | string | null {
  if (!existsSync(path)) return null;
  const bytes = new Uint8Array(readFileSync(path));
  if (bytes.length === 0) return null;
  const view = new DataView(bytes.buffer);
  const whole = bytes.length === markBytes && view.getUint32(0, true) === magic &&
    view.getUint32(36, true) === crc32(bytes.subarray(0, 36));
  if (!whole) return `Cannot trust the mark ${path}: it does not match its checksum`;
  if (view.getUint32(4, true) !== version) {
    return `Cannot read the mark ${path}: it is of version ${view.getUint32(4, true)}`;
  }
  return {
    written: { position: view.getFloat64(8, true), chain: view.getUint32(16, true) },
    powerSafe: { position: view.getFloat64(20, true), chain: view.getUint32(28, true) },
    boot: view.getUint32(32, true),
  };
}

/**
 * The last turn that must be there: `boot` is today's. When it is the mark's, no power cut came
 * between, and every turn that was written has to be there.
 */
export function promisedBy(mark: Mark, boot: number): MarkedTurn {
  return boot !== 0 && boot === mark.boot ? mark.written : mark.powerSafe;
}

/** A number for this run of the operating system, 0 where it has no name. */
export function readBoot(): number {
  const path = "/proc/sys/kernel/random/boot_id";
  return existsSync(path) ? crc32(readFileSync(path)) : 0;
}

/** Writes the mark after each commit. */
export class MarkFile {
  readonly #fd: number;
  readonly #boot: number;
  readonly #syncMs: number;
  readonly #bytes = new Uint8Array(markBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  #powerSafe: MarkedTurn;
  #syncedMs = 0;
  #dirty = false;

  /** @throws {Error} The file cannot be opened for writing. */
  constructor(path: string, boot: number, syncMs: number, last: MarkedTurn) {
    // Never truncated: between a truncation and the first write a crash would leave no mark.
    this.#fd = openSync(path, existsSync(path) ? "r+" : "w+");
    this.#boot = boot;
    this.#syncMs = syncMs;
    this.#powerSafe = last;
    this.#view.setUint32(0, magic, true);
    this.#view.setUint32(4, version, true);
  }

  /**
   * Notes a committed turn.
   *
   * @throws {StorageError} `io`: the turn is committed, but must not be acknowledged.
   */
  note(turn: MarkedTurn, isPowerSafe: boolean, nowMs: number): void {
    if (isPowerSafe) this.#powerSafe = turn;
    const view = this.#view;
    view.setFloat64(8, turn.position, true);
    view.setUint32(16, turn.chain, true);
    view.setFloat64(20, this.#powerSafe.position, true);
    view.setUint32(28, this.#powerSafe.chain, true);
    view.setUint32(32, this.#boot, true);
    view.setUint32(36, crc32(this.#bytes.subarray(0, 36)), true);
    try {
      const written = writeSync(this.#fd, this.#bytes, 0, markBytes, 0);
      if (written !== markBytes) throw new Error(`only ${written} bytes were written`);
      this.#dirty = true;
      if (nowMs - this.#syncedMs >= this.#syncMs) this.#sync(nowMs);
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError("io", `Cannot write the mark: ${found}`, { cause });
    }
  }

  #sync(nowMs: number): void {
    if (this.#dirty) fdatasyncSync(this.#fd);
    this.#syncedMs = nowMs;
    this.#dirty = false;
  }

  close(): void {
    try {
      this.#sync(this.#syncedMs);
    } finally {
      closeSync(this.#fd);
    }
  }
}
