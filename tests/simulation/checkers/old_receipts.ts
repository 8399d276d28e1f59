/**
 * An old receipt finishes nothing: whoever was handed the message after it, and neither said nor
 * failed to say anything yet, still holds it.
 *
 * @module
 */
import { type Audit, type SimEvent, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

type Holder = { readonly receipt: string; readonly dead: string; isTouched: boolean };

/** What receipts that were replaced by newer ones still achieve. */
export class OldReceipts implements Checker {
  /** Group and message → who was handed it last. */
  readonly #holders = new Map<string, Holder>();
  readonly #keys = new Map<string, string>();
  /** Acknowledgements by an old receipt: receipt → the holder when it was asked. */
  readonly #asked = new Map<string, Holder>();
  /** Complaints that stand unless the message, as `Holder.dead` names it, died of its attempts. */
  readonly #suspected: { readonly dead: string; readonly fault: string }[] = [];

  see(event: SimEvent): void {
    switch (event.kind) {
      case "delivered":
        for (const message of event.messages) {
          const key = `${event.group} ${spotKey(message)}`;
          const dead = `%DLQ%${event.group} ${message.id}`;
          this.#holders.set(key, { receipt: message.receipt, dead, isTouched: false });
          this.#keys.set(message.receipt, key);
        }
        return;
      case "settle-asked":
        this.#ask(event.how, event.receipt);
        return;
      case "settle-ended":
        this.#end(event);
        return;
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

  #ask(how: "ack" | "nack" | "extend", receipt: string): void {
    const holder = this.#holders.get(this.#keys.get(receipt) ?? "");
    if (holder === undefined) return;
    if (holder.receipt === receipt) holder.isTouched = true;
    else if (how === "ack") this.#asked.set(receipt, holder);
  }

  #end(event: SimEvent & { kind: "settle-ended" }): void {
    const holder = this.#asked.get(event.receipt);
    this.#asked.delete(event.receipt);
    if (holder === undefined || event.how !== "ack" || event.verdict !== "done") return;
    const key = this.#keys.get(event.receipt) ?? "";
    if (this.#holders.get(key) !== holder || holder.isTouched) return;
    const fault = `${key}: ${event.receipt} finished it while ${holder.receipt} held it`;
    this.#suspected.push({ dead: holder.dead, fault });
  }
}
