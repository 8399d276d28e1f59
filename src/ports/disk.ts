/**
 * The disk under the data directory, as a shard's thread sees it: at once, nothing to wait for.
 *
 * @module
 */

/** Room on the disk, and a file that keeps some of it back. */
export interface Disk {
  /** Bytes a write may still take; `null` when the system does not tell. */
  freeBytes(): number | null;
  /** Makes the ballast file if it is not there. False: no room for it. */
  setBallast(): boolean;
  /** Gives the ballast's room back to the disk. False: there was none. */
  dropBallast(): boolean;
}
