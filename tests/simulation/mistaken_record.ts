/** What a store that makes a mistake on purpose writes instead of a turn. @module */
import { operatorsKey } from "../../workers/shard/state.ts";
import type { HalfRow, TurnRecord } from "../../src/ports/shard_store.ts";
import type { SimTables } from "./sim_tables.ts";

/** Mistakes a store can be told to make, so that the checkers can be tested. */
export type StoreMistake =
  | "acknowledges before it commits"
  | "loses its last turn in a crash"
  | "forgets open deliveries when opened"
  | "moves offsets of a refused turn"
  | "releases delayed messages early"
  | "is due a tick early"
  | "forgets what was called off"
  | "forgets verdicts"
  | "counts questions nobody was asked"
  | "forgets which letters went back"
  | "forgets who has places of his own";

/** The turn as it is written; without a mistake, or one of another kind, as it came. */
export function mistakenRecord(
  mistake: StoreMistake | null,
  record: TurnRecord,
  tables: SimTables,
): TurnRecord {
  switch (mistake) {
    case "forgets what was called off": {
      const { entries, delayedPuts } = record;
      return entries.length + delayedPuts.length > 0 ? record : { ...record, delayedDeletes: [] };
    }
    case "forgets verdicts": {
      const halfPuts = record.halfPuts.filter(({ settledMs }) => settledMs === 0);
      return { ...record, halfPuts };
    }
    case "counts questions nobody was asked": {
      const halfPuts = record.halfPuts.map((row) => countedEarly(row, tables.halves.get(row.id)));
      return { ...record, halfPuts };
    }
    case "forgets which letters went back": {
      const isOthers = ({ groupKey }: { readonly groupKey: number }) => groupKey !== operatorsKey;
      const { offsets, inflight } = record;
      return {
        ...record,
        offsets: offsets.filter(isOthers),
        inflight: inflight.filter(isOthers),
      };
    }
    default:
      return record;
  }
}

/** A row that is put off counts as if its producer had been asked. */
function countedEarly(row: HalfRow, before: HalfRow | undefined): HalfRow {
  const isPutOff = before?.state === "prepared" && row.state === "prepared" &&
    row.checks === before.checks && row.nextCheckMs > before.nextCheckMs;
  return isPutOff ? { ...row, checks: row.checks + 1 } : row;
}
