/** The few things the broker does with files besides SQLite. @module */

/** Who holds a data directory, as its lock file says. */
export type LockHolder = {
  readonly pid: number;
  /** Where the holder can be reached: its HTTP address, or "" before it listens. */
  readonly address: string;
  readonly startedMs: number;
};

/** Someone else holds the directory. `holder` is `null` when the lock file cannot be read. */
export type LockRefused = { readonly kind: "held"; readonly holder: LockHolder | null };

/** The directory is ours until `release`, or until the process ends. */
export interface DirectoryLock {
  readonly kind: "locked";
  /** Writes the address we listen on into the lock file, for the next one who finds it held. */
  announce(address: string): Promise<void>;
  release(): Promise<void>;
}

/** Bytes of the file system a path is on. */
export type DiskSpace = { readonly freeBytes: number; readonly totalBytes: number };

/** The host's files. Errors carry the path in their message and the system's `code`. */
export interface Files {
  /** Makes the directory with its parents, readable by its owner only, if it is not there. */
  makeDirectory(path: string): Promise<void>;
  /** Names in a directory, sorted. */
  list(path: string): Promise<string[]>;
  /** A small file as text, or `null` if there is none. @throws {Error} It is over the limit. */
  readSmall(path: string): Promise<string | null>;
  /**
   * Replaces a small file as a whole: a crash leaves the old or the new one. On return it is on the
   * disk. Readable by its owner only.
   */
  writeSmall(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Deletes a file; it is no error if there is none. */
  remove(path: string): Promise<void>;
  /** Size of a file, or `null` if there is none. */
  sizeBytes(path: string): Promise<number | null>;
  diskSpace(path: string): Promise<DiskSpace>;
  /**
   * Takes the lock of a data directory. A holder that is no longer alive is passed over: its lock
   * file stays, but names no one.
   */
  lockDirectory(path: string, startedMs: number): Promise<DirectoryLock | LockRefused>;
  /**
   * Makes `path` a file of `bytes` real bytes: room kept for the day when the disk is full and
   * something must still be deleted or written. Zero removes it.
   */
  setBallast(path: string, bytes: number): Promise<void>;
}
