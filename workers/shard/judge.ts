/**
 * Which entries of a queue a pull wants. Tags are judged by the index alone; for SQL the records are
 * read, a slice at a time, so that a small pull does not read far ahead.
 *
 * @module
 */
import { accepts, mightMatch } from "../../src/core/filter.ts";
import { StorageError } from "../../src/model/errors.ts";
import { recordProperties } from "../../src/model/record.ts";
import type { Filter } from "../../src/model/subscription.ts";
import type { QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";

/** Entries whose tags are compared in one step. */
const tagSliceEntries = 512;
/** Records read in one step. */
const sqlSliceEntries = 64;
/** Their bytes: beyond it the slice ends, with one record at least. */
const sqlSliceBytes = 1024 * 1024;

/** Entries with a verdict each. `readBytes`: what was read of their records. */
export type Judged = {
  readonly entries: readonly QueueEntry[];
  readonly wants: (index: number) => boolean;
  readonly readBytes: number;
};

/** Up to `room` entries for a reader who takes all of them, a slice for one who chooses. */
export function judgedEntries(
  store: ShardStore,
  filter: Filter,
  from: { readonly queueKey: number; readonly offset: number; readonly room: number },
): Judged {
  const { queueKey, offset, room } = from;
  if (filter.kind !== "sql") {
    const count = filter.kind === "all" ? room : tagSliceEntries;
    const entries = store.entries(queueKey, offset, count);
    return { entries, wants: (index) => mightMatch(filter, entries[index]!.tagHash), readBytes: 0 };
  }
  const entries: QueueEntry[] = [];
  let readBytes = 0;
  for (const entry of store.entries(queueKey, offset, sqlSliceEntries)) {
    if (readBytes > 0 && readBytes + entry.bytes > sqlSliceBytes) break;
    entries.push(entry);
    readBytes += entry.bytes;
  }
  const verdicts = verdictsOf(store, filter, entries);
  return { entries, wants: (index) => verdicts[index] === true, readBytes };
}

function verdictsOf(store: ShardStore, filter: Filter, entries: readonly QueueEntry[]): boolean[] {
  try {
    const records = store.records(entries.map(({ position }) => position));
    return entries.map(({ tagHash }, index) => isWanted(filter, tagHash, records[index]));
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || thrown.fault !== "damaged") throw thrown;
    // What cannot be read cannot be judged. It counts as wanted: taking it tells of the damage, as
    // it does for a reader without a filter.
    if (entries.length <= 1) return entries.map(() => true);
    return entries.flatMap((entry) => verdictsOf(store, filter, [entry]));
  }
}

/** A record retention has just taken is empty. */
function isWanted(filter: Filter, tagHash: number, record: Uint8Array | undefined): boolean {
  if (record === undefined || record.length === 0) return false;
  return accepts(filter, tagHash, () => recordProperties(record, 0));
}
