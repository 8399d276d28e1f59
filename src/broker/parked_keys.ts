/** Parked keys of ordered groups, by name. @module */
import type { SettleKeyAsk } from "../link/shard_messages.ts";
import { BrokerError } from "../model/errors.ts";
import { deadLetterTopicOf } from "../model/names.ts";
import type { NamedParkedKey } from "./broker.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Keys told in one answer. */
const keysMax = 1000;

/** Lists parked keys, and carries out what an operator decides. */
export class ParkedKeys {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;

  constructor(view: RegistryView, router: ShardRouter) {
    this.#view = view;
    this.#router = router;
  }

  /** The keys of a group that are parked in a topic. */
  async list(groupName: string, topicName: string): Promise<NamedParkedKey[]> {
    const { groupKey } = this.#view.needGroup(groupName);
    const topic = this.#view.needTopic(topicName);
    const found: NamedParkedKey[] = [];
    for (const [shard, queueKeys] of queuesByShard(topic)) {
      const ask = { groupKey, queueKeys, keysMax };
      for (const { queueKey, ...parked } of await this.#router.ask(shard, "parkedKeys", ask)) {
        const queueId = this.#view.queue(queueKey)?.queueId ?? -1;
        found.push({ topic: topicName, queueId, ...parked });
      }
    }
    return found;
  }

  /** @throws {BrokerError} `conflict`: nothing is parked there. `queue_not_found` */
  async settle(
    groupName: string,
    topicName: string,
    parked: { readonly queueId: number; readonly offset: number },
    action: SettleKeyAsk["action"],
    by: string,
  ): Promise<void> {
    const { groupKey } = this.#view.needGroup(groupName);
    const ref = this.#view.needTopic(topicName).queueRefs[parked.queueId];
    const deadLetterTopic = deadLetterTopicOf(groupName);
    const letters = this.#view.needTopic(deadLetterTopic).queueRefs;
    const letter = letters.find(({ shard }) => shard === ref?.shard);
    if (ref === undefined || letter === undefined) {
      const claim = `Topic "${topicName}" has no queue ${parked.queueId}`;
      throw new BrokerError("queue_not_found", claim);
    }
    const { verdict } = await this.#router.ask(ref.shard, "settleKey", {
      groupKey,
      queueKey: ref.queueKey,
      offset: parked.offset,
      action,
      by,
      deadLetterTopic,
      deadLetterQueueKey: letter.queueKey,
    });
    if (verdict === "done") return;
    throw new BrokerError(
      "conflict",
      `Cannot ${action} offset ${parked.offset} of queue ${parked.queueId}: group "${groupName}" ` +
        "has no key parked there",
    );
  }
}
