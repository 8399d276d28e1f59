/**
 * Owns what the members of groups want of topics when they receive: a message only one of them
 * wants is kept for it. Stored, so that a restart does not forget who is about to come back.
 *
 * @module
 */
import { type GroupTopic, LiveFilters } from "../../src/core/live_filters.ts";
import type {
  CoordinatorNews,
  GroupFilters,
  NoteFilterAsk,
} from "../../src/link/coordinator_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { type Expression, expressionKey } from "../../src/model/subscription.ts";
import type { MetaStore } from "../../src/ports/meta_store.ts";
import type { OwnsFilters } from "./owns_filters.ts";
import { groupFiltersNamespace } from "./owns_key_values.ts";

/** How often wishes that are not repeated are looked for. */
export const filterSweepMs = 60_000;

/** What the owner is made of. */
export type OwnsGroupFiltersParts = {
  readonly store: MetaStore;
  readonly filters: OwnsFilters;
  readonly tell: (news: CoordinatorNews) => void;
};

/** The wishes of all groups, in memory and in the store alike. */
export class OwnsGroupFilters {
  readonly #parts: OwnsGroupFiltersParts;
  readonly #live = new LiveFilters();

  /** What is stored counts as heard now: whoever was there had no chance to say so since. */
  constructor(parts: OwnsGroupFiltersParts, nowMs: number) {
    this.#parts = parts;
    for (const text of Object.values(parts.store.keyValues(groupFiltersNamespace))) {
      const { group, topic, expressions } = JSON.parse(text) as StoredWishes;
      for (const expression of expressions) this.#live.note({ group, topic }, expression, nowMs);
    }
  }

  /** What every group wants, for a front that begins. */
  snapshot(): GroupFilters[] {
    return this.#live.all().map((of) => this.#filtersOf(of));
  }

  /** @throws {BrokerError} `filter_invalid`, `limit_exceeded`. */
  note({ group, topic, expression }: NoteFilterAsk, nowMs: number): void {
    this.#parts.filters.compile(expression);
    const of = { group, topic };
    if (this.#live.note(of, expression, nowMs)) this.#changed(of);
  }

  /** Forgets what nobody wants any more, and tells. */
  sweep(nowMs: number): void {
    for (const of of this.#live.sweep(nowMs)) this.#changed(of);
  }

  forgetGroup(group: string): void {
    for (const of of this.#live.forget((one) => one.group === group)) this.#changed(of);
  }

  forgetTopic(topic: string): void {
    for (const of of this.#live.forget((one) => one.topic === topic)) this.#changed(of);
  }

  #changed(of: GroupTopic): void {
    const expressions = this.#live.of(of);
    const stored: StoredWishes = { ...of, expressions };
    const text = expressions.length === 0 ? null : JSON.stringify(stored);
    this.#parts.store.putKeyValue(groupFiltersNamespace, `${of.group}\n${of.topic}`, text);
    this.#parts.tell({ kind: "filters", ...this.#filtersOf(of) });
  }

  #filtersOf(of: GroupTopic): GroupFilters {
    const filters = this.#live.of(of).flatMap((expression) => {
      const filter = this.#compiled(expression);
      return filter === null ? [] : [{ key: expressionKey(expression), filter }];
    });
    return { ...of, filters };
  }

  /** `null`: what an earlier release took, this one does not; its members will be told. */
  #compiled(expression: Expression) {
    try {
      return this.#parts.filters.compile(expression);
    } catch (thrown) {
      if (thrown instanceof BrokerError) return null;
      throw thrown;
    }
  }
}

type StoredWishes = GroupTopic & { readonly expressions: readonly Expression[] };
