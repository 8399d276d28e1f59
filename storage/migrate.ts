/** Brings a file to the newest version of its tables, in one transaction. @module */
import { StorageError } from "../src/model/errors.ts";
import { storageFault } from "./faults.ts";
import { readPragma } from "./open.ts";
import type { SqliteClient } from "./session.ts";

/** One step of a schema. Never edited after a release: a later one corrects it. */
export type Migration = {
  readonly version: number;
  readonly statements: readonly string[];
  /** Brings rows over that no statement can: runs after the statements, in the same transaction. */
  readonly convert?: (client: SqliteClient) => void;
};

/**
 * Runs the migrations the file has not seen. `user_version` counts them, from 1.
 *
 * @throws {StorageError} The file was written by a newer Curlew, or a statement failed; the file is
 * then as it was.
 */
export function migrate(
  client: SqliteClient,
  path: string,
  migrations: readonly Migration[],
): void {
  const found = Number(readPragma(client, "user_version"));
  const newest = migrations.at(-1)?.version ?? 0;
  if (found > newest) {
    throw new StorageError(
      "io",
      `Cannot open ${path}: its tables have version ${found}, this Curlew knows up to ${newest}. ` +
        "Start the newer Curlew that wrote it, or restore a backup made before the upgrade",
    );
  }
  if (found === newest) return;
  try {
    client.inTransaction("immediate", () => {
      for (const { version, statements, convert } of migrations) {
        if (version <= found) continue;
        for (const statement of statements) client.prepare(statement).run();
        convert?.(client);
        client.prepare(`PRAGMA user_version = ${version}`).all();
      }
    });
  } catch (cause) {
    throw storageFault(`bring ${path} from version ${found} to ${newest}`, cause);
  }
}
