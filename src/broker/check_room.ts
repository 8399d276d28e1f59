/**
 * Questions for producers who come and collect them. A question nobody has collected within an
 * interval is dropped: its half message is asked about again by then.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Cancel, Timers } from "../ports/timers.ts";
import type { CollectRequest, TransactionCheck } from "./transaction_door.ts";

type Waiting = { readonly check: TransactionCheck; readonly untilMs: number };
type Poll = { readonly checksMax: number; readonly answer: (checks: TransactionCheck[]) => void };

/** What the room is made of. */
export type RoomParts = {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly keepMs: number;
  /** These were handed to a producer. */
  readonly onTaken: (checks: readonly TransactionCheck[]) => void;
};

/** Questions on one side, polls on the other; both bounded. */
export class CheckRoom {
  readonly #parts: RoomParts;
  /** Transaction id → question, oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  /** Producer group → its transactions among those. */
  readonly #groups = new Map<string, Set<string>>();
  /** Producer group → its polls, oldest first. */
  readonly #polls = new Map<string, Set<Poll>>();
  #pollCount = 0;
  #isClosed = false;
  #bytes = 0;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Brings a question in: in the place of an earlier one about the same transaction. */
  add(check: TransactionCheck): void {
    this.remove(check.transactionId);
    const nowMs = this.#parts.clock.monotonicMs();
    this.#waiting.set(check.transactionId, { check, untilMs: nowMs + this.#parts.keepMs });
    this.#bytes += check.record.length;
    const group = this.#groups.get(check.producerGroup);
    if (group) group.add(check.transactionId);
    else this.#groups.set(check.producerGroup, new Set([check.transactionId]));
    this.#drop(nowMs);
  }

  /** Takes a question out; false when it is not here. */
  remove(transactionId: string): boolean {
    const found = this.#waiting.get(transactionId);
    if (found === undefined) return false;
    const { producerGroup, record } = found.check;
    this.#waiting.delete(transactionId);
    this.#bytes -= record.length;
    const group = this.#groups.get(producerGroup);
    group?.delete(transactionId);
    if (group?.size === 0) this.#groups.delete(producerGroup);
    return true;
  }

  /** Hands questions to the polls that wait for this group. */
  serve(producerGroup: string): void {
    for (const poll of this.#polls.get(producerGroup) ?? []) {
      const checks = this.#take(producerGroup, poll.checksMax);
      if (checks.length === 0) return;
      poll.answer(checks);
    }
  }

  /** The group's questions, or those that come within `waitMs`. */
  collect({ producerGroup, checksMax, waitMs, signal }: CollectRequest) {
    const checks = this.#take(producerGroup, checksMax);
    const full = this.#pollCount >= limits.checkPollsMax;
    if (checks.length > 0 || waitMs === 0 || full || this.#isClosed || signal?.aborted) {
      return Promise.resolve(checks);
    }
    return new Promise<TransactionCheck[]>((resolve) => {
      const leave = () => poll.answer([]);
      const poll: Poll = {
        checksMax,
        answer: (found) => {
          cancel();
          signal?.removeEventListener("abort", leave);
          this.#forget(producerGroup, poll);
          resolve(found);
        },
      };
      const cancel: Cancel = this.#parts.timers.setTimer(waitMs, leave);
      signal?.addEventListener("abort", leave, { once: true });
      const polls = this.#polls.get(producerGroup);
      if (polls) polls.add(poll);
      else this.#polls.set(producerGroup, new Set([poll]));
      this.#pollCount++;
    });
  }

  /** The broker stops: polls are answered with nothing, and none waits from now on. */
  close(): void {
    this.#isClosed = true;
    for (const polls of this.#polls.values()) for (const poll of polls) poll.answer([]);
  }

  #take(producerGroup: string, checksMax: number): TransactionCheck[] {
    this.#drop(this.#parts.clock.monotonicMs());
    const checks: TransactionCheck[] = [];
    for (const transactionId of this.#groups.get(producerGroup) ?? []) {
      if (checks.length === checksMax) break;
      const found = this.#waiting.get(transactionId);
      if (found !== undefined) checks.push(found.check);
    }
    for (const { transactionId } of checks) this.remove(transactionId);
    if (checks.length > 0) this.#parts.onTaken(checks);
    return checks;
  }

  #forget(producerGroup: string, poll: Poll): void {
    const polls = this.#polls.get(producerGroup);
    if (!polls?.delete(poll)) return;
    this.#pollCount--;
    if (polls.size === 0) this.#polls.delete(producerGroup);
  }

  /** Drops what is too old, and the oldest of what is too much. */
  #drop(nowMs: number): void {
    for (const [transactionId, { untilMs }] of this.#waiting) {
      const tooMuch = this.#waiting.size > limits.checksWaitingMax ||
        this.#bytes > limits.checksWaitingBytesMax;
      if (untilMs > nowMs && !tooMuch) return;
      this.remove(transactionId);
    }
  }
}
