/**
 * What the shards are told when topics and groups are deleted.
 *
 * The registry has decided and stored the deletion already, so it stands, whoever is away now: the
 * coordinator tells every shard what exists, soon and whenever it starts, and a shard drops what
 * else it finds.
 *
 * @module
 */
import type { Log } from "../base/log.ts";
import { asBrokerError } from "../model/errors.ts";
import type { Group } from "../model/group.ts";
import type { Topic } from "../model/topic.ts";
import { queuesByShard } from "./offsets.ts";
import type { ShardRouter } from "./shard_router.ts";

/**
 * Tells the shards that a topic is deleted. They answer before they have dropped what it held: that
 * takes them as long as it takes.
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

/** Tells all shards that a group is deleted. They answer once its places are gone. */
export async function dropGroup(router: ShardRouter, group: Group, log: Log): Promise<void> {
  await Promise.all(Array.from({ length: router.count }, async (_, shard) => {
    try {
      await router.ask(shard, "dropGroup", { groupKey: group.groupKey });
    } catch (thrown) {
      const reason = asBrokerError(thrown).message;
      log.warn("a shard hears of a deleted group later", { shard, group: group.name, reason });
    }
  }));
}
