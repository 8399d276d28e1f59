/**
 * Owns the time of delayed messages: rings a shard when its next one is due. The messages stay in
 * the shards, which set their alarms again after a restart of either side.
 *
 * @module
 */
import type { Clock } from "../../src/base/clock.ts";
import { Alarms } from "../../src/core/delay_schedule.ts";
import type { ShardNews } from "../../src/link/coordinator_messages.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { WakeUp } from "./wake_up.ts";

/** A shard that cannot write sets an alarm in the past again and again; it is rung no faster. */
const ringGapMs = 5;

/** The alarms of all shards, with the clock that rings them. */
export class OwnsDelays {
  readonly #clock: Clock;
  readonly #alarms: Alarms;
  /** When each shard was rung last, by wall time. */
  readonly #rungMs: number[];
  readonly #wakeUp: WakeUp;

  constructor(
    shards: number,
    clock: Clock,
    timers: Timers,
    tellShard: (shard: number, news: ShardNews) => void,
  ) {
    this.#clock = clock;
    this.#alarms = new Alarms(shards);
    this.#rungMs = new Array<number>(shards).fill(-Infinity);
    this.#wakeUp = new WakeUp(timers, () => clock.wallMs(), (nowMs) => {
      for (const shard of this.#alarms.due(nowMs)) {
        this.#rungMs[shard] = nowMs;
        tellShard(shard, { kind: "ring" });
      }
      return this.#alarms.nextDueMs();
    });
  }

  /** A shard names the time of its next message; `null`: none is waiting. */
  setAlarm(shard: number, dueMs: number | null): void {
    // A clock that was set back must not make the shard wait for it.
    const rungMs = Math.min(this.#rungMs[shard] ?? -Infinity, this.#clock.wallMs());
    this.#alarms.set(shard, dueMs === null ? null : Math.max(dueMs, rungMs + ringGapMs));
    this.#wakeUp.by(this.#alarms.nextDueMs());
  }

  stop(): void {
    this.#wakeUp.stop();
  }
}
