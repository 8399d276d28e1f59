/** The consumer groups of a run, as its options describe them. @module */
import { compileExpression } from "../../src/core/filter.ts";
import type { GroupSettings } from "../../src/model/group.ts";
import { everything, type Filter } from "../../src/model/subscription.ts";
import type { MessageFacts } from "./events.ts";
import type { SimOptions } from "./options.ts";

/** A group whose members lease. */
export type SimGroup = {
  readonly name: string;
  readonly settings: Partial<GroupSettings>;
  /** One for each member. */
  readonly filters: readonly Filter[];
};

/** A topic that stays for the whole run. */
export const topicName = (number: number) => `topic-${number}`;
/** A group that reads by offset. */
export const pullGroupName = (number: number) => `readers-${number}`;
/** Whether the group is a puller's. */
export const isPullGroup = (group: string) => group.startsWith("readers-");
/** Groups whose places one client moves and nobody reads for. */
export const keptGroups = ["kept-0", "kept-1"] as const;

/** Amounts of messages are below this. */
export const amountMax = 10;
const tagA: Filter = { kind: "tags", tags: ["A"], hashes: [65] };
const largeAmounts = compileExpression({ language: "SQL92", text: "amount > 5" });

/** The groups of a run; the last one starts from what is new, where there is such a group. */
export function groupsOf(options: SimOptions): SimGroup[] {
  const { attemptsMax, retryDelayMs, ordered, consumersPerGroup } = options;
  const retries = options.backoff
    ? {
      retryBackoff: {
        firstMs: retryDelayMs + 1,
        maxMs: 4 * retryDelayMs + 1,
        factor: 2,
        jitter: 0.5,
      },
    }
    : { retryDelaysMs: [retryDelayMs] };
  const filtersOf = (wishes: readonly Filter[]) =>
    Array.from({ length: consumersPerGroup }, (_, member) => wishes[member % wishes.length]!);
  const groups = Array.from({ length: options.groups }, (_, number): SimGroup => {
    const isLast = number === options.groups - 1;
    const wishes = options.mixedFilters && isLast
      ? [tagA, largeAmounts]
      : [options.tags && number % 2 === 1 ? tagA : everything];
    const settings = { attemptsMax, ...retries, ordered: ordered && number === 0 };
    return { name: `group-${number}`, settings, filters: filtersOf(wishes) };
  });
  if (!options.latest) return groups;
  const settings = { attemptsMax, ...retries, startFrom: "latest" } as const;
  return [...groups, { name: "late-0", settings, filters: filtersOf([everything]) }];
}

/** Whether a filter lets a message through, by what its producer put into it. */
export function lets(filter: Filter, { tag, amount }: MessageFacts): boolean {
  if (filter.kind === "all") return true;
  return filter.kind === "tags" ? tag !== null && filter.tags.includes(tag) : amount > 5;
}

/** Whether somebody of the group wants the message. */
export function isWanted({ filters }: SimGroup, facts: MessageFacts): boolean {
  return filters.some((filter) => lets(filter, facts));
}
