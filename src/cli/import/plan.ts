/**
 * What will be copied, and what will not and why: decided from what both sides say, before anything
 * is written.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import {
  checkGroupName,
  checkTopicName,
  deadLetterPrefix,
  deadLetterTopicOf,
  retryPrefix,
} from "../../model/names.ts";
import { permRead, permReadWrite } from "../../model/topic.ts";
import type { GroupFacts, GroupPlace, QueueRange, TopicFacts } from "./facts.ts";
import { isSystemGroup, isSystemTopic } from "./system_names.ts";

/** What one broker of the source says. */
export type BrokerSurvey = {
  readonly name: string;
  readonly cluster: string;
  readonly topics: readonly TopicFacts[];
  readonly groups: readonly GroupFacts[];
  readonly places: readonly GroupPlace[];
  readonly systemTopics: readonly string[];
  readonly ranges: ReadonlyMap<string, readonly QueueRange[]>;
};

/** What the target says. */
export type TargetSurvey = {
  readonly topics: ReadonlyMap<string, TopicFacts>;
  readonly groups: ReadonlySet<string>;
  readonly ranges: ReadonlyMap<string, readonly QueueRange[]>;
};

/** What the user asked for. */
export type Wishes = {
  /** Names, or beginnings of names that end in `*`; empty: all. */
  readonly topics: readonly string[];
  readonly groups: readonly string[];
  readonly deadLetters: boolean;
  /** Copy behind what an existing topic of the target holds. */
  readonly append: boolean;
};

/** One queue's way. */
export type QueuePlan = {
  readonly broker: string;
  readonly queueId: number;
  readonly targetQueueId: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};

/** A topic that is copied. `settings` are those it gets. */
export type TopicPlan = {
  readonly name: string;
  readonly settings: TopicFacts;
  readonly queues: readonly QueuePlan[];
  readonly messages: number;
  /** `false`: it is at the target. */
  readonly isNew: boolean;
};

/** A group that is copied, with its places in topics that are. */
export type GroupPlan = {
  readonly name: string;
  readonly facts: GroupFacts;
  readonly places: readonly (GroupPlace & { readonly broker: string })[];
  readonly lag: number;
  readonly isNew: boolean;
};

/** Why names are left out that nobody misses: they are counted instead of listed. */
export const usualReasons = {
  broker: "it belongs to the brokers and their tools",
  notAsked: "it was not asked for",
} as const;

/** What is left out. `problem`: it was wanted, and cannot be; then the command fails. */
export type LeftOut = {
  readonly kind: "topic" | "group" | "messages";
  readonly name: string;
  readonly why: string;
  readonly problem: boolean;
};

/** All of it. */
export type Plan = {
  readonly topics: readonly TopicPlan[];
  readonly groups: readonly GroupPlan[];
  readonly leftOut: readonly LeftOut[];
};

/** Topics that an earlier run began to copy: what the target holds of them is known. */
export type Begun = ReadonlySet<string>;

/** Decides. */
export function planImport(
  brokers: readonly BrokerSurvey[],
  target: TargetSurvey,
  wishes: Wishes,
  begun: Begun,
): Plan {
  const leftOut: LeftOut[] = [];
  const topics: TopicPlan[] = [];
  for (const name of namesOf(brokers.map((broker) => broker.topics))) {
    const verdict = topicVerdict(name, brokers, target, wishes, begun);
    if ("why" in verdict) leftOut.push(verdict);
    else topics.push(verdict);
  }
  const copied = new Set(topics.map((topic) => topic.name));
  const groups: GroupPlan[] = [];
  for (const name of namesOf(brokers.map((broker) => broker.groups))) {
    const verdict = groupVerdict(name, brokers, target, wishes, copied);
    if ("why" in verdict) leftOut.push(verdict);
    else groups.push(verdict);
  }
  leftOut.push(...unknownNames(wishes, topics, groups, leftOut));
  return { topics, groups, leftOut };
}

/** Whether a list of wishes names `name`; an empty list names everything. */
export function isWished(wishes: readonly string[], name: string): boolean {
  return wishes.length === 0 || wishes.some((wish) => {
    return wish.endsWith("*") ? name.startsWith(wish.slice(0, -1)) : name === wish;
  });
}

function topicVerdict(
  name: string,
  brokers: readonly BrokerSurvey[],
  target: TargetSurvey,
  wishes: Wishes,
  begun: Begun,
): TopicPlan | LeftOut {
  const out = (why: string, problem: boolean): LeftOut => ({ kind: "topic", name, why, problem });
  const isDead = name.startsWith(deadLetterPrefix);
  if (name.startsWith(retryPrefix)) {
    return out("messages a group has still to try again stay: let it finish them", false);
  }
  if (!isDead && isSystemTopic(name, brokers)) return out(usualReasons.broker, false);
  if (isDead && !wishes.deadLetters) return out("dead letters: --dead-letters copies them", false);
  const wished = isDead ? name.slice(deadLetterPrefix.length) : name;
  if (!isWished(isDead ? wishes.groups : wishes.topics, wished)) {
    return out(usualReasons.notAsked, false);
  }
  const obstacle = nameObstacle(name, checkTopicName);
  if (obstacle !== undefined) return out(obstacle, true);
  const settings = mergedSettings(name, brokers);
  if ((settings.perm & permRead) === 0) return out("it is not readable at the source", true);
  if (settings.attributes["queue.type"] === "BatchCQ") {
    return out("its messages are batches stored as one (queue.type BatchCQ)", true);
  }
  if (settings.readQueues > limits.queuesPerTopicMax) {
    const queues = `${settings.readQueues} queues`;
    return out(`it has ${queues}, more than ${limits.queuesPerTopicMax}`, true);
  }
  const held = (target.ranges.get(name) ?? []).reduce((sum, queue) => sum + queue.maxOffset, 0);
  const isNew = !target.topics.has(name);
  if (held > 0 && !begun.has(name) && !wishes.append) {
    const what = `the target has a topic of this name that had ${held} messages`;
    return out(`${what}: --append copies behind them`, true);
  }
  const queues = queuePlans(name, brokers);
  const messages = queues.reduce((sum, queue) => sum + queue.maxOffset - queue.minOffset, 0);
  return { name, settings, queues, messages, isNew };
}

/**
 * The topic as one broker is to have it. A broker's queues keep their numbers; those of a second
 * broker follow behind.
 */
function mergedSettings(name: string, brokers: readonly BrokerSurvey[]): TopicFacts {
  const all = brokers.flatMap(({ topics }) => topics.filter((topic) => topic.name === name));
  const queues = all.reduce((sum, topic) => sum + queuesOf(topic), 0);
  return {
    name,
    readQueues: queues,
    writeQueues: queues,
    perm: all.reduce((bits, topic) => bits | topic.perm, 0) & permReadWrite,
    order: all.some((topic) => topic.order),
    attributes: Object.assign({}, ...all.map((topic) => topic.attributes)),
  };
}

function queuePlans(name: string, brokers: readonly BrokerSurvey[]): QueuePlan[] {
  const plans: QueuePlan[] = [];
  let first = 0;
  for (const broker of brokers) {
    const topic = broker.topics.find((each) => each.name === name);
    if (topic === undefined) continue;
    for (const { queueId, minOffset, maxOffset } of broker.ranges.get(name) ?? []) {
      const targetQueueId = first + queueId;
      plans.push({ broker: broker.name, queueId, targetQueueId, minOffset, maxOffset });
    }
    first += queuesOf(topic);
  }
  return plans;
}

function queuesOf({ readQueues, writeQueues }: TopicFacts): number {
  return Math.max(1, readQueues, writeQueues);
}

function groupVerdict(
  name: string,
  brokers: readonly BrokerSurvey[],
  target: TargetSurvey,
  wishes: Wishes,
  copied: ReadonlySet<string>,
): GroupPlan | LeftOut {
  const out = (why: string, problem: boolean): LeftOut => ({ kind: "group", name, why, problem });
  if (isSystemGroup(name)) return out(usualReasons.broker, false);
  if (!isWished(wishes.groups, name)) return out(usualReasons.notAsked, false);
  const places = brokers.flatMap((broker) =>
    broker.places
      .filter((place) => place.group === name && copied.has(place.topic))
      .map((place) => ({ ...place, broker: broker.name }))
  );
  const reads = places.length > 0 || copied.has(deadLetterTopicOf(name));
  if (wishes.topics.length > 0 && wishes.groups.length === 0 && !reads) {
    return out("it has no place in the topics asked for", false);
  }
  const obstacle = nameObstacle(name, checkGroupName);
  if (obstacle !== undefined) return out(obstacle, true);
  const facts = brokers.flatMap(({ groups }) => groups).find((group) => group.name === name) ??
    { name, config: JSON.stringify({ groupName: name }) };
  const lag = places.reduce((sum, place) => sum + lagOf(place, brokers), 0);
  return { name, facts, places, lag, isNew: !target.groups.has(name) };
}

function lagOf(
  { broker, topic, queueId, offset }: GroupPlace & { readonly broker: string },
  brokers: readonly BrokerSurvey[],
): number {
  const ranges = brokers.find(({ name }) => name === broker)?.ranges.get(topic) ?? [];
  const range = ranges.find((each) => each.queueId === queueId);
  if (range === undefined) return 0;
  return Math.max(0, range.maxOffset - Math.max(offset, range.minOffset));
}

/** Names that were asked for and are nowhere: a slip must not look like success. */
function unknownNames(
  wishes: Wishes,
  topics: readonly TopicPlan[],
  groups: readonly GroupPlan[],
  leftOut: readonly LeftOut[],
): LeftOut[] {
  const known = (kind: LeftOut["kind"], planned: readonly { readonly name: string }[]) => [
    ...planned.map(({ name }) => name),
    ...leftOut.filter((each) => each.kind === kind).map(({ name }) => name),
  ];
  const missing = (kind: "topic" | "group", list: readonly string[], names: readonly string[]) =>
    list.filter((wish) => !names.some((name) => isWished([wish], name)))
      .map((name): LeftOut => ({
        kind,
        name,
        why: "the source has none of this name",
        problem: true,
      }));
  return [
    ...missing("topic", wishes.topics, known("topic", topics)),
    ...missing("group", wishes.groups, known("group", groups)),
  ];
}

function nameObstacle(name: string, check: (name: string) => void): string | undefined {
  try {
    check(name);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown.message;
    throw thrown;
  }
}

function namesOf(lists: readonly (readonly { readonly name: string }[])[]): string[] {
  return [...new Set(lists.flat().map(({ name }) => name))].sort();
}
