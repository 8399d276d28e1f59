/**
 * Once the faults have stopped, every stored message is finished by every group that wants it, or
 * in its dead letters. What retention took was finished before.
 *
 * @module
 */
import { type Audit, type Checker, type SimEvent, type Spot, spotKey } from "../journal.ts";

type Message = Spot & { readonly id: string };

/** What every group finished, held against what is stored. */
export class Consumed implements Checker {
  readonly #groups: readonly string[];
  readonly #wants: (group: string, tag: string | null) => boolean;
  readonly #tags = new Map<string, string | null>();
  readonly #ids = new Map<number, readonly string[]>();
  readonly #receipts = new Map<string, string>();
  /** Group and message: told "done", or the answer was lost. */
  readonly #finished = new Set<string>();
  readonly #acknowledged: Message[] = [];
  readonly #lost = new Set<string>();

  /** `wants`: whether a group's filter lets a tag through. */
  constructor(groups: readonly string[], wants: (group: string, tag: string | null) => boolean) {
    this.#groups = groups;
    this.#wants = wants;
  }

  see(event: SimEvent): void {
    switch (event.kind) {
      case "send-asked":
        this.#ids.set(event.send, event.ids);
        for (const id of event.ids) this.#tags.set(id, event.tag);
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

  /** What is not finished yet, as "group message". */
  missing(audit: Audit): string[] {
    const dead = new Set<string>();
    for (const { topic, messages } of audit.values()) {
      if (!topic.startsWith("%DLQ%")) continue;
      for (const { id } of messages) dead.add(`${topic.slice("%DLQ%".length)} ${id}`);
    }
    const stored = [...audit.values()].flatMap((queue): readonly Message[] => queue.messages)
      .filter(({ topic }) => !topic.startsWith("%"));
    return [...stored, ...this.#trimmed(audit)].flatMap((message) =>
      this.#groups.filter((group) => !this.#isDone(group, message, dead))
        .map((group) => `${group} ${spotKey(message)}`)
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

  #isDone(group: string, message: Message, dead: ReadonlySet<string>): boolean {
    const tag = this.#tags.get(message.id) ?? null;
    return !this.#wants(group, tag) || this.#finished.has(`${group} ${spotKey(message)}`) ||
      dead.has(`${group} ${message.id}`);
  }
}
