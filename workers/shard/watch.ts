/** Whether a receive would be handed something, without handing it out. @module */
import type { WatchAsk } from "../../src/link/shard_messages.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { ShardState } from "./state.ts";

/**
 * True: one of the queues has a message the group never saw, or one whose time to be tried again
 * has come. What is kept for other members of the group, or waits behind its key, does not count.
 */
export function hasWork(
  state: ShardState,
  store: Pick<ShardStore, "minOffset" | "maxOffset" | "entries" | "records">,
  ask: WatchAsk,
  nowMs: number,
): boolean {
  const { groupKey, ordered } = ask;
  return ask.queueKeys.some((queueKey) => {
    const maxOffset = store.maxOffset(queueKey);
    const deliveries = state.deliveries(groupKey, queueKey);
    // Wherever the group is to begin: its first receive gives it its place.
    if (deliveries === undefined) return maxOffset > store.minOffset(queueKey);
    if (deliveries.next < maxOffset) return true;
    if (!ordered) return deliveries.hasDue(nowMs, ({ attempts }) => attempts > 0);
    const window = state.window(groupKey, queueKey, store);
    return deliveries.hasDue(nowMs, ({ offset }) => window.isFirst(offset));
  });
}
