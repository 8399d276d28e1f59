/** Two ends of a channel in one thread, for tests of what talks across threads. @module */
import type { ThreadPort } from "../../src/ports/thread_port.ts";

/** A port whose messages wait until they are asked to move. */
export interface TestPort extends ThreadPort {
  /** Messages posted to this end that its listener has not seen. */
  readonly waiting: number;
  /** Whether this end was closed. */
  readonly closed: boolean;
  /** Hands what waits for this end to its listener; answers how many messages that were. */
  deliver(): number;
}

/** How a pair delivers: at once while posting, or when `deliver` is called. */
export type Delivery = "at-once" | "on-demand";

/** Both ends of a channel. What is in a transfer list is taken from the poster, as threads do. */
export function portPair(delivery: Delivery = "at-once"): [TestPort, TestPort] {
  const left = new End(delivery);
  const right = new End(delivery);
  left.join(right);
  right.join(left);
  return [left, right];
}

/** Delivers on all ends until nothing moves. Microtasks in between are left to run. */
export async function settle(...ports: readonly TestPort[]): Promise<void> {
  for (let quiet = 0; quiet < 3;) {
    await Promise.resolve();
    const moved = ports.reduce((sum, port) => sum + port.deliver(), 0);
    quiet = moved === 0 ? quiet + 1 : 0;
  }
}

class End implements TestPort {
  readonly #delivery: Delivery;
  #peer: End | null = null;
  #listener: ((message: unknown) => void) | null = null;
  #inbox: unknown[] = [];
  #closed = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  get waiting(): number {
    return this.#inbox.length;
  }

  get closed(): boolean {
    return this.#closed;
  }

  join(peer: End): void {
    this.#peer = peer;
  }

  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    if (this.#closed || this.#peer === null || this.#peer.#closed) return;
    this.#peer.#inbox.push(structuredClone(message, { transfer }));
    if (this.#delivery === "at-once") this.#peer.deliver();
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener;
    if (this.#delivery === "at-once") this.deliver();
  }

  deliver(): number {
    let count = 0;
    while (this.#listener !== null && !this.#closed && this.#inbox.length > 0) {
      count++;
      this.#listener(this.#inbox.shift());
    }
    return count;
  }

  close(): void {
    this.#closed = true;
    this.#inbox = [];
  }
}
