/** Topics remember how many queues they had before. @module */
import type { Migration } from "../../migrate.ts";

/**
 * Version 3. Of topics that grew before, nobody noted when, nor by which steps: timers may be
 * pending wherever their queues are, and messages that were sent then are taken for older than the
 * window in which ids are recognised.
 */
export const formerQueues: Migration = {
  version: 3,
  statements: [
    "ALTER TABLE topic ADD COLUMN former_queues TEXT NOT NULL DEFAULT '[]'",
    `UPDATE topic SET former_queues = '[{"queues":null,"endedMs":0}]'
      WHERE timer_queues < json_array_length(queue_refs)`,
  ],
};
