/** The registry as plain data: what is stored of it, and what one decision changes. @module */
import type { Group } from "./group.ts";
import type { Topic } from "./topic.ts";

/** Numbers that only grow. A number once given is never given again, not even after a deletion. */
export type RegistryCounters = {
  /** Version of the newest change; each change of the registry takes the next. */
  readonly version: number;
  /** The highest queue key ever given. */
  readonly queueKey: number;
  /** The highest group key ever given. */
  readonly groupKey: number;
};

/** Everything the registry knows. */
export type RegistryState = {
  readonly topics: readonly Topic[];
  readonly groups: readonly Group[];
  readonly counters: RegistryCounters;
};

/** What one decision changes: stored in one transaction, then remembered, then published. */
export type RegistryChange = {
  readonly topics: readonly Topic[];
  readonly groups: readonly Group[];
  readonly deletedTopics: readonly string[];
  readonly deletedGroups: readonly string[];
  readonly counters: RegistryCounters;
};

/** The counters of a broker that was never started. */
export const firstCounters: RegistryCounters = { version: 0, queueKey: 0, groupKey: 0 };
