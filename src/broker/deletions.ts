/** What the shards are told when topics and groups are deleted. @module */
import type { Topic } from "../model/topic.ts";
import { queuesByShard } from "./offsets.ts";
import type { ShardRouter } from "./shard_router.ts";

/**
 * Drops the queues of a deleted topic. All shards are asked, whether or not one is away: the
 * coordinator tells that one what exists when it is there again.
 *
 * @throws {BrokerError} `storage_failed`: a shard is away, or could not write.
 */
export async function dropQueues(router: ShardRouter, topic: Topic): Promise<void> {
  const asked = Array.from(queuesByShard(topic), ([shard, queueKeys]) => {
    return router.ask(shard, "dropQueues", { queueKeys });
  });
  await Promise.all(asked);
}
