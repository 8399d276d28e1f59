/**
 * Topics and groups: what may be made, changed and deleted, and what follows from it.
 *
 *     plan…() ──▶ Plan { answer, change } ──stored by the caller──▶ apply(change)
 *
 * A plan changes nothing, so that memory never runs ahead of the disk. Plans are not kept: the next
 * one is made after the last was applied or dropped.
 *
 * A group's retry and dead-letter topic are made and deleted with it. They have one queue in every
 * shard, queue i in shard i, so that a message sent back never crosses to another shard.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { defaultGroupSettings, type Group, type GroupSettings } from "../model/group.ts";
import {
  checkGroupName,
  checkTopicName,
  deadLetterTopicOf,
  isDerivedTopic,
  retryTopicOf,
} from "../model/names.ts";
import type { RegistryChange, RegistryCounters, RegistryState } from "../model/registry.ts";
import type { QueueRef, Topic, TopicSettings } from "../model/topic.ts";
import { formerOf } from "./former_queues.ts";
import { inTurn, onePerShard } from "./placement.ts";
import {
  checkGroupSettings,
  checkTopicSettings,
  differing,
  withSettings,
} from "./registry_settings.ts";

/** `create`: an equal one is answered, a different one refused. `change`: it must exist. */
export type PutMode = "create" | "change" | "either";

/** What was decided. `change` is `null` when the answer already stands. */
export type Plan<T> = { readonly answer: T; readonly change: RegistryChange | null };

/** `defaults` fill in what the maker of a topic leaves open. */
export type RegistryOptions = { readonly shards: number; readonly defaults: TopicSettings };

/** A topic to be there at start, whoever else wants it. */
export type SystemTopic = { readonly name: string; readonly settings: Partial<TopicSettings> };

/** All topics and groups of one broker. */
export class Registry {
  readonly #options: RegistryOptions;
  /** Bounded by `limits.topicsMax` of users, and two of each group. */
  readonly #topics = new Map<string, Topic>();
  /** Bounded by `limits.groupsMax`. */
  readonly #groups = new Map<string, Group>();
  #counters: RegistryCounters;
  #queueCount = 0;
  #derivedCount = 0;

  /** @throws {BrokerError} `conflict`: a topic has queues in a shard that is not there. */
  constructor(options: RegistryOptions, state: RegistryState) {
    this.#options = options;
    this.#counters = state.counters;
    // What an older release stored lacks the settings that came later: they have their defaults.
    for (const group of state.groups) {
      const settings = { ...defaultGroupSettings, ...group.settings };
      this.#groups.set(group.name, { ...group, settings });
    }
    for (const topic of state.topics) {
      this.#putTopic({ ...topic, settings: { ...options.defaults, ...topic.settings } });
      for (const { shard } of topic.queueRefs) {
        if (shard < options.shards) continue;
        throw new BrokerError(
          "conflict",
          `Cannot start with ${options.shards} shards: topic "${topic.name}" has a queue in ` +
            `shard ${shard}; start with at least as many shards as before`,
        );
      }
    }
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  group(name: string): Group | undefined {
    return this.#groups.get(name);
  }

  topics(): Topic[] {
    return [...this.#topics.values()];
  }

  groups(): Group[] {
    return [...this.#groups.values()];
  }

  /**
   * @throws {BrokerError} `invalid_argument`; `topic_not_found` (`change`); `topic_exists`
   * (`create`); `conflict`: fewer queues than now; `limit_exceeded`.
   */
  planPutTopic(
    name: string,
    given: Partial<TopicSettings>,
    mode: PutMode,
    system: boolean,
    nowMs: number,
  ): Plan<Topic> {
    checkTopicName(name);
    checkTopicSettings(name, given);
    const present = this.#topics.get(name);
    if (present !== undefined) return this.#planExistingTopic(present, given, mode, nowMs);
    if (mode === "change") throw notFound("change", name);
    if (isDerivedTopic(name)) {
      throw new BrokerError(
        "invalid_argument",
        `Cannot create topic "${name}": retry and dead-letter topics are made with their group`,
      );
    }
    if (this.#topics.size - this.#derivedCount >= limits.topicsMax) {
      throw new BrokerError(
        "limit_exceeded",
        `Cannot create topic "${name}": there are ${limits.topicsMax} topics already`,
      );
    }
    const numbers = this.#numbers();
    const settings = withSettings(this.#options.defaults, given);
    const topic: Topic = {
      name,
      version: numbers.version,
      settings,
      queueRefs: this.#moreQueues(name, [], settings.queues, numbers),
      timerQueues: settings.queues,
      formerQueues: [],
      system,
      createdMs: nowMs,
    };
    return { answer: topic, change: changeOf(numbers, { topics: [topic] }) };
  }

  /** @throws {BrokerError} `topic_not_found`; `invalid_argument`: the broker needs the topic. */
  planDeleteTopic(name: string): Plan<Topic> {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw notFound("delete", name);
    if (topic.system) {
      const owner = isDerivedTopic(name) ? "it goes with its group" : "the broker itself needs it";
      throw new BrokerError("invalid_argument", `Cannot delete topic "${name}": ${owner}`);
    }
    return { answer: topic, change: changeOf(this.#numbers(), { deletedTopics: [name] }) };
  }

  /**
   * @throws {BrokerError} `invalid_argument`; `group_not_found` (`change`); `group_exists`
   * (`create`); `limit_exceeded`.
   */
  planPutGroup(
    name: string,
    given: Partial<GroupSettings>,
    mode: PutMode,
    nowMs: number,
  ): Plan<Group> {
    checkGroupName(name);
    checkGroupSettings(name, given);
    const present = this.#groups.get(name);
    if (present !== undefined) return this.#planExistingGroup(present, given, mode);
    if (mode === "change") {
      throw new BrokerError("group_not_found", `Cannot change group "${name}": it does not exist`);
    }
    if (this.#groups.size >= limits.groupsMax) {
      throw new BrokerError(
        "limit_exceeded",
        `Cannot create group "${name}": there are ${limits.groupsMax} groups already`,
      );
    }
    const numbers = this.#numbers();
    numbers.groupKey++;
    const group: Group = {
      name,
      groupKey: numbers.groupKey,
      version: numbers.version,
      settings: withSettings(defaultGroupSettings, given),
      createdMs: nowMs,
    };
    const topics = [retryTopicOf(name), deadLetterTopicOf(name)]
      .map((topic) => this.#derivedTopic(topic, numbers, nowMs));
    return { answer: group, change: changeOf(numbers, { groups: [group], topics }) };
  }

  /** A number as groups have one, for who has places like a group. */
  planGroupKey(): Plan<number> {
    const numbers = this.#numbers();
    numbers.groupKey++;
    return { answer: numbers.groupKey, change: changeOf(numbers, {}) };
  }

  /** Its retry and dead-letter topics go with it. @throws {BrokerError} `group_not_found`. */
  planDeleteGroup(name: string): Plan<Group> {
    const group = this.#groups.get(name);
    if (group === undefined) {
      throw new BrokerError("group_not_found", `Cannot delete group "${name}": it does not exist`);
    }
    const deletedTopics = [retryTopicOf(name), deadLetterTopicOf(name)]
      .filter((topic) => this.#topics.has(topic));
    const change = changeOf(this.#numbers(), { deletedGroups: [name], deletedTopics });
    return { answer: group, change };
  }

  /**
   * What a start needs: the `wanted` system topics that are missing are made, the `unwanted` ones
   * go, and derived topics grow into shards that were added since. `null`: all is in place.
   */
  planStart(
    wanted: readonly SystemTopic[],
    unwanted: readonly string[],
    nowMs: number,
  ): RegistryChange | null {
    const numbers = this.#numbers();
    const topics: Topic[] = [];
    for (const { name, settings: given } of wanted) {
      if (this.#topics.has(name)) continue;
      const settings = withSettings(this.#options.defaults, given);
      const queueRefs = this.#moreQueues(name, [], settings.queues, numbers);
      const { version } = numbers;
      const { queues: timerQueues } = settings;
      topics.push({
        name,
        version,
        settings,
        queueRefs,
        timerQueues,
        formerQueues: [],
        system: true,
        createdMs: nowMs,
      });
    }
    for (const topic of this.#topics.values()) {
      if (!isDerivedTopic(topic.name) || topic.queueRefs.length >= this.#options.shards) continue;
      const queueRefs = this.#moreQueues(
        topic.name,
        topic.queueRefs,
        this.#options.shards,
        numbers,
      );
      const settings = { ...topic.settings, queues: queueRefs.length };
      const { version } = numbers;
      const formerQueues = formerOf(topic, nowMs);
      topics.push({ ...topic, version, settings, queueRefs, formerQueues });
    }
    const deletedTopics = unwanted.filter((name) => this.#topics.get(name)?.system === true);
    if (topics.length === 0 && deletedTopics.length === 0) return null;
    return changeOf(numbers, { topics, deletedTopics });
  }

  /** The largest numbers given so far. */
  get counters(): RegistryCounters {
    return this.#counters;
  }

  /** Remembers a change that is stored. */
  apply(change: RegistryChange): void {
    assert(change.counters.version === this.#counters.version + 1, "changes are applied in order");
    for (const name of change.deletedGroups) this.#groups.delete(name);
    for (const name of change.deletedTopics) this.#forgetTopic(name);
    for (const group of change.groups) this.#groups.set(group.name, group);
    for (const topic of change.topics) this.#putTopic(topic);
    this.#counters = change.counters;
  }

  #planExistingTopic(
    present: Topic,
    given: Partial<TopicSettings>,
    mode: PutMode,
    nowMs: number,
  ): Plan<Topic> {
    const { name } = present;
    const changed = differing(present.settings, given);
    if (changed.length === 0) return { answer: present, change: null };
    if (mode === "create") {
      throw new BrokerError(
        "topic_exists",
        `Cannot create topic "${name}": it exists with other settings (${changed.join(", ")})`,
      );
    }
    const settings = withSettings(present.settings, given);
    if (settings.queues < present.queueRefs.length) {
      throw new BrokerError(
        "conflict",
        `Cannot shrink topic "${name}" to ${settings.queues} queues: it has ` +
          `${present.queueRefs.length}, and queues may grow but never shrink`,
      );
    }
    if (present.settings.ordered && settings.queues !== present.queueRefs.length) {
      throw new BrokerError(
        "conflict",
        `Cannot give topic "${name}" ${settings.queues} queues: it is ordered and has ` +
          `${present.queueRefs.length}, and a sharding key keeps its queue while the topic lives`,
      );
    }
    if (isDerivedTopic(name) && settings.queues !== present.queueRefs.length) {
      throw new BrokerError(
        "invalid_argument",
        `Cannot give topic "${name}" ${settings.queues} queues: retry and dead-letter topics ` +
          `have one in each of the ${this.#options.shards} shards`,
      );
    }
    const numbers = this.#numbers();
    const queueRefs = this.#moreQueues(name, present.queueRefs, settings.queues, numbers);
    const isGrown = queueRefs.length > present.queueRefs.length;
    const formerQueues = isGrown ? formerOf(present, nowMs) : present.formerQueues;
    const { version } = numbers;
    const topic: Topic = { ...present, version, settings, queueRefs, formerQueues };
    return { answer: topic, change: changeOf(numbers, { topics: [topic] }) };
  }

  #planExistingGroup(
    present: Group,
    given: Partial<GroupSettings>,
    mode: PutMode,
  ): Plan<Group> {
    const changed = differing(present.settings, given);
    if (changed.length === 0) return { answer: present, change: null };
    if (mode === "create") {
      throw new BrokerError(
        "group_exists",
        `Cannot create group "${present.name}": it exists with other settings ` +
          `(${changed.join(", ")})`,
      );
    }
    const numbers = this.#numbers();
    const settings = withSettings(present.settings, given);
    const group: Group = { ...present, version: numbers.version, settings };
    return { answer: group, change: changeOf(numbers, { groups: [group] }) };
  }

  #derivedTopic(name: string, numbers: Numbers, nowMs: number): Topic {
    checkTopicName(name);
    const queueRefs = this.#moreQueues(name, [], this.#options.shards, numbers);
    return {
      name,
      version: numbers.version,
      settings: { ...this.#options.defaults, queues: queueRefs.length },
      queueRefs,
      timerQueues: queueRefs.length,
      formerQueues: [],
      system: true,
      createdMs: nowMs,
    };
  }

  /** @throws {BrokerError} `limit_exceeded`. */
  #checkQueueRoom(name: string, more: number, numbers: Numbers): void {
    const planned = numbers.queueKey - this.#counters.queueKey;
    if (this.#queueCount + planned + more <= limits.queuesMax) return;
    throw new BrokerError(
      "limit_exceeded",
      `Cannot add ${more} queues for topic "${name}": the broker has ` +
        `${this.#queueCount + planned} of at most ${limits.queuesMax}`,
    );
  }

  /** The queues of a topic, as many as it is to have. */
  #moreQueues(
    name: string,
    present: readonly QueueRef[],
    count: number,
    numbers: Numbers,
  ): readonly QueueRef[] {
    this.#checkQueueRoom(name, count - present.length, numbers);
    const places = isDerivedTopic(name) ? onePerShard : inTurn;
    const shardOf = places(name, this.#options.shards);
    const added = Array.from({ length: count - present.length }, (_, at) => ({
      queueKey: ++numbers.queueKey,
      shard: shardOf(present.length + at),
    }));
    return [...present, ...added];
  }

  /** The counters for the next change, to be counted up while it is planned. */
  #numbers(): Numbers {
    return { ...this.#counters, version: this.#counters.version + 1 };
  }

  #putTopic(topic: Topic): void {
    this.#forgetTopic(topic.name);
    this.#topics.set(topic.name, topic);
    this.#queueCount += topic.queueRefs.length;
    if (isDerivedTopic(topic.name)) this.#derivedCount++;
  }

  #forgetTopic(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    this.#topics.delete(name);
    this.#queueCount -= topic.queueRefs.length;
    if (isDerivedTopic(name)) this.#derivedCount--;
  }
}

type Numbers = { -readonly [N in keyof RegistryCounters]: RegistryCounters[N] };

function changeOf(numbers: Numbers, change: Partial<RegistryChange>): RegistryChange {
  const nothing = { topics: [], groups: [], deletedTopics: [], deletedGroups: [] };
  return { ...nothing, ...change, counters: { ...numbers } };
}

function notFound(attempt: string, name: string): BrokerError {
  return new BrokerError("topic_not_found", `Cannot ${attempt} topic "${name}": it does not exist`);
}
