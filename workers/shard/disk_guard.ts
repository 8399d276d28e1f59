/**
 * Keeps room on the disk for what must go on when sends are refused.
 *
 *     ok ──room below reserve──▶ refusing ──room above reserve again──▶ ok
 *      └────the disk is full───▶ refusing, the ballast is given up
 *
 * Room is what the disk has free, and what deletions left inside the store's file, which never
 * shrinks: after retention or a deleted topic sends go on, although the disk has no more free. What
 * is written passes through the WAL, though: an eighth of the reserve must be the disk's own.
 *
 * The ballast is a file that holds room which consumption may use when the disk is truly full.
 *
 * @module
 */
import { BrokerError } from "../../src/model/errors.ts";
import type { Disk } from "../../src/ports/disk.ts";
import type { DiskSpace } from "../../src/ports/files.ts";

/** Decides whether sends are taken, from what the disk says it has free. `reserveBytes` is kept. */
export class DiskGuard {
  readonly #disk: Disk;
  readonly #reserveBytes: number;
  #space: DiskSpace | null = null;
  #reusableBytes = 0;
  #refusing = false;
  /** What the store said when it, and not the disk, had no room: a reader that stays, a bound. */
  #storeReason: string | null = null;

  constructor(disk: Disk, reserveBytes: number) {
    this.#disk = disk;
    this.#reserveBytes = reserveBytes;
  }

  get refusing(): boolean {
    return this.#refusing;
  }

  /** The disk as it was last seen; `null`: the system does not tell, or nobody has looked yet. */
  get space(): DiskSpace | null {
    return this.#space;
  }

  /**
   * Looks at the disk; `reusableBytes` are free inside the store's file. Answers whether the state
   * changed.
   */
  check(reusableBytes: number): boolean {
    this.#space = this.#disk.space();
    const freeBytes = this.#space?.freeBytes ?? null;
    this.#reusableBytes = reusableBytes;
    const refusing = freeBytes !== null &&
      (freeBytes < this.#reserveBytes / 8 || freeBytes + reusableBytes < this.#reserveBytes);
    if (freeBytes === null || freeBytes >= this.#reserveBytes) this.#disk.setBallast();
    this.#storeReason = null;
    const changed = refusing !== this.#refusing;
    this.#refusing = refusing;
    return changed;
  }

  /**
   * A commit found no room, and said why. Answers whether giving up the ballast made some: where
   * the disk has more than the reserve, it is not the disk that is full, and the ballast stays.
   */
  full(reason: string): boolean {
    this.#refusing = true;
    this.#space = this.#disk.space();
    const diskHasRoom = this.#space !== null && this.#space.freeBytes >= this.#reserveBytes;
    this.#storeReason = diskHasRoom ? reason : null;
    return diskHasRoom ? false : this.#disk.dropBallast();
  }

  /** Why sends are refused, for whoever asks. */
  error(): BrokerError {
    if (this.#storeReason !== null) return new BrokerError("disk_full", this.#storeReason);
    const free = this.#space === null ? "an unknown number of" : String(this.#space.freeBytes);
    const inside = this.#reusableBytes === 0 ? "" : `, ${this.#reusableBytes} in the shard's file`;
    return new BrokerError(
      "disk_full",
      `Cannot store the message: ${free} bytes are free on the data disk${inside}, and ` +
        `${this.#reserveBytes} are kept for consumption; sending resumes when there is room`,
    );
  }
}
