/** How fast an import may go: so many messages a second, all queues together. @module */
import type { Host } from "../../ports/host.ts";

/** Hands out permissions to send, in the order they were asked for. */
export class Pace {
  readonly #host: Pick<Host, "clock" | "sleep">;
  readonly #perSecond: number | undefined;
  /** When what was handed out so far will have been earned. */
  #paidMs = 0;

  constructor(host: Pick<Host, "clock" | "sleep">, perSecond: number | undefined) {
    this.#host = host;
    this.#perSecond = perSecond;
  }

  /** Waits until `count` messages more may go, or until `stop`. */
  async take(count: number, stop?: AbortSignal): Promise<void> {
    if (this.#perSecond === undefined) return;
    const nowMs = this.#host.clock.monotonicMs();
    const startMs = Math.max(nowMs, this.#paidMs);
    this.#paidMs = startMs + count * 1000 / this.#perSecond;
    if (startMs > nowMs) await this.#host.sleep(startMs - nowMs, stop);
  }
}
