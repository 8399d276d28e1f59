/**
 * What every shard is told of the queues and groups that exist. One that was down while something
 * was deleted finds what nobody will ask for any more, and drops it.
 *
 * Keys are counted up and never given twice, so a key below the counter that is not named is gone;
 * one above it came later than this news. A registry that is older than the shards, after a backup
 * was put back, therefore takes nothing from them.
 *
 * @module
 */
import { rangesOf } from "../../src/core/key_ranges.ts";
import type { ExistingNews } from "../../src/link/coordinator_messages.ts";
import type { RegistryCounters } from "../../src/model/registry.ts";
import type { Topic } from "../../src/model/topic.ts";

/** What exists, as the registry knows it. */
export type Existing = {
  readonly topics: readonly Topic[];
  /** Of groups, and of readers of broadcast groups. */
  readonly groupKeys: readonly number[];
  readonly counters: Pick<RegistryCounters, "queueKey" | "groupKey">;
};

/** The news of one shard: groups are in all of them. */
export function existingNews({ topics, groupKeys, counters }: Existing, shard: number) {
  const queueKeys = topics.flatMap(({ queueRefs }) =>
    queueRefs.filter((ref) => ref.shard === shard).map((ref) => ref.queueKey)
  );
  const news: ExistingNews = {
    kind: "existing",
    queueKeys: rangesOf(queueKeys),
    queueKeyMax: counters.queueKey,
    groupKeys: rangesOf(groupKeys),
    groupKeyMax: counters.groupKey,
  };
  return news;
}
