/** Waiting until there is something for a group, without taking it. @module */
import { BrokerError } from "../model/errors.ts";
import type { WatchRequest } from "./broker.ts";
import { queuesByShard } from "./offsets.ts";
import type { RegistryView } from "./registry_view.ts";
import type { ShardRouter } from "./shard_router.ts";

/** Watches the queues of a topic for the door. */
export class Watcher {
  readonly #view: RegistryView;
  readonly #router: ShardRouter;

  constructor(view: RegistryView, router: ShardRouter) {
    this.#view = view;
    this.#router = router;
  }

  /** Whether a receive would find something now, or within `waitMs`. */
  async watch(request: WatchRequest): Promise<boolean> {
    const { waitMs, signal } = request;
    const asks = this.#asks(request);
    const now = await Promise.all(
      asks.map(({ shard, ask }) => this.#router.ask(shard, "watch", ask)),
    );
    if (now.includes(true) || waitMs === 0 || signal?.aborted === true) return now.includes(true);
    const others = new AbortController();
    const ended = signal === undefined ? others.signal : AbortSignal.any([signal, others.signal]);
    const waits = asks.map(async ({ shard, ask }) => {
      // What one shard has is enough: the others are told to forget.
      const found = await this.#router.askParked(shard, "watch", { ...ask, waitMs }, ended);
      if (found) others.abort();
      return found;
    });
    try {
      return (await Promise.all(waits)).includes(true);
    } finally {
      others.abort();
    }
  }

  #asks(request: WatchRequest) {
    const topic = this.#view.needTopic(request.topic);
    const { groupKey, settings: { ordered } } = this.#view.needGroup(request.group);
    const only = request.queueId === undefined ? undefined : topic.queueRefs[request.queueId];
    if (request.queueId !== undefined && only === undefined) {
      throw new BrokerError(
        "queue_not_found",
        `Cannot watch queue ${request.queueId}: topic "${topic.name}" has ` +
          `${topic.queueRefs.length} queues`,
      );
    }
    const queues = only === undefined
      ? queuesByShard(topic)
      : new Map([[only.shard, [only.queueKey]]]);
    return Array.from(queues, ([shard, queueKeys]) => {
      return { shard, ask: { groupKey, queueKeys, ordered, waitMs: 0 } };
    });
  }
}
