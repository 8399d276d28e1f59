/**
 * The disk under a data directory, by the calls that answer at once: a shard owns its thread.
 *
 * @module
 */
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import type { Disk } from "../../ports/disk.ts";

const stepBytes = 1024 * 1024;

/** Watches the disk of `directory`; `ballastPath` keeps `ballastBytes` of it back. */
export function diskOf(directory: string, ballastPath: string, ballastBytes: number): Disk {
  return {
    space() {
      try {
        const { bavail, blocks, bsize } = statfsSync(directory);
        return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
      } catch {
        return null; // Some file systems do not tell; then only a failed write does.
      }
    },
    setBallast: () => sizeOf(ballastPath) >= ballastBytes || fill(ballastPath, ballastBytes),
    dropBallast() {
      const had = sizeOf(ballastPath) > 0;
      rmSync(ballastPath, { force: true });
      return had;
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Writes real bytes: a file of holes would keep no room. */
function fill(path: string, bytes: number): boolean {
  const file = openSync(path, "w", 0o600);
  try {
    const step = new Uint8Array(Math.min(stepBytes, bytes));
    for (let at = 0; at < bytes; at += step.length) {
      if (writeSync(file, step, 0, Math.min(step.length, bytes - at)) === 0) return false;
    }
    return true;
  } catch {
    rmSync(path, { force: true });
    return false; // No room for ballast is an answer: the guard goes on without.
  } finally {
    closeSync(file);
  }
}
