/**
 * Resets that pulling consumers have not followed yet.
 *
 * A group's place moves when it is reset, but its members go on from where they are, and would
 * commit that. Until one asks for the place it was reset to, its commits count for nothing and
 * its pulls are told where to go. Forgotten with a restart, and when too many wait: then a member
 * that did not listen undoes the reset.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import { Lru } from "../../base/lru.ts";

/** The offsets queues were reset to, by group. */
export class PendingResets {
  readonly #offsets = new Lru<string, number>({ countMax: limits.pendingResetsMax });

  /** Notes a reset. */
  put(group: string, topic: string, queueId: number, offset: number): void {
    this.#offsets.set(keyOf(group, topic, queueId), offset);
  }

  /** The reset was not made. */
  drop(group: string, topic: string, queueId: number): void {
    this.#offsets.delete(keyOf(group, topic, queueId));
  }

  /** Whether members have still to follow. */
  has(group: string, topic: string, queueId: number): boolean {
    return this.#offsets.size > 0 && this.#offsets.has(keyOf(group, topic, queueId));
  }

  /**
   * The group is at `offset` now. If that is elsewhere, others of the group have followed already,
   * over HTTP: a member that comes back goes on from there.
   */
  passed(group: string, topic: string, queueId: number, offset: number): void {
    if (this.#offsets.size === 0) return;
    const key = keyOf(group, topic, queueId);
    const target = this.#offsets.get(key);
    if (target !== undefined && target !== offset) this.#offsets.delete(key);
  }

  /**
   * A member reads at `offset`. Where it has to go instead; `undefined`: it is right there, and the
   * reset is followed, or there was none.
   */
  follow(group: string, topic: string, queueId: number, offset: number): number | undefined {
    if (this.#offsets.size === 0) return undefined;
    const key = keyOf(group, topic, queueId);
    const target = this.#offsets.get(key);
    if (target !== offset) return target;
    this.#offsets.delete(key);
    return undefined;
  }
}

function keyOf(group: string, topic: string, queueId: number): string {
  return `${group}@${topic}/${queueId}`;
}
