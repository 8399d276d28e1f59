/**
 * Offsets of a queue have no gap and never return: none names two messages, crashes included.
 *
 * @module
 */
import { type Audit, type Seen, type SimEvent, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

/** Which message each offset names. */
export class Offsets implements Checker {
  readonly #ids = new Map<string, string>();
  readonly #physical = new Map<number, string>();
  /** Queue → the highest bounds anybody was told. */
  readonly #bounds = new Map<string, { min: number; max: number }>();

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind === "delivered") {
      for (const message of event.messages) this.#note(message, complain);
    } else if (event.kind === "pulled") {
      for (const message of event.messages) this.#note(message, complain);
    } else if (event.kind === "crash") {
      for (const spot of event.lost) this.#forget(spotKey(spot));
      if (event.power) this.#bounds.clear();
    }
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    for (const [name, { messages, min, max }] of audit) {
      const offsets = messages.map(({ offset }) => offset);
      const whole = offsets.length === max - min &&
        offsets.every((offset, at) => offset === min + at);
      if (!whole) complain(`${name} has offsets ${offsets} between ${min} and ${max}`);
      for (const message of messages) this.#note(message, complain);
      const known = this.#bounds.get(name) ?? { min: 0, max: 0 };
      if (min < known.min || max < known.max) {
        complain(`${name} went back from ${known.min}..${known.max} to ${min}..${max}`);
      }
      this.#bounds.set(name, { min, max });
    }
  }

  #note(message: Seen, complain: (fault: string) => void): void {
    const key = spotKey(message);
    const known = this.#ids.get(key);
    const full = `${message.topic} ${message.id}`;
    if (known !== undefined && known !== full) {
      complain(`${key} names ${known}, and then ${full}`);
    }
    this.#ids.set(key, full);
    const there = this.#physical.get(message.physicalOffset);
    if (there !== undefined && there !== key) {
      complain(`physical offset ${message.physicalOffset} names ${there}, and then ${key}`);
    }
    this.#physical.set(message.physicalOffset, key);
  }

  /** The power took it, as it was allowed to: its numbers may be given again. */
  #forget(key: string): void {
    this.#ids.delete(key);
    for (const [physical, there] of this.#physical) {
      if (there === key) this.#physical.delete(physical);
    }
  }
}
