/** What every shard is told of how its queues may be trimmed. @module */
import type { Topic } from "../../src/model/topic.ts";
import type { RetentionRule } from "../../src/ports/shard_store.ts";

/**
 * The rules of one shard. Topics without a bound in bytes share a rule when they agree otherwise. A
 * topic's bound in bytes is shared out among the shards by the queues each of them has.
 */
export function retentionRules(topics: readonly Topic[], shard: number): RetentionRule[] {
  const rules: RetentionRule[] = [];
  const shared = new Map<string, RetentionRule & { readonly queueKeys: number[] }>();
  for (const { settings, queueRefs } of topics) {
    const queueKeys = queueRefs.filter((ref) => ref.shard === shard).map((ref) => ref.queueKey);
    if (queueKeys.length === 0) continue;
    const { retentionMs, retentionBytes, deleteUnread } = settings;
    if (retentionBytes !== null) {
      const share = Math.ceil(retentionBytes * (queueKeys.length / queueRefs.length));
      rules.push({ queueKeys, retentionMs, retentionBytes: share, deleteUnread });
      continue;
    }
    const key = `${retentionMs} ${deleteUnread}`;
    const rule = shared.get(key);
    if (rule === undefined) {
      shared.set(key, { queueKeys, retentionMs, retentionBytes: null, deleteUnread });
    } else {
      for (const queueKey of queueKeys) rule.queueKeys.push(queueKey);
    }
  }
  return [...rules, ...shared.values()];
}
