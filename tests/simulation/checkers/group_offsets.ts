/** A committed group offset goes back only by reset. @module */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

/** Committed offsets, as they were told one after the other. */
export class GroupOffsets implements Checker {
  /** Group and queue → the highest committed offset anybody was told. */
  readonly #known = new Map<string, number>();
  /** What was known when a question was asked: answers may overtake each other. */
  readonly #asked = new Map<number, ReadonlyMap<string, number>>();
  /** Calls during which a reset was under way tell nothing. */
  readonly #resets = new Map<number, string>();

  see(event: SimEvent, complain: (fault: string) => void): void {
    switch (event.kind) {
      case "places-asked":
        this.#asked.set(event.call, new Map(this.#known));
        return;
      case "places":
        this.#check(event, complain);
        return;
      case "reset-asked":
        this.#resets.set(event.call, `${event.group} ${event.topic}`);
        this.#forget(`${event.group} ${event.topic}`);
        return;
      case "reset-ended":
        this.#resets.delete(event.call);
        this.#forget(`${event.group} ${event.topic}`);
        return;
      case "crash":
        // What consumers said survives a crash of the process, and no power cut.
        if (event.power) this.#forget("");
    }
  }

  #check(event: SimEvent & { kind: "places" }, complain: (fault: string) => void): void {
    const floors = this.#asked.get(event.call);
    this.#asked.delete(event.call);
    const prefix = `${event.group} ${event.topic}`;
    if (floors === undefined || [...this.#resets.values()].includes(prefix)) return;
    event.committed.forEach((committed, queueId) => {
      if (committed === null) return;
      const key = `${prefix}/${queueId}`;
      const floor = floors.get(key);
      if (floor !== undefined && committed < floor) {
        complain(`${key}: committed went back from ${floor} to ${committed} without a reset`);
      }
      this.#known.set(key, Math.max(committed, this.#known.get(key) ?? 0));
    });
  }

  #forget(prefix: string): void {
    const isMeant = (key: string) => prefix === "" || key.startsWith(`${prefix}/`);
    for (const key of this.#known.keys()) if (isMeant(key)) this.#known.delete(key);
    // Whoever asked before learns nothing that can be compared.
    for (const call of this.#asked.keys()) this.#asked.delete(call);
  }
}
