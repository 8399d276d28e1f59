/**
 * The newest snapshot of names and subscriptions. Read at once, written only by the coordinator's
 * news.
 *
 * @module
 */
import type { CompiledSubscription, CoordinatorNews } from "../link/coordinator_messages.ts";
import { BrokerError } from "../model/errors.ts";
import type { Group } from "../model/group.ts";
import type { Topic } from "../model/topic.ts";

/** Where a queue key leads back to. */
export type QueueName = { readonly topic: Topic; readonly queueId: number };

/**
 * Names as the coordinator last told them. A queue leads back to its topic until that is deleted;
 * versions keep an answer and the news of the same change from undoing each other.
 */
export class RegistryView {
  /** All bounded by the registry's own limits. */
  readonly #topics = new Map<string, Topic>();
  readonly #groups = new Map<string, Group>();
  readonly #queues = new Map<number, QueueName>();
  readonly #subscriptions = new Map<string, Map<string, CompiledSubscription>>();

  /** Takes one piece of news in. Older copies of what is known are passed over. */
  apply(news: CoordinatorNews): void {
    switch (news.kind) {
      case "topic":
        this.putTopic(news.topic);
        break;
      case "topic-deleted":
        this.#dropTopic(news.name);
        break;
      case "group":
        this.putGroup(news.group);
        break;
      case "group-deleted":
        this.#groups.delete(news.name);
        this.#subscriptions.delete(news.name);
        break;
      case "subscription":
        this.#putSubscription(news.subscription);
        break;
      case "unsubscribed":
        if (news.topic === null) this.#subscriptions.delete(news.group);
        else this.#subscriptions.get(news.group)?.delete(news.topic);
        break;
      case "members":
      case "filters":
      case "readers-gone":
        break;
    }
  }

  putTopic(topic: Topic): void {
    const known = this.#topics.get(topic.name);
    if (known !== undefined && known.version > topic.version) return;
    this.#topics.set(topic.name, topic);
    topic.queueRefs.forEach(({ queueKey }, queueId) =>
      this.#queues.set(queueKey, { topic, queueId })
    );
  }

  putGroup(group: Group): void {
    const known = this.#groups.get(group.name);
    if (known === undefined || known.version <= group.version) this.#groups.set(group.name, group);
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  group(name: string): Group | undefined {
    return this.#groups.get(name);
  }

  topics(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  queue(queueKey: number): QueueName | undefined {
    return this.#queues.get(queueKey);
  }

  subscription(group: string, topic: string): CompiledSubscription | undefined {
    return this.#subscriptions.get(group)?.get(topic);
  }

  /** @throws {BrokerError} `topic_not_found`, with the nearest name there is. */
  needTopic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic !== undefined) return topic;
    throw new BrokerError("topic_not_found", `Topic "${name}" does not exist`);
  }

  /** @throws {BrokerError} `group_not_found` */
  needGroup(name: string): Group {
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    throw new BrokerError("group_not_found", `Group "${name}" does not exist`);
  }

  #dropTopic(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    this.#topics.delete(name);
    for (const { queueKey } of topic.queueRefs) this.#queues.delete(queueKey);
  }

  #putSubscription(subscription: CompiledSubscription): void {
    const topics = this.#subscriptions.get(subscription.group);
    if (topics === undefined) {
      const first = new Map([[subscription.topic, subscription]]);
      this.#subscriptions.set(subscription.group, first);
    } else topics.set(subscription.topic, subscription);
  }
}
