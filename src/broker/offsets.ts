/** Where groups stand: places, commits, resets. @module */
import { limits } from "../base/limits.ts";
import type { Group } from "../model/group.ts";
import type { Topic } from "../model/topic.ts";
import { BrokerError } from "../model/errors.ts";
import type { GroupPlace } from "../link/shard_messages.ts";
import type {
  BrokerNews,
  NamedPlaceEvent,
  PlacesMove,
  QueuePlace,
  ResetPreview,
  ResetTarget,
} from "./broker.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Who is told of groups that are moved. */
export type MoveNews = Pick<BrokerNews, "placesMoving" | "placesMoved" | "placesStayed">;

/** Events of one queue that are told. */
const eventsOfQueueMax = 16;

/** Says and moves how far groups are. What spans several shards is not one transaction. */
export class Offsets {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;
  readonly #told: MoveNews;

  constructor(view: RegistryView, router: ShardRouter, told: MoveNews) {
    this.#view = view;
    this.#router = router;
    this.#told = told;
  }

  async places(
    groupName: string,
    topicName: string | null,
    queueId?: number,
  ): Promise<QueuePlace[]> {
    const group = this.#view.needGroup(groupName);
    if (topicName !== null) {
      const topic = this.#view.needTopic(topicName);
      if (queueId === undefined) return await this.#placesIn(group, topic);
      const { queueKey, shard } = this.#queue(topic, queueId);
      const ask = { groupKey: group.groupKey, queueKeys: [queueKey] };
      const places = await this.#router.ask(shard, "places", ask);
      return places.map((place) => namedPlace(topicName, queueId, place));
    }
    return (await this.placesOfGroups([groupName])).get(groupName) ?? [];
  }

  /** Every shard is asked once for so many groups, whatever the number of topics. */
  async placesOfGroups(groupNames: readonly string[]): Promise<Map<string, QueuePlace[]>> {
    const groups = groupNames.flatMap((name) => this.#view.group(name) ?? []);
    const found = new Map<string, QueuePlace[]>(groups.map(({ name }) => [name, []]));
    for (let at = 0; at < groups.length; at += limits.groupsPerPlacesAskMax) {
      const some = groups.slice(at, at + limits.groupsPerPlacesAskMax);
      const groupKeys = some.map(({ groupKey }) => groupKey);
      for (const ofShard of await this.#router.askAll("groupPlaces", () => ({ groupKeys }))) {
        ofShard.forEach((places, index) => {
          found.get(some[index]?.name ?? "")?.push(...this.#named(places));
        });
      }
    }
    for (const places of found.values()) places.sort(byTopicAndQueue);
    return found;
  }

  async commit(groupName: string, topicName: string, queueId: number, offset: number) {
    const { groupKey } = this.#view.needGroup(groupName);
    const { queueKey, shard } = this.#queue(this.#view.needTopic(topicName), queueId);
    const offsets = [{ queueKey, offset }];
    await this.#router.ask(shard, "commitOffsets", { groupKey, offsets, reset: null });
  }

  /** Where a reset would go, and what it would hand out again or pass over. Changes nothing. */
  async preview(
    groupName: string,
    topicName: string,
    target: ResetTarget,
  ): Promise<ResetPreview[]> {
    const group = this.#view.needGroup(groupName);
    const topic = this.#view.needTopic(topicName);
    const places = await this.#placesIn(group, topic);
    const previews = await Promise.all(places.map(async (place) => {
      if (!names(target, place.queueId)) return [];
      const { queueKey, shard } = this.#queue(topic, place.queueId);
      const toOffset = await this.#offsetOf(target, topic, place.queueId);
      const fromOffset = place.committedOffset;
      const ask = { groupKey: group.groupKey, targets: [{ queueKey, toOffset }] };
      const [would] = await this.#router.ask(shard, "previewReset", ask);
      const { replayed, skipped } = would ?? { replayed: 0, skipped: 0 };
      return [{ queueId: place.queueId, fromOffset, toOffset, replayed, skipped }];
    }));
    return previews.flat();
  }

  /** Moves a group's places, also back. What was handed out before counts for nothing. */
  async reset(
    groupName: string,
    topicName: string,
    target: ResetTarget,
    by: string,
  ): Promise<QueuePlace[]> {
    this.#view.needGroup(groupName);
    const topic = this.#view.needTopic(topicName);
    const offsets = await Promise.all(
      queuesNamed(target, topic).map(async (queueId) => {
        return { queueId, offset: await this.#offsetOf(target, topic, queueId) };
      }),
    );
    await this.#move({ group: groupName, topic: topicName, offsets }, { kind: "reset", by });
    return await this.places(groupName, topicName);
  }

  /** Each shard moves its queues at once, all or none; who is told hears what each of them did. */
  async #move(
    move: PlacesMove,
    { kind, by }: { readonly kind: "reset" | "clone"; readonly by: string },
  ): Promise<void> {
    if (move.offsets.length === 0) return;
    const { groupKey, settings: { startFrom } } = this.#view.needGroup(move.group);
    const reset = { kind, by, startFrom };
    const topic = this.#view.needTopic(move.topic);
    const byShard = Map.groupBy(move.offsets, ({ queueId }) => this.#queue(topic, queueId).shard);
    const stayed = new Set<PlacesMove["offsets"][number]>();
    this.#told.placesMoving(move);
    const done = await Promise.allSettled(Array.from(byShard, async ([shard, some]) => {
      const offsets = some.map(({ queueId, offset }) => {
        return { queueKey: this.#queue(topic, queueId).queueKey, offset };
      });
      try {
        await this.#router.ask(shard, "commitOffsets", { groupKey, offsets, reset });
      } catch (thrown) {
        this.#told.placesStayed({ ...move, offsets: some });
        for (const one of some) stayed.add(one);
        throw thrown;
      }
    }));
    const moved = move.offsets.filter((one) => !stayed.has(one));
    if (moved.length > 0) this.#told.placesMoved({ ...move, offsets: moved });
    const failed = done.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Takes the newest reset or clone of each queue back. @throws {BrokerError} `conflict`: none. */
  async undo(groupName: string, topicName: string, by: string): Promise<QueuePlace[]> {
    const { groupKey } = this.#view.needGroup(groupName);
    const topic = this.#view.needTopic(topicName);
    let undone = 0;
    for (const [shard, queueKeys] of queuesByShard(topic)) {
      const answer = await this.#router.ask(shard, "undoReset", { groupKey, queueKeys, by });
      undone += answer.undone.length;
    }
    if (undone > 0) {
      const places = await this.places(groupName, topicName);
      const offsets = places.flatMap(({ queueId, committedOffset: offset }) =>
        offset === null ? [] : [{ queueId, offset }]
      );
      // Where to is known only now: what members committed meanwhile counted.
      this.#told.placesMoving({ group: groupName, topic: topicName, offsets });
      this.#told.placesMoved({ group: groupName, topic: topicName, offsets });
      return places;
    }
    throw new BrokerError(
      "conflict",
      `Cannot undo: group "${groupName}" was not reset in topic "${topicName}", ` +
        "or its newest reset was undone already; a reset puts it anywhere",
    );
  }

  /** Gives `toName` the place of `fromName` in a topic; what is open there begins again. */
  async clone(
    fromName: string,
    toName: string,
    topicName: string,
    by: string,
  ): Promise<QueuePlace[]> {
    this.#view.needGroup(toName);
    const offsets = (await this.places(fromName, topicName)).flatMap((place) => {
      const { queueId, committedOffset: offset } = place;
      return offset === null ? [] : [{ queueId, offset }];
    });
    await this.#move({ group: toName, topic: topicName, offsets }, { kind: "clone", by });
    return await this.places(toName, topicName);
  }

  /** What was done to a group's places in a topic, newest first. */
  async events(groupName: string, topicName: string): Promise<NamedPlaceEvent[]> {
    const { groupKey } = this.#view.needGroup(groupName);
    const topic = this.#view.needTopic(topicName);
    const found: NamedPlaceEvent[] = [];
    for (const [shard, queueKeys] of queuesByShard(topic)) {
      const ask = { groupKey, queueKeys, eventsMax: eventsOfQueueMax };
      for (const event of await this.#router.ask(shard, "placeEvents", ask)) {
        const { queueKey, atMs, kind, by, fromOffset, toOffset } = event;
        const queueId = this.#view.queue(queueKey)?.queueId ?? -1;
        found.push({ queueId, atMs, kind, by, fromOffset, toOffset });
      }
    }
    return found.sort((one, other) => other.atMs - one.atMs);
  }

  /** By queue id. */
  async ranges(topicName: string): Promise<{ minOffset: number; maxOffset: number }[]> {
    const topic = this.#view.needTopic(topicName);
    const byKey = new Map<number, { minOffset: number; maxOffset: number }>();
    await Promise.all([...queuesByShard(topic)].map(async ([shard, queueKeys]) => {
      const ranges = await this.#router.ask(shard, "ranges", { queueKeys });
      for (const { queueKey, minOffset, maxOffset } of ranges) {
        byKey.set(queueKey, { minOffset, maxOffset });
      }
    }));
    const empty = { minOffset: 0, maxOffset: 0 };
    return topic.queueRefs.map(({ queueKey }) => byKey.get(queueKey) ?? empty);
  }

  async offsetAtTime(topicName: string, queueId: number, ms: number): Promise<number> {
    const { queueKey, shard } = this.#queue(this.#view.needTopic(topicName), queueId);
    return await this.#router.ask(shard, "offsetAtTime", { queueKey, ms });
  }

  async #offsetOf(target: ResetTarget, topic: Topic, queueId: number): Promise<number> {
    const { shard, queueKey } = this.#queue(topic, queueId);
    if (target.kind === "time") {
      return await this.#router.ask(shard, "offsetAtTime", { queueKey, ms: target.ms });
    }
    const [range] = await this.#router.ask(shard, "ranges", { queueKeys: [queueKey] });
    const { minOffset, maxOffset } = range ?? { minOffset: 0, maxOffset: 0 };
    if (target.kind === "earliest") return minOffset;
    if (target.kind === "latest") return maxOffset;
    const wanted = target.kind === "offset"
      ? target.offset
      : target.offsets.find((each) => each.queueId === queueId)?.offset ?? -1;
    if (wanted >= minOffset && wanted <= maxOffset) return wanted;
    throw new BrokerError(
      "invalid_argument",
      `Cannot reset to offset ${wanted}: the queue has offsets ${minOffset} to ${maxOffset}`,
    );
  }

  /** What belongs to topics that are gone meanwhile is left out. */
  #named(places: readonly GroupPlace[]): QueuePlace[] {
    return places.flatMap((place) => {
      const queue = this.#view.queue(place.queueKey);
      return queue === undefined ? [] : [namedPlace(queue.topic.name, queue.queueId, place)];
    });
  }

  async #placesIn(group: Group, topic: Topic): Promise<QueuePlace[]> {
    const places = new Map<number, GroupPlace>();
    await Promise.all([...queuesByShard(topic)].map(async ([shard, queueKeys]) => {
      const ask = { groupKey: group.groupKey, queueKeys };
      for (const place of await this.#router.ask(shard, "places", ask)) {
        places.set(place.queueKey, place);
      }
    }));
    return topic.queueRefs.flatMap(({ queueKey }, queueId) => {
      const place = places.get(queueKey);
      return place === undefined ? [] : [namedPlace(topic.name, queueId, place)];
    });
  }

  #queue(topic: Topic, queueId: number) {
    const ref = topic.queueRefs[queueId];
    if (ref !== undefined) return ref;
    throw new BrokerError(
      "queue_not_found",
      `Topic "${topic.name}" has queues 0 to ${topic.queueRefs.length - 1}, but not ${queueId}`,
    );
  }
}

/** The queues a reset is about. */
function queuesNamed(target: ResetTarget, topic: Topic): number[] {
  if (target.kind === "offset") return [target.queueId];
  if (target.kind === "offsets") return target.offsets.map(({ queueId }) => queueId);
  return [...topic.queueRefs.keys()];
}

function names(target: ResetTarget, queueId: number): boolean {
  if (target.kind === "offset") return target.queueId === queueId;
  return target.kind !== "offsets" || target.offsets.some((each) => each.queueId === queueId);
}

function byTopicAndQueue(one: QueuePlace, other: QueuePlace): number {
  if (one.topic === other.topic) return one.queueId - other.queueId;
  return one.topic < other.topic ? -1 : 1;
}

/** The queue keys of a topic, by the shard that holds them. */
export function queuesByShard(topic: Topic): Map<number, number[]> {
  const byShard = new Map<number, number[]>();
  for (const { shard, queueKey } of topic.queueRefs) {
    const keys = byShard.get(shard);
    if (keys === undefined) byShard.set(shard, [queueKey]);
    else keys.push(queueKey);
  }
  return byShard;
}

function namedPlace(topic: string, queueId: number, place: GroupPlace): QueuePlace {
  const { committed, next, openDeliveries, minOffset, maxOffset } = place;
  const from = Math.max(next ?? minOffset, minOffset);
  return {
    topic,
    queueId,
    committedOffset: committed,
    nextOffset: next,
    openDeliveries,
    minOffset,
    maxOffset,
    unmatched: place.unmatched,
    expired: place.expired,
    lag: Math.max(0, maxOffset - from) + openDeliveries,
  };
}
