/**
 * A dead letter goes back once: of every message there are as many more in its topic as letters of
 * it are neither left nor dropped. A redrive is no faster than it was told, counts what it moved,
 * and leaves nothing of "all".
 *
 * @module
 */
import type { Audit, MessageFacts, SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

type Complain = (fault: string) => void;
type Seen = SimEvent & { readonly kind: "redrive-seen" };

/** How many were dropped: at least and at most. */
type Purged = { min: number; max: number };

/** What was told of dead letters, held against what is stored. */
export class Redrives implements Checker {
  readonly #facts: ReadonlyMap<string, MessageFacts>;
  /** Redrive → how many letters it said it sent back. */
  readonly #told = new Map<string, number>();
  /** Id → its letters dropped by name. */
  readonly #purged = new Map<string, Purged>();
  /** Letters dropped without a name. */
  readonly #purgedAtOnce: Purged = { min: 0, max: 0 };
  /** Group → letters left. */
  readonly #left = new Map<string, readonly string[]>();
  readonly #scheduled = new Set<string>();
  /** Sent again under its id, a timer may be there twice by right. */
  readonly #twice = new Set<string>();

  constructor(facts: ReadonlyMap<string, MessageFacts>) {
    this.#facts = facts;
  }

  see(event: SimEvent, complain: Complain): void {
    switch (event.kind) {
      case "redrive-seen":
        this.#look(event, complain);
        return;
      case "purge-ended":
        this.#purge(event);
        return;
      case "letters-left":
        this.#left.set(event.group, event.ids);
        return;
      case "timer-asked":
        if (event.action !== "schedule") return;
        if (this.#scheduled.has(event.id)) this.#twice.add(event.id);
        this.#scheduled.add(event.id);
    }
  }

  finish(audit: Audit, complain: Complain): void {
    const gone = this.#lettersGone(audit);
    const copies = countIds(audit, (topic) => topic.startsWith("topic-"));
    const trimmed = new Set([...audit.values()].flatMap(({ topic, min }) => min > 0 ? topic : []));
    let [back, backMax] = [0, 0];
    let isExact = true;
    for (const [id, count] of gone) {
      const facts = this.#facts.get(id);
      const isPlain = facts !== undefined && facts.topic.startsWith("topic-") &&
        !this.#twice.has(id) && !trimmed.has(facts.topic);
      isExact &&= isPlain;
      if (!isPlain) continue;
      const more = (copies.get(id) ?? 0) - 1;
      const { min, max } = this.#purged.get(id) ?? { min: 0, max: 0 };
      const least = Math.max(0, count - max - this.#purgedAtOnce.max);
      if (more < least) complain(`${id}: ${count} letters are gone, ${more} came back: lost`);
      if (more > count - min) complain(`${id}: ${count} letters are gone, ${more} came back: more`);
      back += more;
      backMax += count - min;
    }
    if (!isExact) return;
    backMax -= this.#purgedAtOnce.min;
    if (back > backMax) complain(`${back} letters came back of ${backMax} at most`);
    const told = [...this.#told.values()].reduce((sum, one) => sum + one, 0);
    if (told > back) complain(`redrives say they sent ${told} letters back, and ${back} are there`);
  }

  #look(event: Seen, complain: Complain): void {
    const { group, redrive, perSecond, redriven, elapsedMs, state } = event;
    this.#told.set(`${group} ${redrive}`, redriven);
    // The first step goes at once, and each is a tenth of a second's worth, at least one letter.
    const most = Math.max(1, perSecond * 0.1) + perSecond * elapsedMs / 1_000;
    if (redriven > most) {
      complain(`redrive of ${group}: ${redriven} letters in ${elapsedMs} ms, ${perSecond}/s asked`);
    }
    if (state === "failed") complain(`redrive of ${group} gave up`);
  }

  #purge({ ids, outcome, purged }: SimEvent & { readonly kind: "purge-ended" }): void {
    if (outcome === "refused") return;
    // What nobody answered for may have dropped any number.
    const most = outcome === "done" ? purged : Infinity;
    const [id] = ids;
    if (id === undefined) {
      this.#purgedAtOnce.min += purged;
      this.#purgedAtOnce.max += most;
      return;
    }
    const known = this.#purged.get(id) ?? { min: 0, max: 0 };
    this.#purged.set(id, { min: known.min + purged, max: known.max + most });
  }

  /** Id → its letters, of all groups, that are not left. */
  #lettersGone(audit: Audit): Map<string, number> {
    const gone = new Map<string, number>();
    for (const [group, left] of this.#left) {
      for (const [id, count] of countIds(audit, (topic) => topic === `%DLQ%${group}`)) {
        gone.set(id, (gone.get(id) ?? 0) + count);
      }
      for (const id of left) gone.set(id, (gone.get(id) ?? 0) - 1);
    }
    return gone;
  }
}

function countIds(audit: Audit, isMeant: (topic: string) => boolean): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { topic, messages } of audit.values()) {
    if (!isMeant(topic)) continue;
    for (const { id } of messages) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
