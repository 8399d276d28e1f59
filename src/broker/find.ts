/** Looking messages up by position, id, key and time. @module */
import { unpackPhysicalOffset } from "../model/message_id.ts";
import { propertyNames, readProperty } from "../model/properties.ts";
import { recordProperties, splitRecords } from "../model/record.ts";
import type { FindAsk } from "../link/shard_messages.ts";
import type { FoundMessage } from "./broker.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Copies of one message id that are looked at: retries and dead letters keep the id. */
const sameIdMax = 64;

/**
 * Finds messages by what people know of them. An index knows hashes only, so what it finds is
 * compared in full before it is shown.
 */
export class Finder {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;

  constructor(view: RegistryView, router: ShardRouter) {
    this.#view = view;
    this.#router = router;
  }

  async byPhysicalOffset(physicalOffset: number): Promise<FoundMessage | null> {
    const { shard, position } = unpackPhysicalOffset(physicalOffset);
    if (shard >= this.#router.count || position < 1) return null;
    const [found] = await this.#find(shard, { by: "position", position });
    return found ?? null;
  }

  /** Every copy that carries the id, newest first: the message, its retries, its dead letter. */
  async byId(topic: string | null, messageId: string): Promise<FoundMessage[]> {
    const found = await this.#everywhere({ by: "key", key: messageId, messagesMax: sameIdMax });
    return found.filter(({ record, topic: storedIn }) => {
      const uniqueKey = readProperty(recordProperties(record, 0), propertyNames.uniqueKey);
      return uniqueKey === messageId && (topic === null || topic === storedIn);
    });
  }

  async byKey(topic: string, key: string, messagesMax: number): Promise<FoundMessage[]> {
    // The index knows hashes only and all topics together: ask for more than is wanted.
    const found = await this.#everywhere({ by: "key", key, messagesMax: messagesMax * 2 });
    const wanted = found.filter(({ record, topic: storedIn }) => {
      const properties = recordProperties(record, 0);
      const keys = readProperty(properties, propertyNames.keys)?.split(" ") ?? [];
      const uniqueKey = readProperty(properties, propertyNames.uniqueKey);
      return storedIn === topic && (keys.includes(key) || uniqueKey === key);
    });
    return wanted.slice(0, messagesMax);
  }

  async byTime(
    topicName: string,
    fromMs: number,
    toMs: number,
    messagesMax: number,
  ): Promise<FoundMessage[]> {
    const topic = this.#view.needTopic(topicName);
    const found: FoundMessage[] = [];
    for (const { shard, queueKey } of topic.queueRefs) {
      const left = messagesMax - found.length;
      if (left <= 0) break;
      found.push(
        ...await this.#find(shard, { by: "time", queueKey, fromMs, toMs, messagesMax: left }),
      );
    }
    return found;
  }

  async #everywhere(ask: FindAsk): Promise<FoundMessage[]> {
    const shards = Array.from({ length: this.#router.count }, (_, shard) => shard);
    return (await Promise.all(shards.map((shard) => this.#find(shard, ask)))).flat();
  }

  async #find(shard: number, ask: FindAsk): Promise<FoundMessage[]> {
    const { head, blob } = await this.#router.ask(shard, "find", ask);
    return splitRecords(blob).flatMap((record, index) => {
      // The log keeps records of deleted topics for a while, and a new one may have the name.
      const queue = this.#view.queue(head.queueKeys[index] ?? 0);
      return queue === undefined
        ? []
        : [{ topic: queue.topic.name, queueId: queue.queueId, record }];
    });
  }
}
