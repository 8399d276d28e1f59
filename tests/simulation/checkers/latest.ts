/** A group that begins with what is new is never handed what was stored before it began. @module */
import { type SimEvent, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

/** What was stored when each such group asked for the first time. */
export class Latest implements Checker {
  readonly #stored = new Set<string>();
  /** Group and topic → the places of older messages. */
  readonly #older = new Map<string, ReadonlySet<string>>();

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind === "send-ended") {
      for (const spot of event.spots) this.#stored.add(spotKey(spot));
    } else if (event.kind === "beginning") {
      this.#older.set(`${event.group} ${event.topic}`, new Set(this.#stored));
    } else if (event.kind === "crash") {
      // The power took them, and others may be where they were.
      for (const spot of event.lost) this.#forget(spotKey(spot));
    } else if (event.kind === "delivered") {
      for (const message of event.messages) {
        const older = this.#older.get(`${event.group} ${message.topic}`);
        const key = spotKey(message);
        if (older?.has(key)) complain(`${event.group} began with what is new, and got ${key}`);
      }
    }
  }

  #forget(key: string): void {
    this.#stored.delete(key);
    for (const [name, older] of this.#older) {
      if (older.has(key)) this.#older.set(name, new Set([...older].filter((one) => one !== key)));
    }
  }
}
