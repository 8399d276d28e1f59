/**
 * Compiled filters by their text. The coordinator compiles; polls repeat the same few texts and
 * must not wait for it each time.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";
import type { Broker } from "../../broker/broker.ts";
import { everything, type Filter } from "../../model/subscription.ts";

/** Asks the broker once for each text. */
export class FilterCache {
  readonly #broker: Broker;
  readonly #filters = new Lru<string, Filter>({ countMax: limits.filterCacheMax });

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** The filter of a tag expression; `undefined` and `*` let everything through. */
  async of(tags: string | undefined): Promise<Filter> {
    if (tags === undefined || tags === "*") return everything;
    const known = this.#filters.get(tags);
    if (known) return known;
    const filter = await this.#broker.compile({ language: "TAG", text: tags });
    this.#filters.set(tags, filter);
    return filter;
  }
}
