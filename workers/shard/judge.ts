/**
 * Which entries of a queue a pull wants. Tags are judged by the index alone; for SQL the records
 * are read, a slice at a time, so that a small pull does not read far ahead.
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

/** What is read of a store. */
export type JudgedStore = Pick<ShardStore, "entries" | "records">;

/**
 * Entries with a verdict each. What cannot be read cannot be judged: it counts as wanted, so that
 * taking it tells of the damage. `readBytes`: what was read of their records.
 */
export type Judged = {
  readonly entries: readonly QueueEntry[];
  readonly wants: (index: number) => boolean;
  readonly isUnreadable: (index: number) => boolean;
  readonly readBytes: number;
};

type Verdict = "wanted" | "unwanted" | "unreadable";

/** Up to `room` entries for a reader who takes all of them, a slice for one who chooses. */
export function judgedEntries(
  store: JudgedStore,
  filter: Filter,
  from: { readonly queueKey: number; readonly offset: number; readonly room: number },
): Judged {
  const { queueKey, offset, room } = from;
  if (filter.kind !== "sql") {
    const count = filter.kind === "all" ? room : tagSliceEntries;
    const entries = store.entries(queueKey, offset, count);
    const wants = (index: number) => mightMatch(filter, entries[index]!.tagHash);
    return { entries, wants, isUnreadable: () => false, readBytes: 0 };
  }
  const entries: QueueEntry[] = [];
  let readBytes = 0;
  for (const entry of store.entries(queueKey, offset, sqlSliceEntries)) {
    if (readBytes > 0 && readBytes + entry.bytes > sqlSliceBytes) break;
    entries.push(entry);
    readBytes += entry.bytes;
  }
  const verdicts = verdictsOf(store, filter, entries);
  return {
    entries,
    wants: (index) => verdicts[index] !== "unwanted",
    isUnreadable: (index) => verdicts[index] === "unreadable",
    readBytes,
  };
}

function verdictsOf(store: JudgedStore, filter: Filter, entries: readonly QueueEntry[]): Verdict[] {
  try {
    const records = store.records(entries.map(({ position }) => position));
    return entries.map(({ tagHash }, index) => verdictOf(filter, tagHash, records[index]));
  } catch (thrown) {
    if (!(thrown instanceof StorageError) || thrown.fault !== "damaged") throw thrown;
    if (entries.length <= 1) return entries.map(() => "unreadable");
    return entries.flatMap((entry) => verdictsOf(store, filter, [entry]));
  }
}

/** A record retention has just taken is empty. */
function verdictOf(filter: Filter, tagHash: number, record: Uint8Array | undefined): Verdict {
  if (record === undefined || record.length === 0) return "unwanted";
  return accepts(filter, tagHash, () => recordProperties(record, 0)) ? "wanted" : "unwanted";
}
