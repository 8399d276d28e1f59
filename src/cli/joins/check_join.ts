/**
 * Joins `curlew check` to the stores and the directory's lock. Imported by that command only.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { inspectShard } from "../../../storage/inspect.ts";
import { StorageError } from "../../model/errors.ts";
import { runtime } from "../../runtime/mod.ts";
import type { Finding, Inspect } from "../commands/check.ts";
import { UsageError } from "../failure.ts";
import { showCount } from "../units.ts";

/** Reads every shard of a directory that no broker holds, and holds it meanwhile. */
export const inspect: Inspect = async (directory) => {
  const shards = existsSync(directory)
    ? readdirSync(directory).filter((name) => /^shard-\d+\.db$/.test(name)).sort()
    : [];
  if (shards.length === 0) throw new UsageError(`There is no broker's data in ${directory}.`);
  const { files, clock } = runtime;
  const lock = await files.lockDirectory(directory, clock.wallMs());
  if (lock.kind !== "locked") {
    throw new UsageError(`Another process holds ${directory}.`, "Stop that broker first");
  }
  try {
    return shards.flatMap((name) => inspectOne(join(directory, name)));
  } finally {
    await lock.release();
  }
};

function inspectOne(where: string): Finding[] {
  try {
    const { turns, messages, chunks, faults, findings } = inspectShard(where);
    const counts = `${showCount(messages)} messages, ${showCount(turns)} turns, ` +
      `${showCount(chunks)} index chunks`;
    const found: Finding[] = findings.map((says) => ({ kind: "fault", where, says }));
    const hidden = faults - findings.length;
    if (hidden > 0) found.push({ kind: "fault", where, says: `and ${showCount(hidden)} more` });
    return [{ kind: "note", where, says: `read ${counts}` }, ...found];
  } catch (thrown) {
    if (!(thrown instanceof StorageError)) throw thrown;
    return [{ kind: "fault", where, says: thrown.message }];
  }
}
