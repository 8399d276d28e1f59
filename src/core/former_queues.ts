/**
 * The numbers of queues a topic had before: what led to a queue by its key or id then is looked for
 * in that queue's shard now.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import type { FormerQueues, Topic } from "../model/topic.ts";
import { queueOfKey } from "./placement.ts";

/** What a topic remembers once it has more queues. Beyond the bound the two oldest become one. */
export function formerOf(topic: Topic, nowMs: number): readonly FormerQueues[] {
  const former = [...topic.formerQueues, { queues: topic.queueRefs.length, endedMs: nowMs }];
  if (former.length <= limits.formerQueuesMax) return former;
  const [oldest, next, ...newer] = former;
  const endedMs = Math.max(oldest?.endedMs ?? 0, next?.endedMs ?? 0);
  return [{ queues: null, endedMs }, ...newer];
}

/**
 * The shards of the queues that `key` led to, as far as it did so at `sinceMs` or later. The shard
 * it leads to now may be among them.
 */
export function formerShards(topic: Topic, key: string, sinceMs: number): ReadonlySet<number> {
  const shards = new Set<number>();
  for (const { queues, endedMs } of topic.formerQueues) {
    if (endedMs < sinceMs) continue;
    const refs = queues === null
      ? topic.queueRefs
      : topic.queueRefs.slice(queueOfKey(key, queues)).slice(0, 1);
    for (const { shard } of refs) shards.add(shard);
  }
  return shards;
}
