/** Topics remember how many queues their keyed timers are spread over. @module */
import type { Migration } from "../../migrate.ts";

/** Version 2. Keys led to all queues a topic had, and so they go on. */
export const timerQueues: Migration = {
  version: 2,
  statements: [
    "ALTER TABLE topic ADD COLUMN timer_queues INTEGER NOT NULL DEFAULT 0",
    "UPDATE topic SET timer_queues = json_array_length(queue_refs)",
  ],
};
