/**
 * Keeps room on the disk for what must go on when sends are refused.
 *
 *     ok ──free below reserve──▶ refusing ──free above reserve again──▶ ok
 *      └────the disk is full───▶ refusing, the ballast is given up
 *
 * The ballast is a file that holds room which consumption may use when the disk is truly full.
 *
 * @module
 */
import { BrokerError } from "../../src/model/errors.ts";
import type { Disk } from "../../src/ports/disk.ts";

/** Decides whether sends are taken, from what the disk says it has free. `reserveBytes` is kept. */
export class DiskGuard {
  readonly #disk: Disk;
  readonly #reserveBytes: number;
  #freeBytes: number | null = null;
  #refusing = false;

  constructor(disk: Disk, reserveBytes: number) {
    this.#disk = disk;
    this.#reserveBytes = reserveBytes;
  }

  get refusing(): boolean {
    return this.#refusing;
  }

  /** Looks at the disk. Answers whether the state changed. */
  check(): boolean {
    this.#freeBytes = this.#disk.freeBytes();
    const refusing = this.#freeBytes !== null && this.#freeBytes < this.#reserveBytes;
    if (!refusing) this.#disk.setBallast();
    const changed = refusing !== this.#refusing;
    this.#refusing = refusing;
    return changed;
  }

  /** A commit found the disk full. Answers whether giving up the ballast made room. */
  full(): boolean {
    this.#refusing = true;
    this.#freeBytes = this.#disk.freeBytes();
    return this.#disk.dropBallast();
  }

  /** Why sends are refused, for whoever asks. */
  error(): BrokerError {
    const free = this.#freeBytes === null ? "an unknown number of" : String(this.#freeBytes);
    return new BrokerError(
      "disk_full",
      `Cannot store the message: ${free} bytes are free on the data disk and ` +
        `${this.#reserveBytes} are kept for consumption; sending resumes when there is room`,
    );
  }
}
