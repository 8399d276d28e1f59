/**
 * What the members of a group want of a topic, as far as they said so lately. A message that only
 * another member wants is kept for that member; so a member that is gone for good must be
 * forgotten, and one that is away with its whole group must not.
 *
 *     noted ──▶ live ──not noted for `liveMs`, while others of the group were──▶ forgotten
 *                └──nobody of the group was heard for `liveMs`──▶ stays, and begins anew with them
 *
 * Pure: the caller passes the time in, and stores and tells what `note` and `sweep` say changed.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import { type Expression, expressionKey } from "../model/subscription.ts";

/** How long a wish counts after it was last heard. */
export const liveMs = 10 * 60_000;

/** A group and a topic. */
export type GroupTopic = { readonly group: string; readonly topic: string };

type Live = { readonly expression: Expression; notedMs: number };
type Wishes = { readonly of: GroupTopic; readonly live: Map<string, Live>; heardMs: number };

/** The wishes of all groups. Bounded by `limits.groupFiltersMax`. */
export class LiveFilters {
  readonly #wishes = new Map<string, Wishes>();
  #count = 0;

  /**
   * A member wants this. Answers whether nobody of the group did so far.
   *
   * @throws {BrokerError} `limit_exceeded`.
   */
  note(of: GroupTopic, expression: Expression, nowMs: number): boolean {
    const wishes = this.#wishes.get(nameOf(of)) ??
      { of, live: new Map<string, Live>(), heardMs: 0 };
    const key = expressionKey(expression);
    const known = wishes.live.get(key);
    if (known === undefined) this.#checkRoom(wishes);
    // The whole group was away: those who come back first do not outlive the others for it.
    if (nowMs - wishes.heardMs >= liveMs) {
      for (const live of wishes.live.values()) live.notedMs = nowMs;
    }
    wishes.heardMs = nowMs;
    this.#wishes.set(nameOf(of), wishes);
    if (known !== undefined) {
      known.notedMs = nowMs;
      return false;
    }
    wishes.live.set(key, { expression, notedMs: nowMs });
    this.#count++;
    return true;
  }

  /** The live wishes of a group, in the order they came. */
  of(of: GroupTopic): Expression[] {
    const { live } = this.#wishes.get(nameOf(of)) ?? { live: new Map<string, Live>() };
    return [...live.values()].map(({ expression }) => expression);
  }

  /** All groups and topics with wishes. */
  all(): GroupTopic[] {
    return [...this.#wishes.values()].map(({ of }) => of);
  }

  /** Forgets wishes not heard for long. Answers whose wishes changed. */
  sweep(nowMs: number): GroupTopic[] {
    const changed: GroupTopic[] = [];
    for (const { of, live, heardMs } of this.#wishes.values()) {
      if (nowMs - heardMs >= liveMs) continue;
      const before = live.size;
      for (const [key, { notedMs }] of live) if (nowMs - notedMs >= liveMs) live.delete(key);
      this.#count -= before - live.size;
      if (live.size < before) changed.push(of);
    }
    return changed;
  }

  /** Forgets all of a group or a topic that is deleted. Answers what there was. */
  forget(isGone: (of: GroupTopic) => boolean): GroupTopic[] {
    const gone = [...this.#wishes].filter(([, { of }]) => isGone(of));
    for (const [name, { live }] of gone) {
      this.#wishes.delete(name);
      this.#count -= live.size;
    }
    return gone.map(([, { of }]) => of);
  }

  #checkRoom({ of, live }: Wishes): void {
    const max = limits.filtersPerGroupTopicMax;
    if (live.size < max && this.#count < limits.groupFiltersMax) return;
    const many = live.size >= max
      ? `members of the group want ${live.size} different things of it`
      : `${this.#count} filters of all groups are in use`;
    throw new BrokerError(
      "limit_exceeded",
      `Cannot filter topic "${of.topic}" for group "${of.group}": ${many}, which is the most`,
    );
  }
}

function nameOf({ group, topic }: GroupTopic): string {
  return `${group}\n${topic}`;
}
