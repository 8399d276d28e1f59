/** Channels between the roles of one process: in order, but late, by the seed. @module */
import { assert } from "../../src/base/assert.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { ThreadPort } from "../../src/ports/thread_port.ts";
import type { ProcessTimers, Scheduler } from "./scheduler.ts";

/** What a channel is made of. `lateMsMax`: 0 delivers in the same millisecond. */
export type LinkParts = {
  readonly scheduler: Scheduler;
  readonly timers: ProcessTimers;
  readonly prng: Prng;
  readonly lateMsMax: number;
};

/** Both ends of a channel. */
export function simChannel(parts: LinkParts): [ThreadPort, ThreadPort] {
  const left = new SimPort(parts);
  const right = new SimPort(parts);
  left.join(right);
  right.join(left);
  return [left, right];
}

/** The poster loses what it transferred, as between threads; what is left is text. */
function takenOver(message: unknown, transfer: readonly ArrayBuffer[]): unknown {
  if (message instanceof ArrayBuffer && transfer.includes(message)) return message.transfer();
  assert(typeof message === "string" && transfer.length === 0, "links carry buffers and texts");
  return message;
}

class SimPort implements ThreadPort {
  readonly #parts: LinkParts;
  #peer: SimPort | null = null;
  #listener: ((message: unknown) => void) | null = null;
  /** Posted before anybody listened. */
  #early: unknown[] = [];
  #arrivesMs = 0;
  #closed = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  join(peer: SimPort): void {
    this.#peer = peer;
  }

  postMessage(message: unknown, transfer: ArrayBuffer[]): void {
    const { scheduler, timers, prng, lateMsMax } = this.#parts;
    const peer = this.#peer;
    if (peer === null || this.#closed || peer.#closed) return;
    const taken = takenOver(message, transfer);
    const lateMs = lateMsMax === 0 ? 0 : prng.int(lateMsMax + 1);
    this.#arrivesMs = Math.max(this.#arrivesMs, scheduler.nowMs + lateMs);
    timers.setTimer(this.#arrivesMs - scheduler.nowMs, () => peer.#take(taken));
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  close(): void {
    this.#closed = true;
  }

  #take(message: unknown): void {
    if (this.#closed) return;
    if (this.#listener === null) this.#early.push(message);
    else this.#listener(message);
  }
}
