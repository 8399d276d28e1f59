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
   * @throws {BrokerError} `invalid_argument`: tags and SQL at once; `filter_invalid`: it cannot be
   *   read, or a tag has a `|` inside.
   */
  async of({ tags, sql }: FilterWish): Promise<Filter> {
    if (sql === undefined) {
      if (tags === undefined || tags === "*") return everything;
      refuseSinglePipe(tags);
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

/**
 * RocketMQ's clients may send a tag with a `|` inside and subscribe to it; here no tag has one, so
 * that a single one can only be a slip of the pen, which would silently match nothing.
 *
 * @throws {BrokerError} `filter_invalid`.
 */
function refuseSinglePipe(tags: string): void {
  const tag = tags.split("||").find((each) => each.includes("|"))?.trim();
  if (tag === undefined) return;
  const shown = JSON.stringify(tag.slice(0, 80));
  const message = `Cannot filter by tag ${shown}: tags are joined by ||, and have no | inside; ` +
    "for a RocketMQ client's tag with one, use sql, as TAGS = 'a|b'";
  throw new BrokerError("filter_invalid", message);
}
