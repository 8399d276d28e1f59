/** How groups of the test broker are moved. @module */
import type { Broker, QueuePlace, ResetPreview, ResetTarget } from "../../../src/broker/broker.ts";

type Moved = Pick<Broker, "places" | "offsetAtTime" | "groupForUse"> & {
  readonly offsets: Map<string, number>;
};

/** Moves places, and keeps who did it. Its functions are those of the door. */
export class MemoryResets {
  /** Who moved a group, in order. */
  readonly movers: string[] = [];
  readonly #broker: Moved;

  constructor(broker: Moved) {
    this.#broker = broker;
  }

  readonly preview = async (
    group: string,
    topic: string,
    target: ResetTarget,
  ): Promise<ResetPreview[]> => {
    const places = await this.#broker.places(group, topic);
    return await Promise.all(places.map(async (place) => ({
      queueId: place.queueId,
      fromOffset: place.committedOffset,
      toOffset: await this.#offsetOf(place, target),
      replayed: 0,
      skipped: 0,
    })));
  };

  readonly reset = async (
    group: string,
    topic: string,
    target: ResetTarget,
    by: string,
  ): Promise<QueuePlace[]> => {
    this.movers.push(by);
    for (const { queueId, toOffset } of await this.preview(group, topic, target)) {
      if (target.kind === "offset" && target.queueId !== queueId) continue;
      this.#broker.offsets.set(`${group}@${topic}/${queueId}`, toOffset);
    }
    return await this.#broker.places(group, topic);
  };

  readonly clone = async (
    from: string,
    to: string,
    topic: string,
    by: string,
  ): Promise<QueuePlace[]> => {
    this.movers.push(by);
    await this.#broker.groupForUse(to);
    for (const { queueId, committedOffset } of await this.#broker.places(from, topic)) {
      if (committedOffset === null) continue;
      this.#broker.offsets.set(`${to}@${topic}/${queueId}`, committedOffset);
    }
    return await this.#broker.places(to, topic);
  };

  async #offsetOf(place: QueuePlace, target: ResetTarget): Promise<number> {
    if (target.kind === "offset") return target.offset;
    if (target.kind === "earliest") return place.minOffset;
    if (target.kind === "latest") return place.maxOffset;
    return await this.#broker.offsetAtTime(place.topic, place.queueId, target.ms);
  }
}
