/**
 * The disk under the data directory, as a shard's thread sees it: at once, nothing to wait for.
 *
 * @module
 */
import type { DiskSpace } from "./files.ts";

/** Room on the disk, and a file that keeps some of it back. */
export interface Disk {
  /** What a write may still take, of how much; `null` when the system does not tell. */
  space(): DiskSpace | null;
  /** Makes the ballast file if it is not there. False: no room for it. */
  setBallast(): boolean;
  /** Gives the ballast's room back to the disk. False: there was none. */
  dropBallast(): boolean;
}
