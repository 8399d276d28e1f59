/** How groups of the test broker are moved. @module */
import type {
  Broker,
  BrokerNews,
  QueuePlace,
  ResetPreview,
  ResetTarget,
} from "../../../src/broker/broker.ts";

type Moved = Pick<Broker, "group" | "places" | "offsetAtTime" | "groupForUse"> & {
  readonly offsets: Map<string, number>;
  readonly news: ReadonlySet<BrokerNews>;
};

/** Moves places, and keeps who did it. Its functions are those of the door. */
export class MemoryResets {
  /** Who moved a group, in order. */
  readonly movers: string[] = [];
  readonly #broker: Moved;

  constructor(broker: Moved) {
    this.#broker = broker;
  }

  readonly placesOfGroups = async (groups: readonly string[]) => {
    const known = groups.filter((name) => this.#broker.group(name) !== undefined);
    const rows = known.map(async (name) => [name, await this.#broker.places(name, null)] as const);
    return new Map(await Promise.all(rows));
  };

  readonly preview = async (
    group: string,
    topic: string,
    target: ResetTarget,
  ): Promise<ResetPreview[]> => {
    const places = await this.#broker.places(group, topic);
    const named = places.filter(({ queueId }) => isNamed(target, queueId));
    return await Promise.all(named.map(async (place) => ({
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
    const moves = await this.preview(group, topic, target);
    this.#move(group, topic, moves.map(({ queueId, toOffset: offset }) => ({ queueId, offset })));
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
    const offsets = (await this.#broker.places(from, topic)).flatMap(
      ({ queueId, committedOffset: offset }) => offset === null ? [] : [{ queueId, offset }],
    );
    this.#move(to, topic, offsets);
    return await this.#broker.places(to, topic);
  };

  #move(group: string, topic: string, offsets: { queueId: number; offset: number }[]): void {
    for (const each of this.#broker.news) each.placesMoving({ group, topic, offsets });
    for (const { queueId, offset } of offsets) {
      this.#broker.offsets.set(`${group}@${topic}/${queueId}`, offset);
    }
    for (const each of this.#broker.news) each.placesMoved({ group, topic, offsets });
  }

  async #offsetOf(place: QueuePlace, target: ResetTarget): Promise<number> {
    if (target.kind === "offset") return target.offset;
    if (target.kind === "offsets") {
      return target.offsets.find(({ queueId }) => queueId === place.queueId)?.offset ?? 0;
    }
    if (target.kind === "earliest") return place.minOffset;
    if (target.kind === "latest") return place.maxOffset;
    return await this.#broker.offsetAtTime(place.topic, place.queueId, target.ms);
  }
}

function isNamed(target: ResetTarget, queueId: number): boolean {
  if (target.kind === "offset") return target.queueId === queueId;
  return target.kind !== "offsets" || target.offsets.some((each) => each.queueId === queueId);
}
