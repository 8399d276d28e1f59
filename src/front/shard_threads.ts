/**
 * The shards' threads: started, watched, and started again alone when one of them fails.
 *
 *     running ──thread threw──▶ absent (its requests are refused) ──pause──▶ running
 *
 * The coordinator's news for a shard passes through here, so that its own port lasts while the
 * shard's thread is replaced.
 *
 * @module
 */
import type { Log } from "../base/log.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { LinkClient } from "../link/client.ts";
import { gathering } from "../link/departure.ts";
import type { ShardFrontNews } from "../link/coordinator_messages.ts";
import { shardOperations } from "../link/shard_messages.ts";
import type { HalfCheck } from "../link/transaction_messages.ts";
import type { ShardRouter } from "../broker/shard_router.ts";
import type { ThreadPort } from "../ports/thread_port.ts";
import type { Role, Threads } from "../ports/threads.ts";
import type { Timers } from "../ports/timers.ts";

/** How long a failed shard stays absent: a fault that comes back at once must not fill the log. */
const restartMs = 1_000;
/** News that holds until there is newer news of its kind. */
const standingKinds = ["retention", "existing"];

/** What the watcher is made of. `dataOf` is what each thread is started with. */
export type ShardThreadsParts = {
  readonly threads: Threads;
  readonly timers: Timers;
  readonly router: ShardRouter;
  readonly log: Log;
  readonly entry: URL;
  readonly dataOf: (shard: number) => unknown;
  /** A shard wants producers to be asked what became of their transactions. */
  readonly onChecks: (shard: number, checks: readonly HalfCheck[]) => void;
};

type Running = { readonly role: Role; readonly news: ThreadPort };

/** Starts the shards, keeps each running until `stop`, and passes the coordinator's news to it. */
export class ShardThreads {
  readonly #parts: ShardThreadsParts;
  readonly #running = new Map<number, Running>();
  /** The coordinator's newest standing orders by kind, for a shard that is started again. */
  readonly #standing = new Map<number, Map<string, unknown>>();
  readonly #coordinatorPorts: ThreadPort[] = [];
  #stopping = false;
  #draining: Promise<void> | null = null;

  constructor(parts: ShardThreadsParts) {
    this.#parts = parts;
  }

  /** Starts all shards. Answers the coordinator's ends of their news ports, by shard. */
  start(): MessagePort[] {
    const ends: MessagePort[] = [];
    for (let shard = 0; shard < this.#parts.router.count; shard++) {
      const [ours, coordinators] = this.#parts.threads.channel();
      const port = this.#parts.threads.threadPort(ours);
      port.onMessage((news) => this.#passToShard(shard, news));
      this.#coordinatorPorts.push(port);
      ends.push(coordinators);
      this.#run(shard);
    }
    return ends;
  }

  /** No new work, parked requests answered, commits finished, stores closed. Once is enough. */
  drain(): Promise<void> {
    return this.#draining ??= this.#drainAll();
  }

  /** Drains, and ends the threads. */
  async stop(): Promise<void> {
    await this.drain();
    await Promise.all([...this.#running.values()].map(({ role }) => role.terminate()));
    for (const port of this.#coordinatorPorts) port.close();
  }

  async #drainAll(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#running.keys()].map(async (shard) => {
      try {
        await this.#parts.router.ask(shard, "drain", null);
      } catch (thrown) {
        this.#parts.log.warn("shard did not drain", { shard, reason: String(thrown) });
      }
    }));
  }

  #run(shard: number): void {
    const { threads, router, entry, dataOf, log } = this.#parts;
    const [front, shards] = threads.channel();
    const [news, shardNews] = threads.channel();
    const role = threads.spawnRole({ entry, data: dataOf(shard), ports: [shards, shardNews] });
    const link = new LinkClient(
      shardOperations,
      threads.threadPort(front),
      limits.linkRequestsMax,
      (notice) => this.#heard(shard, notice as ShardFrontNews),
      limits.linkBatchBytesMax,
      gathering(this.#parts.timers),
    );
    const newsPort = threads.threadPort(news);
    newsPort.onMessage((message) => this.#coordinatorPorts[shard]?.postMessage(message, []));
    this.#running.set(shard, { role, news: newsPort });
    router.connect(shard, link);
    for (const order of this.#standing.get(shard)?.values() ?? []) newsPort.postMessage(order, []);
    role.done.then(
      () => this.#ended(shard, link, null),
      (thrown) => this.#ended(shard, link, thrown),
    ).catch((thrown) => log.error("shard cannot be watched", { shard, reason: String(thrown) }));
  }

  #ended(shard: number, link: LinkClient<typeof shardOperations>, thrown: unknown): void {
    this.#running.get(shard)?.news.close();
    this.#running.delete(shard);
    const cause = thrown instanceof Error ? thrown.message : "it was asked to end";
    const reason = `its thread ended: ${cause}`;
    const code = this.#stopping ? "shutting_down" : "storage_failed";
    this.#parts.router.disconnect(shard, reason);
    link.lose(new BrokerError(code, `Cannot go on in shard ${shard}: ${reason}`));
    if (this.#stopping) return;
    this.#parts.log.error("shard failed and is started again", {
      shard,
      reason: thrown instanceof Error ? thrown : String(thrown),
    });
    this.#parts.timers.setTimer(restartMs, () => {
      if (!this.#stopping) this.#run(shard);
    });
  }

  #passToShard(shard: number, news: unknown): void {
    const kind = standingKinds.find((each) => String(news).startsWith(`{"kind":"${each}"`));
    if (kind !== undefined) {
      const orders = this.#standing.get(shard) ?? new Map<string, unknown>();
      this.#standing.set(shard, orders.set(kind, news));
    }
    this.#running.get(shard)?.news.postMessage(news, []);
  }

  #heard(shard: number, news: ShardFrontNews): void {
    if (news.kind === "checks") {
      this.#parts.onChecks(shard, news.checks);
      return;
    }
    const fields = { shard, state: news.state, reason: news.reason };
    if (news.state === "ok") this.#parts.log.info("shard is well", fields);
    else this.#parts.log.error("shard is not well", fields);
  }
}
