/**
 * Filters of pops, which carry their expression every time: the broker compiles each text once.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";
import type { Broker } from "../../broker/broker.ts";
import type { Expression, Filter } from "../../model/subscription.ts";

/** Compiled filters by their text; the one not asked for longest goes first. */
export class FilterMemory {
  readonly #broker: Pick<Broker, "compile">;
  readonly #filters = new Lru<string, Filter>({ countMax: limits.filterCacheMax });

  constructor(broker: Pick<Broker, "compile">) {
    this.#broker = broker;
  }

  /** @throws {BrokerError} `filter_invalid` */
  async filterOf(expression: Expression): Promise<Filter> {
    const key = `${expression.language} ${expression.text}`;
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const filter = await this.#broker.compile(expression);
    this.#filters.set(key, filter);
    return filter;
  }
}
