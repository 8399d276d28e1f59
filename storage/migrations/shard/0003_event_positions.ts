/** Events say where the log ended when they happened: a clock's tick holds several. @module */
import type { Migration } from "../../migrate.ts";

/** Version 3. Rows that are there have no position, and their checksums stay as they are. */
export const eventPositions: Migration = {
  version: 3,
  statements: ["ALTER TABLE place_event ADD COLUMN position INTEGER"],
};
