/**
 * Which pulls end with which connection.
 *
 * A connection that waits begins a pull every few seconds for as long as it lasts. A listener for
 * each would be most of what is kept of one; so a connection's signal has one listener, and beside
 * it the numbers of its pulls, of which those answered meanwhile are passed over.
 *
 * @module
 */
import type { LinkClient } from "../link/client.ts";
import type { ShardOperations } from "../link/shard_messages.ts";

type Link = Pick<LinkClient<ShardOperations>, "ask" | "isPending">;

/** Numbers of answered pulls that may lie beside those that wait. */
const staleMax = 4;

type Waiting = { readonly ids: Set<number>; pruneAt: number };

/** For one shard's link. */
export class Hangups {
  readonly #link: Link;
  /** Each bounded by the pulls that wait, and as many again. */
  readonly #waiting = new WeakMap<AbortSignal, Waiting>();

  constructor(link: Link) {
    this.#link = link;
  }

  /** When `signal` aborts, the shard forgets question `id`, if it has not answered it. */
  end(id: number, signal: AbortSignal): void {
    const waiting = this.#waiting.get(signal) ?? this.#listen(signal);
    waiting.ids.add(id);
    if (waiting.ids.size > waiting.pruneAt) this.#prune(waiting, id);
    // Asked before the question has left: it follows right behind.
    if (signal.aborted) queueMicrotask(() => this.#forget(waiting.ids));
  }

  #listen(signal: AbortSignal): Waiting {
    const waiting: Waiting = { ids: new Set(), pruneAt: staleMax };
    this.#waiting.set(signal, waiting);
    signal.addEventListener("abort", () => this.#forget(waiting.ids), { once: true });
    return waiting;
  }

  #prune(waiting: Waiting, newest: number): void {
    for (const id of waiting.ids) {
      if (id !== newest && !this.#link.isPending(id)) waiting.ids.delete(id);
    }
    waiting.pruneAt = 2 * waiting.ids.size + staleMax;
  }

  #forget(ids: Set<number>): void {
    for (const id of ids) {
      // A link that is lost meanwhile has nothing parked any more: its refusal changes nothing.
      if (this.#link.isPending(id)) this.#link.ask("forget", { id }).catch(() => null);
    }
    ids.clear();
  }
}
