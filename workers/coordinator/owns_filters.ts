/** Owns the subscriptions of live groups, compiled: front and shards apply them. @module */
import { limits } from "../../src/base/limits.ts";
import { Lru } from "../../src/base/lru.ts";
import { compileExpression } from "../../src/core/filter.ts";
import type {
  CompiledSubscription,
  ConsumerMembership,
  CoordinatorNews,
} from "../../src/link/coordinator_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { Expression, Filter, Subscription } from "../../src/model/subscription.ts";

/** What live groups want, and what the front was told of it. */
export class OwnsFilters {
  readonly #tell: (news: CoordinatorNews) => void;
  /** Faults are kept as well: a client repeats its expression with every heartbeat. */
  readonly #compiled = new Lru<string, Filter | BrokerError>({
    countMax: limits.compiledFiltersMax,
  });
  /** Group → topic → what the front was told. Bounded by the members alive. */
  readonly #told = new Map<string, Map<string, CompiledSubscription>>();

  constructor(tell: (news: CoordinatorNews) => void) {
    this.#tell = tell;
  }

  /** @throws {BrokerError} `filter_invalid`. */
  compile(expression: Expression): Filter {
    const compiled = this.#look(expression);
    if (compiled instanceof BrokerError) throw compiled;
    return compiled;
  }

  /** Every fault in what a client asks for, as one error; `null` when all can be compiled. */
  faultsOf(consumers: readonly ConsumerMembership[]): BrokerError | null {
    const faults = consumers.flatMap(({ group, subscriptions }) =>
      subscriptions.flatMap(({ topic, expression }) => {
        const compiled = this.#look(expression);
        if (!(compiled instanceof BrokerError)) return [];
        return [`group "${group}" on topic "${topic}": ${compiled.message}`];
      })
    );
    if (faults.length === 0) return null;
    return new BrokerError("filter_invalid", `Cannot subscribe ${faults.join("; ")}`);
  }

  /**
   * Whether these may be newer than what was told. Nearly all heartbeats say what was said before,
   * and a look at all members of the group for each would be most of the coordinator's work.
   */
  isNews(group: string, subscriptions: readonly Subscription[]): boolean {
    const told = this.#told.get(group);
    return subscriptions.some(({ topic, version, expression }) => {
      const before = told?.get(topic);
      return before === undefined || version > before.version ||
        (version === before.version && !sameExpression(before.expression, expression));
    });
  }

  /**
   * Tells what changed in the wishes of a group. A wish that cannot be compiled changes nothing:
   * what was told of the topic before still counts.
   */
  refresh(group: string, newest: ReadonlyMap<string, Subscription>): void {
    const told = this.#told.get(group) ?? new Map<string, CompiledSubscription>();
    for (const [topic, { expression, version }] of newest) {
      const before = told.get(topic);
      if (before?.version === version && sameExpression(before.expression, expression)) continue;
      const filter = this.#look(expression);
      if (filter instanceof BrokerError) continue;
      const subscription = { group, topic, version, expression, filter };
      told.set(topic, subscription);
      this.#tell({ kind: "subscription", subscription });
    }
    if (newest.size === 0) {
      if (this.#told.delete(group)) this.#tell({ kind: "unsubscribed", group, topic: null });
      return;
    }
    for (const topic of told.keys()) {
      if (newest.has(topic)) continue;
      told.delete(topic);
      this.#tell({ kind: "unsubscribed", group, topic });
    }
    this.#told.set(group, told);
  }

  #look(expression: Expression): Filter | BrokerError {
    const key = `${expression.language}\n${expression.text}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = attempt(expression);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

function attempt(expression: Expression): Filter | BrokerError {
  try {
    return compileExpression(expression);
  } catch (thrown) {
    if (thrown instanceof BrokerError) return thrown;
    throw thrown;
  }
}

function sameExpression(a: Expression, b: Expression): boolean {
  return a.language === b.language && a.text === b.text;
}
