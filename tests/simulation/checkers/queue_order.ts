/**
 * What a reader sees of a queue is in order and whole, and a producer that waits for each answer
 * finds its messages in the order it sent them.
 *
 * @module
 */
import type { Audit, SimEvent } from "../events.ts";
import { deathsOf } from "../audit.ts";
import type { Checker } from "../journal.ts";

/** The order within each queue, by reader and by producer. */
export class QueueOrder implements Checker {
  readonly #producers = new Map<string, { readonly producer: string; readonly rank: number }>();
  readonly #known = new Set<string>();
  #rank = 0;

  see(event: SimEvent, complain: (fault: string) => void): void {
    if (event.kind === "message") this.#known.add(event.id);
    else if (event.kind === "send-asked") {
      for (const id of event.ids) {
        this.#producers.set(id, { producer: event.producer, rank: ++this.#rank });
      }
    } else if (event.kind === "pulled") this.#checkPull(event, complain);
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const deaths = deathsOf(audit);
    for (const [name, { messages, topic }] of audit) {
      if (topic.startsWith("%")) continue;
      const newest = new Map<string, number>();
      for (const { id, offset } of messages) {
        if (!this.#known.has(id)) complain(`${name}/${offset} holds ${id}, which nobody sent`);
        const sent = this.#producers.get(id);
        // Timers and transactions come when their time comes.
        if (sent === undefined) continue;
        const newestRank = newest.get(sent.producer) ?? 0;
        // It may have come back from the dead letters.
        if (deaths.has(id) && sent.rank <= newestRank) continue;
        if (sent.rank < newestRank) {
          complain(`${name}/${offset}: ${id} of ${sent.producer} stands behind a later message`);
        }
        newest.set(sent.producer, sent.rank);
      }
    }
  }

  #checkPull(event: SimEvent & { kind: "pulled" }, complain: (fault: string) => void): void {
    const { topic, queueId, asked, next, messages, outcome } = event;
    const leavesOut = event.filtered || event.mayExpire;
    const name = `pull of ${topic}/${queueId} from ${asked}`;
    const offsets = messages.map(({ offset }) => offset);
    const rises = offsets.every((offset, at) => offset > (offsets[at - 1] ?? asked - 1));
    if (!rises) complain(`${name} answered offsets out of order: ${offsets}`);
    if (outcome === "outside") return;
    if (!leavesOut && next !== asked + messages.length) {
      complain(`${name} answered ${messages.length} messages and goes on at ${next}`);
    }
    if (next < (offsets.at(-1) ?? asked - 1) + 1) complain(`${name} goes back to ${next}`);
  }
}
