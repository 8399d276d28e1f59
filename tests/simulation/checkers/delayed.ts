/**
 * Nothing delayed is early: a message sent back becomes visible at its time, once each time.
 *
 * @module
 */
import type { Audit, SimEvent } from "../events.ts";
import type { Checker } from "../journal.ts";

type SentBack = { earliestMs: number; done: number; unknown: number };

/** What was sent back, held against the retry and dead-letter topics. */
export class Delayed implements Checker {
  /** Group and message → how often it was sent back, and when it may appear first. */
  readonly #sentBack = new Map<string, SentBack>();
  readonly #groupsGone = new Set<string>();

  see(event: SimEvent): void {
    if (event.kind === "group-gone") this.#groupsGone.add(event.name);
    if (event.kind !== "send-back") return;
    const { group, id, outcome, earliestMs } = event;
    const key = `${group} ${id}`;
    const known = this.#sentBack.get(key) ?? { earliestMs: Infinity, done: 0, unknown: 0 };
    known.earliestMs = Math.min(known.earliestMs, earliestMs);
    if (outcome === "done") known.done++;
    if (outcome === "unknown") known.unknown++;
    this.#sentBack.set(key, known);
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const copies = new Map<string, number>();
    for (const { topic, messages } of audit.values()) {
      const group = /^%(?:RETRY|DLQ)%(.*)$/.exec(topic)?.[1];
      if (group === undefined) continue;
      for (const { id, storedMs } of messages) {
        const key = `${group} ${id}`;
        copies.set(key, (copies.get(key) ?? 0) + 1);
        const sent = this.#sentBack.get(key);
        if (topic.startsWith("%RETRY%") && storedMs < (sent?.earliestMs ?? Infinity)) {
          complain(`${key} is in ${topic} since ${storedMs}, due ${sent?.earliestMs}`);
        }
      }
    }
    for (const [key, { done, unknown }] of this.#sentBack) {
      if (this.#groupsGone.has(key.slice(0, key.indexOf(" ")))) continue;
      const found = copies.get(key) ?? 0;
      if (found >= done && found <= done + unknown) continue;
      complain(`${key} was sent back ${done} to ${done + unknown} times, and is there ${found}`);
    }
  }
}
