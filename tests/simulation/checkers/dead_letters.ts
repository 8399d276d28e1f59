/** After the last attempt a message is in the dead-letter queue, once; and never before. @module */
import { type Audit, type SimEvent, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

/** Attempts that were seen, held against the dead letters. */
export class DeadLetters implements Checker {
  readonly #attemptsMax: number;
  /** Group, id and place → attempts somebody saw. */
  readonly #seen = new Map<string, number>();
  readonly #sentBack = new Set<string>();
  readonly #resets = new Set<string>();
  /** An answer may have been lost, so an attempt nobody saw may count. */
  #answersLost = false;

  constructor(attemptsMax: number) {
    this.#attemptsMax = attemptsMax;
  }

  see(event: SimEvent, complain: (fault: string) => void): void {
    switch (event.kind) {
      case "delivered":
        for (const message of event.messages) {
          const key = `${event.group} ${message.id} ${spotKey(message)}`;
          this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
          if (!event.broadcast && message.attempt > this.#attemptsMax) {
            complain(`${key}: attempt ${message.attempt} of at most ${this.#attemptsMax}`);
          }
        }
        return;
      case "send-back":
        this.#sentBack.add(`${event.group} ${event.id}`);
        return;
      case "reset-asked":
        this.#resets.add(event.group);
        return;
      case "crash":
      case "shard-lost":
      case "fault":
        this.#answersLost = true;
    }
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const copies = new Map<string, number>();
    for (const { topic, messages } of audit.values()) {
      if (!topic.startsWith("%DLQ%")) continue;
      const group = topic.slice("%DLQ%".length);
      for (const { id, origin } of messages) {
        if (this.#sentBack.has(`${group} ${id}`) || this.#resets.has(group)) continue;
        // Sent back from there it is at another place, and may die there too.
        const key = `${group} ${id} ${origin === undefined ? "" : spotKey(origin)}`;
        copies.set(key, (copies.get(key) ?? 0) + 1);
      }
    }
    for (const [key, count] of copies) {
      if (count > 1) complain(`${key} is in the dead letters ${count} times`);
      const seen = this.#seen.get(key) ?? 0;
      if (!this.#answersLost && seen < this.#attemptsMax) {
        complain(`${key} is a dead letter after ${seen} of ${this.#attemptsMax} attempts`);
      }
    }
  }
}
