/**
 * What the keeper of a topic sends under ids of his own, over and over, while the topic grows: by
 * id alone, by sharding key, several as one, twice at a time, and for later. Every answer has to
 * name the first place; what is pending is pending once.
 *
 * @module
 */
import type { Prng } from "../../src/base/prng.ts";
import type { SendRequest } from "../../src/broker/broker.ts";
import { queueOfId } from "../../src/broker/send.ts";
import type { SendReceipt } from "../../src/model/message.ts";
import { encodeProperties, propertyNames } from "../../src/model/properties.ts";
import { attempt, type ClientParts, dialled } from "./clients.ts";

/** Ids that are sent again; older ones are left alone. */
const rememberedMax = 12;
const hourMs = 3_600_000;

/** What the keeper of `topic` does with it, and notes. */
export type KeptIdsParts = {
  readonly parts: ClientParts;
  readonly prng: Prng;
  readonly topic: string;
  readonly grow: () => Promise<void>;
  /** An answer, and what it has to be. */
  readonly note: (expected: string, found: string) => void;
};

/** The ids of one topic, from its making to its end. */
export class KeptIds {
  readonly #parts: KeptIdsParts;
  /** id → where its message is; `null`: nobody knows whether it is anywhere. */
  readonly #places = new Map<string, string | null>();
  /** id → whether its timer is pending; false: nobody knows. */
  readonly #timers = new Map<string, boolean>();
  #sent = 0;

  constructor(parts: KeptIdsParts) {
    this.#parts = parts;
  }

  /** How many timers are pending; `null`: nobody knows. */
  get pendingCount(): number | null {
    return [...this.#timers.values()].includes(false) ? null : this.#timers.size;
  }

  /** The topic was deleted. */
  clear(): void {
    this.#places.clear();
    this.#timers.clear();
  }

  /** Sends new or known ids, perhaps twice at a time, perhaps while the topic grows. */
  async send(): Promise<void> {
    const { prng, grow } = this.#parts;
    const id = this.#pick(this.#places, ["id", "keyed"]);
    const requests = prng.chance(0.3) ? [id, id] : [id];
    const asked = requests.map((one) => this.#sendAsOne(one));
    // Sent again as soon as the growth is known: the first may be asking around still.
    if (prng.chance(0.4)) asked.push(grow().then(() => this.#sendAsOne(id)));
    await Promise.all(asked);
  }

  /** Sends a message for later, new or one that is pending. */
  async schedule(): Promise<void> {
    const { parts, prng, grow, topic } = this.#parts;
    const id = this.#pick(this.#timers, ["aside"]);
    const timing = { deliverAtMs: null, delayMs: hourMs, timerKey: null };
    const wasNew = !this.#timers.has(id);
    const copies = prng.chance(0.3) ? 2 : 1;
    let isPending = false;
    let isUnknown = false;
    const asked = Array.from({ length: copies }, async () => {
      const result = await attempt(parts, `timer ${id} of ${topic}`, (broker) => {
        return broker.send({ ...this.#requestOf([id]), messages: [{ ...messageOf(id), timing }] });
      });
      if ("answer" in result) isPending = true;
      else if (result.outcome === "unknown") isUnknown = true;
    });
    if (prng.chance(0.3)) asked.push(grow());
    await Promise.all(asked);
    // Whatever else was asked: who was told that it is stored finds it stored, once.
    if (isPending) this.#timers.set(id, true);
    else if (isUnknown && (wasNew || this.#timers.get(id) === false)) this.#timers.set(id, false);
  }

  /** The id, or all that lead to its queue by their ids, as the parts of a batch do. */
  async #sendAsOne(id: string): Promise<void> {
    const { parts, prng, topic } = this.#parts;
    const isAlone = id.startsWith("keyed") || prng.chance(0.5);
    let ids: readonly string[] = [id];
    const result = await attempt(parts, `send of ${id} to ${topic}`, (broker) => {
      const known = broker.topic(topic);
      if (isAlone || known === undefined) return broker.send(this.#requestOf(ids));
      const queueId = queueOfId(known, id);
      const others = [...this.#places.keys()].filter((other) => {
        return other !== id && other.startsWith("id") && queueOfId(known, other) === queueId;
      });
      ids = [id, ...others];
      return broker.send({ ...this.#requestOf(ids), queueId, queueByIds: true });
    });
    if ("answer" in result) result.answer.forEach((receipt, at) => this.#seen(ids[at], receipt));
    else if (result.outcome === "unknown") {
      for (const one of ids) if (!this.#places.has(one)) this.#places.set(one, null);
    }
  }

  #seen(id: string | undefined, { queueId, offset }: SendReceipt): void {
    if (id === undefined) return;
    const found = `${id} at ${queueId}/${offset}`;
    const first = this.#places.get(id);
    this.#places.set(id, first ?? found);
    if (typeof first === "string") this.#parts.note(first, found);
  }

  /** One that was sent, or a new one of these kinds. */
  #pick(known: ReadonlyMap<string, unknown>, kinds: readonly string[]): string {
    const { prng } = this.#parts;
    const ids = [...known.keys()];
    const isFull = ids.length >= rememberedMax;
    if (ids.length > 0 && (isFull || prng.chance(0.6))) return prng.pick(ids);
    return `${prng.pick(kinds)}-${++this.#sent}`;
  }

  #requestOf(ids: readonly string[]): SendRequest {
    const { topic } = this.#parts;
    const request = { topic, queueId: null, storeHost: dialled, messages: ids.map(messageOf) };
    const [first = ""] = ids;
    const keyed = first.startsWith("keyed") ? { shardingKey: `key of ${first}` } : {};
    return { ...request, ...keyed, ownIds: true };
  }
}

/** A message under an id of its producer's. */
export function messageOf(id: string) {
  return {
    body: new TextEncoder().encode(`${id}.`),
    properties: encodeProperties([[propertyNames.uniqueKey, id]]),
    flag: 0,
    sysFlag: 0,
    bornMs: 0,
    bornHost: dialled,
    reconsumeTimes: 0,
  };
}
