/**
 * Tells every shard what the registry says of it: at the start, and after changes. Changes that
 * come close together are told once.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { WakeUp } from "./wake_up.ts";

/** Whom to tell, and by which time. */
export type TellsParts = {
  /** How many there are. */
  readonly shards: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly tellShard: (shard: number, news: ShardNews) => void;
};

/** One kind of news, told to all shards. `newsNow` looks at the registry for what to tell. */
export class TellsShards {
  readonly #parts: TellsParts;
  readonly #newsNow: () => (shard: number) => ShardNews;
  readonly #wakeUp: WakeUp;

  constructor(parts: TellsParts, newsNow: () => (shard: number) => ShardNews) {
    this.#parts = parts;
    this.#newsNow = newsNow;
    const { clock, timers } = parts;
    this.#wakeUp = new WakeUp(timers, () => clock.monotonicMs(), () => {
      this.tellNow();
      return null;
    });
  }

  tellNow(): void {
    const newsOf = this.#newsNow();
    for (let shard = 0; shard < this.#parts.shards; shard++) {
      this.#parts.tellShard(shard, newsOf(shard));
    }
  }

  /** Something changed: the shards hear of it within `limits.retentionNewsMsMax`. */
  changed(): void {
    this.#wakeUp.by(this.#parts.clock.monotonicMs() + limits.retentionNewsMsMax);
  }

  stop(): void {
    this.#wakeUp.stop();
  }
}
