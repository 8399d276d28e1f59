/** Gathers what is known of a message and a group, and says why it was not delivered. @module */
import { explain } from "../core/explain.ts";
import type { Clock } from "../base/clock.ts";
import type { LinkClient } from "../link/client.ts";
import type { CoordinatorOperations, LiveFilter } from "../link/coordinator_messages.ts";
import type {
  DeadFacts,
  ExplainFacts,
  ExplainTarget,
  Explanation,
  RetentionFacts,
  WaitingFacts,
} from "../model/explanation.ts";
import { type DeathFacts, deathFacts } from "../model/dead_letter.ts";
import { BrokerError } from "../model/errors.ts";
import type { Group } from "../model/group.ts";
import { deadLetterTopicOf, isDerivedTopic, retryTopicOf } from "../model/names.ts";
import { unpackPhysicalOffset } from "../model/message_id.ts";
import { readRecord } from "../model/record.ts";
import { expressionOf } from "../model/subscription.ts";
import { permRead, type Topic } from "../model/topic.ts";
import type { Signer } from "../ports/signer.ts";
import type { DeadLetterDesk } from "./dead_letter_desk.ts";
import type { Finder } from "./find.ts";
import type { OtherFilters } from "./group_filters.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";
import { transactionIdOf } from "./transaction_ids.ts";

/** What explaining needs. */
export type ExplainerParts = {
  readonly view: RegistryView;
  readonly router: ShardRouter;
  readonly finder: Finder;
  readonly deadLetters: DeadLetterDesk;
  readonly filters: OtherFilters;
  readonly coordinator: LinkClient<CoordinatorOperations>;
  readonly signer: Signer;
  readonly clock: Clock;
};

type Spot = { readonly topic: string; readonly queueId: number; readonly offset: number };
type Waiting = { readonly topic: string; readonly facts: WaitingFacts };

/** Joins what the registry, the shards and the coordinator know. Changes nothing. */
export class Explainer {
  readonly #parts: ExplainerParts;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  async explain(target: ExplainTarget, groupName: string): Promise<Explanation> {
    const { view } = this.#parts;
    const group = view.group(groupName);
    const isTopicThere = target.topic === null || view.topic(target.topic) !== undefined;
    if (group === undefined || !isTopicThere) {
      return this.#answer(target, group, groupName, null, null, null);
    }
    if (target.by === "place") {
      const { topic, queueId, offset } = target;
      if (queueId >= view.needTopic(topic).queueRefs.length) {
        throw new BrokerError("queue_not_found", `Topic "${topic}" has no queue ${queueId}`);
      }
      return await this.#answer(target, group, groupName, { topic, queueId, offset }, null, null);
    }
    const { messageId, topic } = target;
    const spot = await this.#spotOf(messageId, topic);
    const waiting = spot === null ? await this.#waitingOf(messageId, topic) : null;
    return await this.#answer(target, group, groupName, spot, waiting, messageId);
  }

  /** The newest copy in a topic that producers send to. */
  async #spotOf(messageId: string, topic: string | null): Promise<Spot | null> {
    const copies = await this.#parts.finder.byId(topic, messageId);
    const own = copies.filter((copy) => topic !== null || !isDerivedTopic(copy.topic));
    const newest = own.map(({ topic, queueId, record }) => {
      const { queueOffset, storedMs } = readRecord(record);
      return { topic, queueId, offset: queueOffset, storedMs };
    }).sort((one, other) => other.storedMs - one.storedMs)[0];
    if (newest === undefined) return null;
    const { queueId, offset } = newest;
    return { topic: newest.topic, queueId, offset };
  }

  /** A message that waits for its time or its transaction. */
  async #waitingOf(messageId: string, topicName: string | null): Promise<Waiting | null> {
    const { view, router, signer } = this.#parts;
    const topics = topicName === null
      ? view.topics().filter(({ name }) => !isDerivedTopic(name))
      : [view.needTopic(topicName)];
    const byShard = new Map<number, number[]>();
    for (const topic of topics) {
      for (const [shard, keys] of queuesByShard(topic)) {
        byShard.set(shard, [...byShard.get(shard) ?? [], ...keys]);
      }
    }
    const topicOf = (queueKey: number) => view.queue(queueKey)?.topic.name ?? "";
    let settled: Waiting | null = null;
    for (const [shard, queueKeys] of byShard) {
      const { timer, half } = await router.ask(shard, "explainWaiting", { messageId, queueKeys });
      if (timer !== null) {
        const { dueMs, timerKey, queueKey } = timer;
        return { topic: topicOf(queueKey), facts: { kind: "timer", dueMs, timerKey } };
      }
      if (half === null) continue;
      const { state, producerGroup, checks, createdMs, nextCheckMs, settledMs } = half;
      const transactionId = transactionIdOf(signer, { shard, id: half.id });
      const told = { producerGroup, checks, createdMs, nextCheckMs, settledMs, transactionId };
      settled = { topic: topicOf(half.queueKey), facts: { kind: "half", state, ...told } };
    }
    return settled;
  }

  async #answer(
    target: ExplainTarget,
    group: Group | undefined,
    groupName: string,
    spot: Spot | null,
    waiting: Waiting | null,
    messageId: string | null,
  ): Promise<Explanation> {
    const { view, clock } = this.#parts;
    const topicName = spot?.topic ?? waiting?.topic ?? target.topic ?? "";
    const topic = view.topic(topicName);
    const live = this.#parts.filters.live(groupName, topicName);
    const place = group === undefined || topic === undefined || spot === null
      ? null
      : await this.#placeOf(group, topic, spot, live);
    const id = messageId ?? place?.stored?.messageId ?? null;
    const exists = topic !== undefined || target.topic === null;
    const readable = topic === undefined || (topic.settings.perm & permRead) !== 0;
    const { consumeEnabled = false, attemptsMax = 0 } = group?.settings ?? {};
    const letter = group === undefined || !id ? null : await this.#deadOf(group, id, spot);
    const facts: ExplainFacts = {
      nowMs: clock.wallMs(),
      messageId: id,
      topic: { name: topicName, exists, readable, retention: retentionOf(topic) },
      group: { name: groupName, exists: group !== undefined, consumeEnabled, attemptsMax },
      place,
      waiting: waiting?.facts ?? null,
      dead: letter !== null && isNewer(place, letter) ? null : letter,
      filters: live.map(({ filter }) => expressionOf(filter).text),
      members: group === undefined ? 0 : await this.#membersOf(groupName),
    };
    return {
      messageId: id,
      topic: topicName,
      queueId: spot?.queueId ?? null,
      offset: spot?.offset ?? null,
      group: groupName,
      causes: explain(facts),
    };
  }

  async #placeOf(group: Group, topic: Topic, spot: Spot, live: readonly LiveFilter[]) {
    const { queueId, offset } = spot;
    const ref = topic.queueRefs[queueId];
    if (ref === undefined) return null;
    const { shard, queueKey } = ref;
    const retry = this.#parts.view.topic(retryTopicOf(group.name));
    const facts = await this.#parts.router.ask(shard, "explainPlace", {
      groupKey: group.groupKey,
      queueKey,
      offset,
      ordered: group.settings.ordered,
      ttlMs: topic.settings.messageTtlMs,
      filters: live.map(({ filter }) => filter),
      retryQueueKey: retry?.queueRefs.find((one) => one.shard === shard)?.queueKey ?? null,
    });
    return { ...facts, queueId, offset };
  }

  /** The newest dead letter of the group with this id; of the copy at `spot`, if it says so. */
  async #deadOf({ name }: Group, messageId: string, spot: Spot | null): Promise<DeadFacts | null> {
    const { finder, deadLetters } = this.#parts;
    const copies = await finder.byId(deadLetterTopicOf(name), messageId);
    const newest = copies.map(({ record }) => {
      return { ...deathFacts(record), ...unpackPhysicalOffset(readRecord(record).physicalOffset) };
    }).filter((death) => isOf(death, spot)).sort((one, other) =>
      other.diedMs - one.diedMs || other.position - one.position
    )[0];
    if (newest === undefined) return null;
    const left = (await deadLetters.find(name, messageId)).length > 0;
    const { reason, attempts, diedMs, by, shard } = newest;
    const position = shard === this.#shardOf(spot) ? newest.position : null;
    return { reason, attempts, diedMs, by, left, position };
  }

  #shardOf(spot: Spot | null): number | undefined {
    const topic = spot === null ? undefined : this.#parts.view.topic(spot.topic);
    return topic?.queueRefs[spot?.queueId ?? -1]?.shard;
  }

  async #membersOf(group: string): Promise<number> {
    return (await this.#parts.coordinator.ask("consumers", { group })).length;
  }
}

/** A message that was sent back from the dead letters, or sent again, is not the one that died. */
function isNewer(place: ExplainFacts["place"], { diedMs, position }: DeadFacts): boolean {
  const stored = place?.stored ?? null;
  if (stored === null) return false;
  return position === null ? stored.storedMs > diedMs : stored.position > position;
}

/** Whether it may be the copy at `spot` that died: a message may be stored again, or come back. */
function isOf(
  { originTopic, originQueueId, originOffset }: DeathFacts,
  spot: Spot | null,
): boolean {
  if (spot === null || originQueueId === null || originOffset === null) return true;
  const { topic, queueId, offset } = spot;
  return originTopic === topic && originQueueId === queueId && originOffset === offset;
}

function retentionOf(topic: Topic | undefined): RetentionFacts | null {
  if (topic === undefined) return null;
  const { createdMs, settings: { retentionMs, retentionBytes } } = topic;
  return { ms: retentionMs, bytes: retentionBytes, topicCreatedMs: createdMs };
}
