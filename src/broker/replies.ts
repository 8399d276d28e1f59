/**
 * Requests that wait for a reply, by correlation id.
 *
 *     request ─▶ waiting ──reply──▶ answered
 *                   ├──deadline──▶ timed out, and a later reply finds nobody
 *                   ├──broker stops──▶ refused
 *                   └──client gone──▶ forgotten
 *
 * A reply finds its request here, in memory: it is no message of a topic, and it does not outlive
 * the process any more than whoever waits does. Requests of a protocol's own clients are answered
 * by that protocol, which says so with `addCarrier`.
 *
 * @module
 */
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { Timers } from "../ports/timers.ts";
import type { Reply, ReplyCarrier } from "./broker.ts";

type Waiting = {
  readonly replyTo: string;
  readonly resolve: (reply: Reply) => void;
  readonly refuse: () => void;
};

/** Who waits, in this process. Bounded by `limits.requestsWaitingMax`. */
export class Replies {
  readonly #timers: Timers;
  readonly #waiting = new Map<string, Waiting>();
  /** One for each protocol. */
  readonly #carriers = new Set<ReplyCarrier>();
  #isClosed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Requests without a reply. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Lets a protocol bring replies to its own clients. Returns how to stop. */
  addCarrier(carrier: ReplyCarrier): () => void {
    this.#carriers.add(carrier);
    return () => this.#carriers.delete(carrier);
  }

  /**
   * Waits for the reply to a request that `send` sends. The wait begins before the message is sent:
   * a responder may be faster than the receipt.
   *
   * @throws {BrokerError} `timeout`; `too_busy`; `shutting_down`; `conflict`: the correlation id
   * waits already; what `send` throws.
   */
  async wait(
    { correlationId, replyTo, timeoutMs, signal }: {
      readonly correlationId: string;
      readonly replyTo: string;
      readonly timeoutMs: number;
      readonly signal?: AbortSignal;
    },
    send: () => Promise<unknown>,
  ): Promise<Reply> {
    this.#checkRoom(correlationId);
    const reply = Promise.withResolvers<Reply>();
    const fail = (code: "timeout" | "shutting_down", why: string) =>
      reply.reject(new BrokerError(code, `Cannot answer request ${correlationId}: ${why}`));
    const refuse = () => fail("shutting_down", "the broker is stopping");
    this.#waiting.set(correlationId, { replyTo, resolve: reply.resolve, refuse });
    const cancel = this.#timers.setTimer(
      timeoutMs,
      () => fail("timeout", `no reply came within ${timeoutMs} ms`),
    );
    const leave = () => fail("timeout", "its client is gone");
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    // The deadline may come while the message is being stored: that is told below.
    reply.promise.catch(() => null);
    try {
      await send();
      return await reply.promise;
    } finally {
      cancel();
      signal?.removeEventListener("abort", leave);
      this.#waiting.delete(correlationId);
    }
  }

  /**
   * Brings a reply to whoever waits for it.
   *
   * @throws {BrokerError} `message_not_found`: nobody waits for it (any more).
   */
  async answer(reply: Reply): Promise<void> {
    const waiting = this.#waiting.get(reply.correlationId);
    if (waiting !== undefined && waiting.replyTo === reply.replyTo) {
      this.#waiting.delete(reply.correlationId);
      waiting.resolve(reply);
      return;
    }
    for (const carrier of this.#carriers) if (await carrier.deliver(reply)) return;
    throw new BrokerError(
      "message_not_found",
      `Cannot reply to request ${reply.correlationId} of ${reply.replyTo}: nobody waits for it; ` +
        "its deadline is over, it was answered, or its client is gone",
    );
  }

  /** The broker stops: who waits is told, and nobody begins to wait. */
  close(): void {
    this.#isClosed = true;
    for (const { refuse } of this.#waiting.values()) refuse();
  }

  #checkRoom(correlationId: string): void {
    if (this.#isClosed) {
      throw new BrokerError(
        "shutting_down",
        `Cannot send request ${correlationId}: the broker is stopping`,
      );
    }
    if (this.#waiting.has(correlationId)) {
      throw new BrokerError(
        "conflict",
        `Cannot send request ${correlationId}: one of this correlation id waits already`,
      );
    }
    if (this.#waiting.size < limits.requestsWaitingMax) return;
    throw new BrokerError(
      "too_busy",
      `Cannot send another request: ${this.#waiting.size} wait for their replies`,
    );
  }
}
