/**
 * What the other members of a group want, for each that receives: what only they want is kept for
 * them instead of being passed over.
 *
 * The coordinator knows the wishes of all; here is its newest word. A wish it does not know is told
 * to it before the first receive goes on, a known one now and then while it is used, on the side.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { Lru } from "../base/lru.ts";
import type { GroupFilters, LiveFilter } from "../link/coordinator_messages.ts";
import type { LinkClient } from "../link/client.ts";
import type { CoordinatorOperations } from "../link/coordinator_messages.ts";
import { expressionKey, expressionOf, type Filter } from "../model/subscription.ts";

/** How often a wish in use is told again; well below what the coordinator waits for. */
const noteAgainMs = 60_000;

type Wishes = {
  readonly live: readonly LiveFilter[];
  /** Aborted when others want something else: who waits is to ask anew. */
  readonly changed: AbortController;
};

const nobody: readonly LiveFilter[] = [];
const nothing: readonly Filter[] = [];

/** The wishes of every group, as the coordinator last told them. */
export class OtherFilters {
  readonly #coordinator: LinkClient<CoordinatorOperations>;
  readonly #clock: Clock;
  /** Bounded by the coordinator's own limit. */
  readonly #wishes = new Map<string, Wishes>();
  readonly #notedMs = new Lru<string, number>({ countMax: limits.groupFiltersMax });
  readonly #keys = new WeakMap<Filter, string>();

  constructor(coordinator: LinkClient<CoordinatorOperations>, clock: Clock) {
    this.#coordinator = coordinator;
    this.#clock = clock;
  }

  /** Takes the coordinator's newest word in. */
  put({ group, topic, filters }: GroupFilters): void {
    const name = nameOf(group, topic);
    const before = this.#wishes.get(name);
    if (filters.length === 0) this.#wishes.delete(name);
    else this.#wishes.set(name, { live: filters, changed: new AbortController() });
    before?.changed.abort();
  }

  /**
   * What others want beside `filter`. A promise only when nobody of the group wanted it so far.
   *
   * @throws {BrokerError} `limit_exceeded`: the group's members want too many different things.
   */
  beside(
    group: string,
    topic: string,
    filter: Filter,
  ): readonly Filter[] | Promise<readonly Filter[]> {
    const key = this.#keyOf(filter);
    const name = nameOf(group, topic);
    const live = this.#wishes.get(name)?.live ?? nobody;
    if (live.some((one) => one.key === key)) {
      this.#noteAgain(group, topic, filter, `${name}\n${key}`);
      return live.length === 1 ? nothing : othersIn(live, key);
    }
    return this.#noteFirst(group, topic, filter, `${name}\n${key}`);
  }

  /** Everything members of the group want of the topic. */
  live(group: string, topic: string): readonly LiveFilter[] {
    return this.#wishes.get(nameOf(group, topic))?.live ?? nobody;
  }

  /** Aborts when the group's wishes change; `undefined` while it has none. */
  changed(group: string, topic: string): AbortSignal | undefined {
    return this.#wishes.get(nameOf(group, topic))?.changed.signal;
  }

  async #noteFirst(group: string, topic: string, filter: Filter, noted: string) {
    await this.#note(group, topic, filter, noted);
    const live = this.#wishes.get(nameOf(group, topic))?.live ?? nobody;
    return othersIn(live, this.#keyOf(filter));
  }

  #noteAgain(group: string, topic: string, filter: Filter, noted: string): void {
    const lastMs = this.#notedMs.get(noted);
    if (lastMs !== undefined && this.#clock.monotonicMs() - lastMs < noteAgainMs) return;
    // It is known; should the coordinator not answer, it is told again with the next receive.
    this.#note(group, topic, filter, noted).catch(() => this.#notedMs.delete(noted));
  }

  async #note(group: string, topic: string, filter: Filter, noted: string): Promise<void> {
    this.#notedMs.set(noted, this.#clock.monotonicMs());
    const expression = expressionOf(filter);
    await this.#coordinator.ask("noteFilter", { group, topic, expression });
  }

  #keyOf(filter: Filter): string {
    const known = this.#keys.get(filter);
    if (known !== undefined) return known;
    const key = expressionKey(expressionOf(filter));
    this.#keys.set(filter, key);
    return key;
  }
}

function othersIn(live: readonly LiveFilter[], key: string): readonly Filter[] {
  return live.filter((one) => one.key !== key).map(({ filter }) => filter);
}

function nameOf(group: string, topic: string): string {
  return `${group}\n${topic}`;
}
