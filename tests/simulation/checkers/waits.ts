/** A poll always returns by its deadline. @module */
import type { SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

/** How long polls take, and that the broker admits no mistake. */
export class Waits implements Checker {
  readonly #slackMs: number;

  /** `slackMs`: what the channels may add to a wait. */
  constructor(slackMs: number) {
    this.#slackMs = slackMs;
  }

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind === "waited" && event.tookMs > event.waitMs + this.#slackMs) {
      complain(`a ${event.what} that may wait ${event.waitMs} ms took ${event.tookMs} ms`);
    }
    // An error nobody should ever see: the broker calls it its own mistake.
    if (event.kind === "failed" && event.code === "internal") complain(`${event.what}: internal`);
  }
}
