/** A message whose time to live is over is not handed out any more. @module */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

/** Deliveries, held against the time each message has. */
export class Expiry implements Checker {
  readonly #ttlMsOf: (id: string) => number | null;

  /** `ttlMsOf`: a message's own time, or its topic's. */
  constructor(ttlMsOf: (id: string) => number | null) {
    this.#ttlMsOf = ttlMsOf;
  }

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind !== "delivered") return;
    for (const { id, topic, storedMs, grantedMs } of event.messages) {
      const ttlMs = topic.startsWith("%") ? null : this.#ttlMsOf(id);
      if (ttlMs === null || grantedMs < storedMs + ttlMs) continue;
      complain(`${event.group} was handed ${id} at ${grantedMs}: over since ${storedMs + ttlMs}`);
    }
  }
}
