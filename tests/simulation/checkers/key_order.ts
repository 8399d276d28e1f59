/**
 * In an ordered group the messages of a key come one after the other: the next one only when the
 * one before is finished, and none comes back behind a later one. A key is parked after as many
 * attempts as the group allows, not before.
 *
 * @module
 */
import { type MessageFacts, type SeenDelivery, type SimEvent, spotKey } from "../events.ts";
import type { Checker } from "../journal.ts";

/** The newest message of a key that somebody was handed. */
type Front = { readonly offset: number; readonly id: string; isFinished: boolean };
type Complain = (fault: string) => void;

/** Who of an ordered group was handed what of each key. */
export class KeyOrder implements Checker {
  readonly #facts: ReadonlyMap<string, MessageFacts>;
  readonly #attemptsMax: number;
  readonly #mayExpire: (facts: MessageFacts) => boolean;
  /** Group, queue and key → its newest message. */
  readonly #fronts = new Map<string, Front>();
  readonly #byReceipt = new Map<string, Front>();
  readonly #resets = new Map<number, string>();

  constructor(
    facts: ReadonlyMap<string, MessageFacts>,
    attemptsMax: number,
    mayExpire: (facts: MessageFacts) => boolean,
  ) {
    this.#facts = facts;
    this.#attemptsMax = attemptsMax;
    this.#mayExpire = mayExpire;
  }

  see(event: SimEvent, complain: Complain): void {
    switch (event.kind) {
      case "delivered":
        if (!event.ordered) return;
        for (const message of event.messages) this.#deliver(event.group, message, complain);
        return;
      case "settle-asked": {
        const front = this.#byReceipt.get(event.receipt);
        if (event.how === "ack" && front !== undefined) front.isFinished = true;
        return;
      }
      case "key-settle-asked":
        if (event.action !== "retry") this.#finish(event.group, event.spot);
        return;
      case "keys-parked":
        for (const { attempts, key, offset } of event.keys) {
          if (attempts >= this.#attemptsMax) continue;
          complain(`key "${key}" of ${event.group} is parked on ${offset} after ${attempts}`);
        }
        return;
      case "reset-asked":
        this.#resets.set(event.call, `${event.group} ${event.topic}/`);
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "reset-ended":
        this.#resets.delete(event.call);
        this.#forget(`${event.group} ${event.topic}/`);
        return;
      case "crash":
        // Where groups stand survives a crash of the process, and no power cut.
        if (event.power) this.#forget("");
    }
  }

  #deliver(group: string, message: SeenDelivery, complain: Complain): void {
    const { id, offset, receipt } = message;
    const key = this.#facts.get(id)?.key ?? "";
    const name = `${group} ${message.topic}/${message.queueId} ${key}`;
    if ([...this.#resets.values()].some((prefix) => name.startsWith(prefix))) return;
    const before = this.#fronts.get(name);
    if (before !== undefined && before.offset === offset) {
      this.#byReceipt.set(receipt, before);
      return;
    }
    if (before !== undefined && before.offset > offset) {
      complain(`${name}: ${spotKey(message)} comes behind ${before.offset}`);
      return;
    }
    const facts = before === undefined ? undefined : this.#facts.get(before.id);
    const isGone = facts !== undefined && this.#mayExpire(facts);
    if (before !== undefined && !before.isFinished && !isGone) {
      complain(`${name}: ${spotKey(message)} was let out while ${before.offset} is open`);
    }
    const front = { offset, id, isFinished: false };
    this.#fronts.set(name, front);
    this.#byReceipt.set(receipt, front);
  }

  #finish(group: string, spot: { topic: string; queueId: number; offset: number }): void {
    const prefix = `${group} ${spot.topic}/${spot.queueId} `;
    for (const [name, front] of this.#fronts) {
      if (name.startsWith(prefix) && front.offset === spot.offset) front.isFinished = true;
    }
  }

  #forget(prefix: string): void {
    for (const name of this.#fronts.keys()) {
      if (name.startsWith(prefix)) this.#fronts.delete(name);
    }
    if (prefix === "") this.#byReceipt.clear();
  }
}
