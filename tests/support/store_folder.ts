/** A folder for one shard's files, and copies of it. @module */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "../../src/base/clock.ts";
import {
  openShardStore,
  shardMarkPath,
  shardPath,
  type ShardStoreOptions,
  type SqliteShardStore,
} from "../../storage/mod.ts";

/** Opens shard 0 of a folder of its own. */
export class StoreFolder {
  readonly directory: string;
  readonly #opened: SqliteShardStore[] = [];

  constructor(directory = mkdtempSync(join(tmpdir(), "curlew-store-"))) {
    this.directory = directory;
  }

  get path(): string {
    return shardPath(this.directory, 0);
  }

  get walPath(): string {
    return `${this.path}-wal`;
  }

  get markPath(): string {
    return shardMarkPath(this.directory, 0);
  }

  open(options: Partial<ShardStoreOptions> = {}): SqliteShardStore {
    const clock = new ManualClock();
    const store = openShardStore({ directory: this.directory, shard: 0, clock, ...options });
    this.#opened.push(store);
    return store;
  }

  /** The files as a killed process would leave them: database, WAL and mark, without a close. */
  copy(): StoreFolder {
    const copy = new StoreFolder();
    for (const name of ["shard-0.db", "shard-0.db-wal", "shard-0.mark"]) {
      cpSync(join(this.directory, name), join(copy.directory, name));
    }
    return copy;
  }

  /** Closes what a failed test left open, and deletes the folder. */
  remove(): void {
    for (const store of this.#opened) {
      try {
        store.close();
      } catch {
        // Closed by the test, or refused by it on purpose: the folder goes either way.
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
