/** Asks both sides what they have, before anything is decided. Nothing is changed. @module */
import { retryTopicOf } from "../../model/names.ts";
import { scheduleTopic } from "../../core/system_topics.ts";
import type { QueueRange } from "./facts.ts";
import type { BrokerSurvey, LeftOut, TargetSurvey, TopicPlan } from "./plan.ts";
import type { Source } from "./source.ts";
import { halfGroup, halfTopic, wheelTopic } from "./system_names.ts";
import type { Target } from "./target.ts";

/** Questions about topics that are under way at once. */
const questionsMax = 16;

/** What the source has. */
export async function surveySource(source: Source): Promise<BrokerSurvey[]> {
  const surveys: BrokerSurvey[] = [];
  for (const { name, cluster } of source.brokers) {
    const topics = await source.topics(name);
    const ranges = await rangesOfAll(topics, (topic) => source.ranges(name, topic));
    surveys.push({
      name,
      cluster,
      topics,
      groups: await source.groups(name),
      places: await source.places(name),
      systemTopics: await source.systemTopics(name),
      ranges,
    });
  }
  return surveys;
}

/** What the target has of the topics the source has. */
export async function surveyTarget(
  target: Target,
  brokers: readonly BrokerSurvey[],
): Promise<TargetSurvey> {
  const [topics, groups] = [await target.topics(), await target.groups()];
  const atSource = new Set(brokers.flatMap((broker) => broker.topics.map(({ name }) => name)));
  const shared = topics.filter(({ name }) => atSource.has(name));
  return {
    topics: new Map(topics.map((topic) => [topic.name, topic])),
    groups: new Set(groups.map(({ name }) => name)),
    ranges: await rangesOfAll(shared, (topic) => target.ranges(topic)),
  };
}

async function rangesOfAll(
  topics: readonly { readonly name: string }[],
  ask: (topic: string) => Promise<QueueRange[]>,
): Promise<Map<string, readonly QueueRange[]>> {
  const found = new Map<string, readonly QueueRange[]>();
  for (let at = 0; at < topics.length; at += questionsMax) {
    const some = topics.slice(at, at + questionsMax);
    const answers = await Promise.all(some.map(({ name }) => ask(name)));
    some.forEach(({ name }, index) => found.set(name, answers[index] ?? []));
  }
  return found;
}

/** Messages that are in no user's topic yet: they stay, and the user has to know. */
export async function pendingAtSource(
  source: Source,
  brokers: readonly BrokerSurvey[],
): Promise<LeftOut[]> {
  const out: LeftOut[] = [];
  const tell = (name: string, count: number, why: string) => {
    if (count > 0) out.push({ kind: "messages", name, why: `${count} ${why}`, problem: false });
  };
  for (const broker of brokers) {
    const levels = await source.delayOffsets(broker.name);
    const delayed = (broker.ranges.get(scheduleTopic) ?? []).reduce((sum, queue) => {
      return sum + Math.max(0, queue.maxOffset - (levels.get(queue.queueId + 1) ?? 0));
    }, 0);
    tell(scheduleTopic, delayed, "wait for their delay level: they stay until they are due");
    const timed = countIn(broker.ranges.get(wheelTopic));
    tell(wheelTopic, timed, "at most wait for their time: they stay until they are due");
    const undecided = behind(broker, halfTopic, halfGroup);
    tell(halfTopic, undecided, "at most are of undecided transactions: they stay");
    for (const { name } of broker.groups) {
      const retried = behind(broker, retryTopicOf(name), name);
      tell(name, retried, "are to be tried again: let the group finish them at the source");
    }
  }
  return out;
}

function countIn(ranges: readonly QueueRange[] = []): number {
  return ranges.reduce((sum, queue) => sum + queue.maxOffset - queue.minOffset, 0);
}

/** How many messages of a topic a group has not finished. */
function behind({ ranges, places }: BrokerSurvey, topic: string, group: string): number {
  return (ranges.get(topic) ?? []).reduce((sum, { queueId, minOffset, maxOffset }) => {
    const place = places.find((each) =>
      each.topic === topic && each.group === group && each.queueId === queueId
    );
    return sum + maxOffset - Math.min(maxOffset, Math.max(minOffset, place?.offset ?? minOffset));
  }, 0);
}

/** About how many bytes of bodies and properties a topic has, by a piece of its longest queue. */
export async function estimateBytes(source: Source, topic: TopicPlan): Promise<number> {
  const [longest] = topic.queues.toSorted((a, b) =>
    b.maxOffset - b.minOffset - (a.maxOffset - a.minOffset)
  );
  if (longest === undefined || topic.messages === 0) return 0;
  const { messages } = await source.pull({ ...longest, topic: topic.name }, longest.minOffset);
  if (messages.length === 0) return 0;
  const bytes = messages.reduce((sum, each) => sum + each.body.length + each.properties.length, 0);
  return Math.round(bytes / messages.length * topic.messages);
}
