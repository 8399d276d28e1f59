/**
 * An old receipt finishes nothing: whoever was handed the message after it, and neither said nor
 * failed to say anything yet, still holds it. Only once that lease is over the message may have
 * died of its attempts, or expired: then it is finished, and every receipt is told so.
 *
 * @module
 */
import { type Audit, type SeenDelivery, type SimEvent, spotKey } from "../events.ts";
import { type Checker, latestWallMs, type Moment } from "../journal.ts";

type Holder = {
  readonly receipt: string;
  /** Its copy among the dead letters would be called so. */
  readonly dead: string;
  readonly untilMs: number;
  /** Infinite: never. */
  readonly expiresMs: number;
  isTouched: boolean;
};

/** What receipts that were replaced by newer ones still achieve. */
export class OldReceipts implements Checker {
  /** Group and message → who was handed it last. */
  readonly #holders = new Map<string, Holder>();
  readonly #keys = new Map<string, string>();
  /** Acknowledgements by an old receipt: receipt → the holder when it was asked. */
  readonly #asked = new Map<string, Holder>();
  /** Complaints that stand unless the message, as `Holder.dead` names it, died of its attempts. */
  readonly #suspected: { readonly dead: string; readonly fault: string }[] = [];
  readonly #ttlMsOf: (id: string) => number | null;
  /** The latest the clock has said: what was over by then is over. */
  #wallMsMax = -Infinity;

  /** `ttlMsOf`: a message's own time, or its topic's. */
  constructor(ttlMsOf: (id: string) => number | null) {
    this.#ttlMsOf = ttlMsOf;
  }

  see(event: SimEvent, complain: (fault: string) => void, at: Moment): void {
    this.#wallMsMax = Math.max(this.#wallMsMax, latestWallMs(event, at));
    switch (event.kind) {
      case "delivered":
        for (const message of event.messages) this.#deliver(event.group, message);
        return;
      case "settle-asked":
        this.#ask(event.how, event.receipt);
        return;
      case "settle-ended":
        this.#end(event, complain);
        return;
      case "key-settle-asked": {
        const holder = this.#holders.get(`${event.group} ${spotKey(event.spot)}`);
        if (holder !== undefined) holder.isTouched = true;
        return;
      }
      case "crash":
      case "reset-asked":
      case "reset-ended":
        for (const holder of this.#holders.values()) holder.isTouched = true;
    }
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const dead = new Set<string>();
    for (const { topic, messages } of audit.values()) {
      for (const { id } of messages) dead.add(`${topic} ${id}`);
    }
    for (const suspect of this.#suspected) {
      if (!dead.has(suspect.dead)) complain(suspect.fault);
    }
  }

  #deliver(group: string, message: SeenDelivery): void {
    const { id, receipt, topic, storedMs, invisibleUntilMs: untilMs } = message;
    const key = `${group} ${spotKey(message)}`;
    const ttlMs = topic.startsWith("%") ? null : this.#ttlMsOf(id);
    const expiresMs = ttlMs === null ? Infinity : storedMs + ttlMs;
    const dead = `%DLQ%${group} ${id}`;
    this.#holders.set(key, { receipt, dead, untilMs, expiresMs, isTouched: false });
    this.#keys.set(receipt, key);
  }

  #ask(how: "ack" | "nack" | "extend", receipt: string): void {
    const holder = this.#holders.get(this.#keys.get(receipt) ?? "");
    if (holder === undefined) return;
    if (holder.receipt === receipt) holder.isTouched = true;
    else if (how === "ack") this.#asked.set(receipt, holder);
  }

  #end(event: SimEvent & { kind: "settle-ended" }, complain: (fault: string) => void): void {
    const holder = this.#asked.get(event.receipt);
    this.#asked.delete(event.receipt);
    if (holder === undefined || event.how !== "ack" || event.verdict !== "done") return;
    const key = this.#keys.get(event.receipt) ?? "";
    if (this.#holders.get(key) !== holder || holder.isTouched) return;
    const { receipt, dead, untilMs, expiresMs } = holder;
    const fault = `${key}: ${event.receipt} finished it while ${receipt} held it`;
    if (this.#wallMsMax < untilMs) complain(fault);
    else if (this.#wallMsMax < expiresMs) this.#suspected.push({ dead, fault });
  }
}
