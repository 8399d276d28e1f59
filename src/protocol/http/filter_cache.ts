/**
 * Compiled filters by their text. The coordinator compiles; polls repeat the same few texts and
 * must not wait for it each time.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";
import type { Broker } from "../../broker/broker.ts";
import { BrokerError } from "../../model/errors.ts";
import { everything, type Expression, type Filter } from "../../model/subscription.ts";

/** What a request says of its filter: by tags, by SQL92, or nothing. */
export type FilterWish = {
  readonly tags?: string | undefined;
  readonly sql?: string | undefined;
};

/** Asks the broker once for each text. */
export class FilterCache {
  readonly #broker: Broker;
  readonly #filters = new Lru<string, Filter>({ countMax: limits.filterCacheMax });

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /**
   * The filter of a request; without one, and for the tags `*`, everything comes through.
   *
   * @throws {BrokerError} `invalid_argument`: tags and SQL at once; `filter_invalid`.
   */
  async of({ tags, sql }: FilterWish): Promise<Filter> {
    if (sql === undefined) {
      if (tags === undefined || tags === "*") return everything;
      return await this.#compiled({ language: "TAG", text: tags });
    }
    if (tags === undefined) return await this.#compiled({ language: "SQL92", text: sql });
    const advice = "write the tag into the SQL, as TAGS = 'created'";
    const message = `Cannot filter by tags and by sql at once: ${advice}`;
    throw new BrokerError("invalid_argument", message);
  }

  async #compiled(expression: Expression): Promise<Filter> {
    const key = `${expression.language} ${expression.text}`;
    const known = this.#filters.get(key);
    if (known) return known;
    const filter = await this.#broker.compile(expression);
    this.#filters.set(key, filter);
    return filter;
  }
}
