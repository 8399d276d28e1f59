/** Whether every shard serves. @module */
import { BrokerError } from "../model/errors.ts";
import type { Health } from "./broker.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Asks every shard. One that does not answer is a problem, not a failure. */
export async function healthOf(router: ShardRouter): Promise<Health> {
  const shards: { shard: number; stats: Health["shards"][number]["stats"] }[] = [];
  const problems: string[] = [];
  for (let shard = 0; shard < router.count; shard++) {
    try {
      const stats = await router.ask(shard, "stats", null);
      shards.push({ shard, stats });
      if (stats.state !== "ok") {
        problems.push(`shard ${shard} is ${stats.state}: ${stats.reason}`);
      }
    } catch (thrown) {
      if (!(thrown instanceof BrokerError)) throw thrown;
      problems.push(`shard ${shard} does not answer: ${thrown.message}`);
    }
  }
  return { ready: problems.length === 0, problems, shards };
}
