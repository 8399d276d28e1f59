/** The faults that are injected into running brokers, by name. @module */
import { damagedFiles } from "./faults/damaged_files.ts";
import { diskFillsAtOnce, diskFillsUp } from "./faults/disk_full.ts";
import { fsyncErrors, writeErrors } from "./faults/fsync_errors.ts";
import { paused, secondStart, stopsInOrder } from "./faults/process_signals.ts";
import { stuckReader } from "./faults/stuck_reader.ts";
import type { ProofOptions } from "./report.ts";

/** Name → proof; each answers its figures, or throws. */
export const faultProofs: Readonly<Record<string, (options: ProofOptions) => Promise<string>>> = {
  "pause: SIGSTOP and SIGCONT": paused,
  "stop: SIGTERM under load": stopsInOrder,
  "second start: refused by name": secondStart,
  "fsync: EIO for a while": fsyncErrors,
  "write: EIO for a while": writeErrors,
  "disk: fills up": diskFillsUp,
  "disk: full at once": diskFillsAtOnce,
  "files: cut, flipped, zeroed": damagedFiles,
  "reader: one that stays": stuckReader,
};
