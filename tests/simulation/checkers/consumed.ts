/**
 * Once the faults have stopped, every stored message is finished by every group that wants it, or
 * in its dead letters. What retention took was finished before.
 *
 * @module
 */
import { type Audit, type MessageFacts, type SimEvent, type Spot, spotKey } from "../events.ts";
import { isWanted, type SimGroup } from "../groups.ts";
import type { Checker } from "../journal.ts";

type Message = Spot & { readonly id: string };

/** What every group finished, held against what is stored. */
export class Consumed implements Checker {
  readonly #groups: readonly SimGroup[];
  readonly #facts: ReadonlyMap<string, MessageFacts>;
  readonly #mayExpire: (facts: MessageFacts) => boolean;
  readonly #ids = new Map<number, readonly string[]>();
  readonly #receipts = new Map<string, string>();
  /** Group and message: told "done", or the answer was lost. */
  readonly #finished = new Set<string>();
  readonly #acknowledged: Message[] = [];
  readonly #lost = new Set<string>();
  /** Group and topic: the group begins with what is new, and has a place. */
  readonly #placed = new Set<string>();
  /** Group and message: it may be older than the group's place. */
  readonly #tooOld = new Set<string>();

  constructor(
    groups: readonly SimGroup[],
    facts: ReadonlyMap<string, MessageFacts>,
    mayExpire: (facts: MessageFacts) => boolean,
  ) {
    this.#groups = groups;
    this.#facts = facts;
    this.#mayExpire = mayExpire;
  }

  see(event: SimEvent): void {
    switch (event.kind) {
      case "message":
        this.#noteAge(event);
        return;
      case "placed":
        this.#placed.add(`${event.group} ${event.topic}`);
        return;
      case "key-settled":
        if (event.action !== "skip" || event.outcome === "refused") return;
        this.#finished.add(`${event.group} ${spotKey(event.spot)}`);
        return;
      case "send-asked":
        this.#ids.set(event.send, event.ids);
        return;
      case "send-ended":
        event.spots.forEach((spot, at) => {
          this.#acknowledged.push({ ...spot, id: this.#ids.get(event.send)?.[at] ?? "" });
        });
        return;
      case "delivered":
        for (const message of event.messages) {
          this.#receipts.set(message.receipt, `${event.group} ${spotKey(message)}`);
        }
        return;
      case "settle-ended": {
        const key = this.#receipts.get(event.receipt);
        const isFinished = event.verdict === "done" || event.verdict === "unknown";
        if (event.how === "ack" && isFinished && key !== undefined) this.#finished.add(key);
        return;
      }
      case "crash":
        for (const spot of event.lost) this.#lost.add(spotKey(spot));
    }
  }

  /**
   * What is not finished yet, as "group message". `parked`: group, queue and key of what waits for
   * an operator, which is not counted.
   */
  missing(audit: Audit, parked: ReadonlySet<string> = new Set()): string[] {
    const dead = new Set<string>();
    for (const { topic, messages } of audit.values()) {
      if (!topic.startsWith("%DLQ%")) continue;
      const group = topic.slice("%DLQ%".length);
      for (const { id, origin } of messages) {
        if (origin !== undefined) dead.add(`${group} ${id} ${spotKey(origin)}`);
      }
    }
    const stored = [...audit.values()].flatMap((queue): readonly Message[] => queue.messages)
      .filter(({ topic }) => !topic.startsWith("%"));
    const owed = [...stored, ...this.#trimmed(audit)];
    return this.#groups.flatMap((group) =>
      owed.filter((message) =>
        !this.#isDone(group, message, dead) && !parked.has(this.#keyOf(group, message))
      ).map((message) => `${group.name} ${spotKey(message)}`)
    );
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const missing = this.missing(audit);
    if (missing.length > 0) {
      complain(`${missing.length} messages are not consumed, such as ${missing.slice(0, 3)}`);
    }
  }

  /** Acknowledged once, and taken by retention since. */
  #trimmed(audit: Audit): Message[] {
    return this.#acknowledged.filter((message) => {
      const queue = audit.get(`${message.topic}/${message.queueId}`);
      return queue !== undefined && message.offset < queue.min &&
        !this.#lost.has(spotKey(message));
    });
  }

  #noteAge({ id, topic }: MessageFacts): void {
    for (const { name, settings } of this.#groups) {
      if (settings.startFrom !== "latest" || this.#placed.has(`${name} ${topic}`)) continue;
      this.#tooOld.add(`${name} ${id}`);
    }
  }

  #keyOf({ name }: SimGroup, { id, topic, queueId }: Message): string {
    return `${name} ${topic}/${queueId} ${this.#facts.get(id)?.key ?? ""}`;
  }

  #isDone(group: SimGroup, message: Message, dead: ReadonlySet<string>): boolean {
    const { name } = group;
    const key = spotKey(message);
    if (this.#finished.has(`${name} ${key}`) || dead.has(`${name} ${message.id} ${key}`)) {
      return true;
    }
    const facts = this.#facts.get(message.id);
    return facts === undefined || !isWanted(group, facts) || this.#mayExpire(facts) ||
      this.#tooOld.has(`${name} ${message.id}`);
  }
}
