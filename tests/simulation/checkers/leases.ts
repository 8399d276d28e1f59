/**
 * A leased message is handed out again only when its time is over or it was given back; a finished
 * one never again; and only its newest receipt finishes it.
 *
 * @module
 */
import { type SeenDelivery, type SimEvent, spotKey } from "../events.ts";
import { type Checker, latestWallMs, type Moment } from "../journal.ts";

type Lease = {
  readonly receipt: string;
  readonly key: string;
  readonly attempt: number;
  /** The earliest end anybody may have set: extends that were only asked for may have happened. */
  untilMs: number;
  isOver: boolean;
  isFinished: boolean;
};

/** Who holds which message until when. */
export class Leases implements Checker {
  /** Group and message → its newest lease that somebody saw. */
  readonly #newest = new Map<string, Lease>();
  readonly #byReceipt = new Map<string, Lease>();
  /** The latest the clock said before it was set back. */
  #passedMs = -Infinity;
  /** Calls of resets under way: what is delivered meanwhile may be from before or after it. */
  readonly #resets = new Map<number, string>();

  see(event: SimEvent, complain: (fault: string) => void, at: Moment): void {
    switch (event.kind) {
      case "delivered":
        for (const message of event.messages) this.#deliver(event.group, message, complain);
        return;
      case "settle-asked":
        this.#ask(event);
        return;
      case "settle-ended":
        this.#settle(event, complain);
        return;
      case "reset-asked":
        this.#resets.set(event.call, `${event.group} ${event.topic}/`);
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "reset-ended":
        this.#resets.delete(event.call);
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "clock-jump":
        // A lease that was over by then is over, whatever the clock says now.
        this.#passedMs = Math.max(this.#passedMs, latestWallMs(event, at));
        return;
      case "crash":
        if (event.power) this.#forget("");
    }
  }

  #deliver(group: string, message: SeenDelivery, complain: (fault: string) => void): void {
    const key = `${group} ${spotKey(message)}`;
    if ([...this.#resets.values()].some((prefix) => key.startsWith(prefix))) return;
    const { receipt, attempt, grantedMs, invisibleUntilMs } = message;
    const lease: Lease = {
      receipt,
      key,
      attempt,
      untilMs: invisibleUntilMs,
      isOver: false,
      isFinished: false,
    };
    const before = this.#newest.get(key);
    if (before !== undefined) {
      if (before.receipt === receipt) complain(`${key}: receipt ${receipt} was given twice`);
      // An older delivery may be seen later: its answer took longer.
      if (attempt < before.attempt) return;
      if (before.isFinished) complain(`${key}: attempt ${attempt} after it was finished`);
      const isOver = before.isOver || before.untilMs <= this.#passedMs;
      if (!isOver && grantedMs < before.untilMs) {
        complain(`${key}: attempt ${attempt} at ${grantedMs}, leased until ${before.untilMs}`);
      }
    }
    this.#newest.set(key, lease);
    this.#byReceipt.set(receipt, lease);
  }

  #ask({ how, receipt }: SimEvent & { kind: "settle-asked" }): void {
    const lease = this.#byReceipt.get(receipt);
    if (lease === undefined) return;
    if (how === "nack") lease.isOver = true;
    // A shorter time may be set before anybody is told.
    if (how === "extend") lease.untilMs = 0;
  }

  #settle(event: SimEvent & { kind: "settle-ended" }, complain: (fault: string) => void): void {
    const { how, receipt, verdict, untilMs } = event;
    const lease = this.#byReceipt.get(receipt);
    if (lease === undefined) return;
    if (verdict === "invalid") complain(`${lease.key}: receipt ${receipt} is not known any more`);
    if (verdict !== "done") return;
    const newest = this.#newest.get(lease.key);
    const isNewest = newest === lease;
    // Finished by the newest receipt, every older one is told "done" as well.
    if (!isNewest && how === "ack" && newest !== undefined) newest.isOver = true;
    if (!isNewest) return;
    if (how === "ack") lease.isFinished = true;
    if (how === "extend") lease.untilMs = untilMs;
  }

  #forget(prefix: string): void {
    for (const [key, lease] of this.#newest) {
      if (!key.startsWith(prefix)) continue;
      this.#newest.delete(key);
      this.#byReceipt.delete(lease.receipt);
    }
  }
}
