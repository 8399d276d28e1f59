/**
 * Tells every shard which queues and groups exist, at the start and after deletions. A shard that
 * was down while something was deleted finds what nobody will ask for any more, and drops it.
 *
 * Keys are counted up and never given twice, so a key below the counter that is not named is gone;
 * one above it came later than this news. A registry that is older than the shards, after a backup
 * was put back, therefore takes nothing from them.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { rangesOf } from "../../src/core/key_ranges.ts";
import type { ExistingNews, ShardNews } from "../../src/link/coordinator_messages.ts";
import type { RegistryCounters } from "../../src/model/registry.ts";
import type { Topic } from "../../src/model/topic.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { WakeUp } from "./wake_up.ts";

/** What exists, as the registry knows it. */
export type Existing = {
  readonly topics: readonly Topic[];
  /** Of groups, and of readers of broadcast groups. */
  readonly groupKeys: readonly number[];
  readonly counters: Pick<RegistryCounters, "queueKey" | "groupKey">;
};

/** What exists, told to shards. */
export class TellsExisting {
  readonly #clock: Clock;
  readonly #wakeUp: WakeUp;
  readonly #tellAll: () => void;

  constructor(
    shards: number,
    clock: Clock,
    timers: Timers,
    existing: () => Existing,
    tellShard: (shard: number, news: ShardNews) => void,
  ) {
    this.#clock = clock;
    this.#tellAll = () => {
      const all = existing();
      for (let shard = 0; shard < shards; shard++) tellShard(shard, existingNews(all, shard));
    };
    this.#wakeUp = new WakeUp(timers, () => clock.monotonicMs(), () => {
      this.#tellAll();
      return null;
    });
  }

  tellNow(): void {
    this.#tellAll();
  }

  /** Something was deleted: the shards hear of it within `limits.retentionNewsMsMax`. */
  changed(): void {
    this.#wakeUp.by(this.#clock.monotonicMs() + limits.retentionNewsMsMax);
  }

  stop(): void {
    this.#wakeUp.stop();
  }
}

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
