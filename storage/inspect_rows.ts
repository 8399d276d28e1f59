/** The part of an inspection that holds each row of the small tables to its checksum. @module */
import type { DatabaseSync } from "node:sqlite";
import { delayedRowOf, type DelayedTableRow } from "./delay_store.ts";
import { eventOf, type EventTableRow } from "./event_store.ts";
import { halfRowOf, type HalfTableRow } from "./half_store.ts";
import { assertRow } from "./row_checksum.ts";

type Row = Readonly<Record<string, unknown>>;

/** Calls `inspect` with a check for each row; a check that fails throws. */
export function inspectRows(
  sqlite: DatabaseSync,
  path: string,
  inspect: (check: () => void) => void,
): void {
  const version = Number(sqlite.prepare("PRAGMA user_version").get()?.["user_version"]);
  const checks = version === 1 ? versionOneChecks : { ...placeChecks, ...waitingChecks(path) };
  for (const [table, check] of Object.entries(checks)) {
    for (const row of sqlite.prepare(`SELECT * FROM ${table}`).iterate()) {
      inspect(() => check(row));
    }
  }
}

/** The named columns are covered by the row's checksum, in this order. */
function columns(row: Row, what: string, names: readonly string[], blob?: string): void {
  const numbers = names.map((name) => Number(row[name]));
  const bytes = blob === undefined ? undefined : row[blob] as Uint8Array;
  assertRow(Number(row["checksum"]), numbers, what, bytes);
}

const placeChecks = {
  "group_offset": (row: Row) => {
    const what = `the offset of group ${row["groupKey"]} in queue ${row["queueKey"]}`;
    columns(row, what, ["groupKey", "queueKey", "nextOffset"]);
  },
  inflight: (row: Row) => {
    const what = `what group ${row["groupKey"]} has open in queue ${row["queueKey"]}`;
    columns(row, what, ["groupKey", "queueKey", "chunk"], "entries");
  },
};

const versionOneChecks = {
  ...placeChecks,
  delayed: (row: Row) => {
    const what = `the delayed message ${row["id"]}`;
    columns(row, what, ["id", "dueMs", "queueKey", "tagHash"], "record");
  },
};

function waitingChecks(path: string) {
  return {
    "last_id": (row: Row) =>
      columns(row, `the last id of table ${row["tableNumber"]}`, ["tableNumber", "id"]),
    delayed: (row: Row) => delayedRowOf(row as DelayedTableRow, path),
    half: (row: Row) => halfRowOf(row as HalfTableRow, path),
    "place_event": (row: Row) => eventOf(row as EventTableRow),
  };
}
