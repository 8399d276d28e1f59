/** Parked keys of ordered groups: listing them, and what an operator decides about one. @module */
import { unreachable } from "../../src/base/assert.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties } from "../../src/model/record.ts";
import type {
  ParkedKey,
  ParkedKeysAsk,
  SettleKeyAnswer,
  SettleKeyAsk,
} from "../../src/link/shard_messages.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { forDeadLetter } from "./rewrite.ts";
import { shardingKeyOf, type ShardState } from "./state.ts";

/** The keys of a group that wait for an operator, by queue and offset. */
export function readParkedKeys(
  state: ShardState,
  store: ShardStore,
  { groupKey, queueKeys, keysMax }: ParkedKeysAsk,
): ParkedKey[] {
  const parked: ParkedKey[] = [];
  for (const queueKey of queueKeys) {
    for (const { offset, attempts, untilMs } of state.deliveries(groupKey, queueKey)?.all() ?? []) {
      if (untilMs !== Infinity || parked.length >= keysMax) continue;
      const record = recordAt(store, queueKey, offset);
      if (record === null) continue;
      const behind = state.window(groupKey, queueKey, store).behind(offset);
      const messageId = readProperty(recordProperties(record, 0), propertyNames.uniqueKey) ?? "";
      parked.push({ queueKey, offset, attempts, messageId, key: shardingKeyOf(record), behind });
    }
  }
  return parked;
}

/**
 * Retries, skips or buries the message a key is parked on; the key's next message may then move.
 */
export function planSettleKey(
  state: ShardState,
  draft: TurnDraft,
  store: ShardStore,
  shard: number,
  ask: SettleKeyAsk,
): SettleKeyAnswer {
  const { groupKey, queueKey, offset, by } = ask;
  const deliveries = state.deliveries(groupKey, queueKey);
  const parked = deliveries?.open(offset);
  if (deliveries === undefined || parked === undefined || parked.untilMs !== Infinity) {
    return { verdict: "not-parked" };
  }
  state.window(groupKey, queueKey, store);
  state.touch(groupKey, queueKey, deliveries);
  const before = new Uint8Array(0);
  const event = { groupKey, queueKey, by, fromOffset: offset, toOffset: offset + 1, before };
  switch (ask.action) {
    case "retry":
      deliveries.reopen({ ...parked, attempts: 0, untilMs: draft.nowMs });
      state.unblock(queueKey);
      return { verdict: "done" };
    case "skip":
      draft.note({ ...event, kind: "key-skipped" });
      break;
    case "bury": {
      draft.note({ ...event, kind: "key-buried" });
      const record = recordAt(store, queueKey, offset);
      if (record === null) break;
      const target = { topic: ask.deadLetterTopic, queueId: shard };
      const { attempts } = parked;
      const death = { reason: "buried", attempts, atMs: draft.nowMs, by } as const;
      const dead = forDeadLetter(record, target, death);
      draft.append(ask.deadLetterQueueKey, dead.tagHash, dead.record);
      draft.mustSurvive("power-loss");
      break;
    }
    default:
      return unreachable(ask.action);
  }
  deliveries.bury(offset);
  state.finished(groupKey, queueKey, offset);
  return { verdict: "done" };
}

function recordAt(store: ShardStore, queueKey: number, offset: number): Uint8Array | null {
  const entry = store.entries(queueKey, offset, 1)[0];
  if (entry === undefined || entry.queueOffset !== offset) return null;
  const record = store.records([entry.position])[0];
  return record === undefined || record.length === 0 ? null : record;
}
