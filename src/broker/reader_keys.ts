/**
 * The keys under which clients of broadcast groups have their places, once they were asked for.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { Lru } from "../base/lru.ts";
import type { LinkClient } from "../link/client.ts";
import type { CoordinatorOperations } from "../link/coordinator_messages.ts";
import type { ShardRouter } from "./shard_router.ts";

/** How often the coordinator hears of a client that goes on reading. */
const askAgainMs = 600_000;

/** What the keys are asked of. */
export type ReaderKeysParts = {
  readonly coordinator: LinkClient<CoordinatorOperations>;
  readonly router: ShardRouter;
  readonly clock: Clock;
};

/** Asks the coordinator once, and then now and then. */
export class ReaderKeys {
  readonly #parts: ReaderKeysParts;
  readonly #known = new Lru<string, { readonly readerKey: number; readonly askedMs: number }>({
    countMax: limits.broadcastReadersMax,
  });
  /** Keys of readers that are gone: an answer under way must not bring them back. */
  readonly #gone = new Lru<number, true>({ countMax: limits.broadcastReadersMax });

  constructor(parts: ReaderKeysParts) {
    this.#parts = parts;
  }

  /** The key of a client's places. @throws {BrokerError} `limit_exceeded` */
  async of(group: string, clientId: string): Promise<number> {
    const { coordinator, clock } = this.#parts;
    const name = `${group}\n${clientId}`;
    const known = this.#known.get(name);
    const nowMs = clock.monotonicMs();
    const isFresh = known !== undefined && nowMs - known.askedMs < askAgainMs;
    if (isFresh && !this.#gone.has(known.readerKey)) return known.readerKey;
    const { readerKey } = await coordinator.ask("joinBroadcast", { group, clientId });
    this.#known.set(name, { readerKey, askedMs: nowMs });
    return readerKey;
  }

  /**
   * Drops the places of readers that are gone. What fails is told again by the coordinator, which
   * keeps them until it hears that every shard has dropped them.
   */
  async drop(readerKeys: readonly number[]): Promise<void> {
    const { coordinator, router } = this.#parts;
    for (const readerKey of readerKeys) this.#gone.set(readerKey, true);
    for (const groupKey of readerKeys) await router.askAll("dropGroup", () => ({ groupKey }));
    await coordinator.ask("readersDropped", { readerKeys });
  }
}
