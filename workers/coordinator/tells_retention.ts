/**
 * Tells every shard how its queues may be trimmed. Changes that come close together are told once.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import type { Topic } from "../../src/model/topic.ts";
import type { RetentionRule } from "../../src/ports/shard_store.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { WakeUp } from "./wake_up.ts";

/** Retention rules, told to shards at the start and after changes. */
export class TellsRetention {
  readonly #clock: Clock;
  readonly #wakeUp: WakeUp;
  readonly #tellAll: () => void;

  constructor(
    shards: number,
    clock: Clock,
    timers: Timers,
    topics: () => readonly Topic[],
    tellShard: (shard: number, news: ShardNews) => void,
  ) {
    this.#clock = clock;
    this.#tellAll = () => {
      const all = topics();
      for (let shard = 0; shard < shards; shard++) {
        tellShard(shard, { kind: "retention", rules: retentionRules(all, shard) });
      }
    };
    this.#wakeUp = new WakeUp(timers, () => clock.monotonicMs(), () => {
      this.#tellAll();
      return null;
    });
  }

  /** At the start: a shard trims nothing before it knows its rules. */
  tellNow(): void {
    this.#tellAll();
  }

  /** Topics changed: the shards hear of it within `limits.retentionNewsMsMax`. */
  changed(): void {
    this.#wakeUp.by(this.#clock.monotonicMs() + limits.retentionNewsMsMax);
  }

  stop(): void {
    this.#wakeUp.stop();
  }
}

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
