/** What the shards are told when topics and groups are deleted. @module */
import type { Log } from "../base/log.ts";
import { asBrokerError } from "../model/errors.ts";
import type { Topic } from "../model/topic.ts";
import { queuesByShard } from "./offsets.ts";
import type { ShardRouter } from "./shard_router.ts";

/**
 * Tells the shards that a topic is deleted. They answer before they have dropped what it held: that
 * takes them as long as it takes. The deletion stands already, whoever is away now: the coordinator
 * tells every shard what exists, soon and whenever it starts.
 */
export async function dropQueues(router: ShardRouter, topic: Topic, log: Log): Promise<void> {
  await Promise.all(Array.from(queuesByShard(topic), async ([shard, queueKeys]) => {
    try {
      await router.ask(shard, "dropQueues", { queueKeys });
    } catch (thrown) {
      const reason = asBrokerError(thrown).message;
      log.warn("a shard hears of a deleted topic later", { shard, topic: topic.name, reason });
    }
  }));
}
