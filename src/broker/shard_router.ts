/**
 * Which link leads to which shard. A shard's link is replaced when its thread was started again.
 *
 * @module
 */
import { BrokerError } from "../model/errors.ts";
import type { AnswerOf, LinkClient, RequestOf } from "../link/client.ts";
import type { ShardOperations } from "../link/shard_messages.ts";
import { Hangups } from "./hangups.ts";

/** How one shard is asked. */
export type ShardLink = LinkClient<ShardOperations>;

/** Finds the link of a shard by its number, 0 to `count` less one. */
export class ShardRouter {
  /** One for each shard; fixed in number. */
  readonly #links: ({ readonly link: ShardLink; readonly hangups: Hangups } | null)[];
  /** Why a shard is absent. */
  readonly #reasons = new Map<number, string>();
  #isClosing = false;

  constructor(shards: number) {
    this.#links = Array.from({ length: shards }, () => null);
  }

  get count(): number {
    return this.#links.length;
  }

  connect(shard: number, link: ShardLink): void {
    this.#links[shard] = { link, hangups: new Hangups(link) };
  }

  /** The shard's thread ended; until it is connected again, callers are told `reason`. */
  disconnect(shard: number, reason: string): void {
    this.#links[shard] = null;
    this.#reasons.set(shard, reason);
  }

  /** The broker stops: nobody begins to wait, and who finds a shard absent is told why. */
  close(): void {
    this.#isClosing = true;
  }

  /** @throws {BrokerError} `storage_failed`: the shard's thread is not running. */
  ask<N extends keyof ShardOperations & string>(
    shard: number,
    name: N,
    request: RequestOf<ShardOperations, N>,
  ): Promise<AnswerOf<ShardOperations, N>> {
    const link = this.#links[shard]?.link;
    return link ? link.ask(name, request) : Promise.reject(this.#absent(shard));
  }

  /**
   * Asks something that may be parked; when `signal` aborts, the shard forgets it. The signal of a
   * pull may last for many of them, but must not be made of others, which would hold it for ever.
   */
  askParked<N extends "pull" | "receive" | "watch">(
    shard: number,
    name: N,
    request: RequestOf<ShardOperations, N>,
    signal: AbortSignal | undefined,
  ): Promise<AnswerOf<ShardOperations, N>> {
    const ways = this.#links[shard];
    // What was parked is answered by the drain; a new wait would only hold the stop up.
    if (!ways || this.#isClosing) return Promise.reject(this.#absent(shard));
    const { link, hangups } = ways;
    if (signal === undefined) return link.ask(name, request);
    // Crowds wait with pulls, each over and over: nothing more is kept of one than its number.
    if (name === "pull") return link.ask(name, request, (id) => hangups.end(id, signal));
    let askedId = 0;
    const answer = link.ask(name, request, (id) => (askedId = id));
    // A link that is lost meanwhile has nothing parked any more: its refusal changes nothing.
    const forget = () => void link.ask("forget", { id: askedId }).catch(() => null);
    if (signal.aborted) forget();
    signal.addEventListener("abort", forget, { once: true });
    return heard(answer, signal, forget);
  }

  /** Asks every shard; fails when one of them does. */
  askAll<N extends keyof ShardOperations & string>(
    name: N,
    request: (shard: number) => RequestOf<ShardOperations, N>,
  ): Promise<AnswerOf<ShardOperations, N>[]> {
    return Promise.all(this.#links.map((_, shard) => this.ask(shard, name, request(shard))));
  }

  #absent(shard: number): BrokerError {
    if (this.#isClosing) {
      return new BrokerError("shutting_down", `Cannot ask shard ${shard}: the broker is stopping`);
    }
    const reason = this.#reasons.get(shard) ?? "it has not been started yet";
    return new BrokerError("storage_failed", `Cannot ask shard ${shard}: ${reason}`);
  }
}

/** Waits for the answer of what may be parked. Apart, so that a wait does not keep the question. */
async function heard<T>(
  answer: Promise<T>,
  signal: AbortSignal,
  forget: () => void,
): Promise<T> {
  try {
    return await answer;
  } finally {
    signal.removeEventListener("abort", forget);
  }
}
