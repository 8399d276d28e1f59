/**
 * An acknowledged message is there, once, in its place; a refused one is nowhere; of a send with an
 * unknown end all is there, once and in order, or nothing.
 *
 * @module
 */
import { type Audit, type SimEvent, type Spot, spotKey } from "../events.ts";
import { deathsOf } from "../audit.ts";
import type { Checker } from "../journal.ts";

type Send = {
  readonly producer: string;
  readonly topic: string;
  readonly ids: readonly string[];
  readonly mayBeLost: boolean;
  outcome: "pending" | "done" | "refused" | "unknown";
  spots: readonly Spot[];
};

/** What producers were told, held against what is stored. */
export class Acknowledged implements Checker {
  readonly #sends = new Map<number, Send>();
  readonly #gone = new Set<string>();
  /** Acknowledged as surviving a crash of the process only, and then the power was cut. */
  readonly #lost = new Set<string>();

  see(event: SimEvent): void {
    if (event.kind === "send-asked") {
      const { send, producer, topic, ids, durability } = event;
      const mayBeLost = durability === "process-crash";
      this.#sends.set(send, { producer, topic, ids, mayBeLost, outcome: "pending", spots: [] });
    } else if (event.kind === "send-ended") {
      const send = this.#sends.get(event.send);
      if (send === undefined) return;
      send.outcome = event.outcome;
      send.spots = event.spots;
    } else if (event.kind === "repeat-ended") {
      const send = this.#sends.get(event.send);
      if (send === undefined || send.outcome === "done") return;
      // Its end was unknown; the repeat says where it is now, once.
      send.outcome = "done";
      send.spots = event.spots;
    } else if (event.kind === "topic-gone") this.#gone.add(event.name);
    else if (event.kind === "crash") this.#noteLost(event.lost);
  }

  finish(audit: Audit, complain: (fault: string) => void): void {
    const deaths = deathsOf(audit);
    const places = new Map<string, string[]>();
    for (const queue of audit.values()) {
      for (const message of queue.messages) {
        const key = `${message.topic} ${message.id}`;
        places.set(key, [...(places.get(key) ?? []), spotKey(message)]);
      }
    }
    for (const [number, send] of this.#sends) {
      if (this.#gone.has(send.topic)) continue;
      const found = send.ids.map((id) => places.get(`${send.topic} ${id}`) ?? []);
      const name = `send ${number} to ${send.topic}`;
      found.forEach((spots, at) => {
        const again = deaths.get(send.ids[at] ?? "") ?? 0;
        if (spots.length > 1 + again) complain(`${name}: ${send.ids[at]} is there twice: ${spots}`);
      });
      const present = found.filter((spots) => spots.length > 0).length;
      if (send.outcome === "done") this.#checkDone(name, send, found, audit, complain);
      else if (send.outcome === "refused" && present > 0) {
        complain(`${name} was refused, and ${present} of its messages are there`);
      } else if (present > 0 && !send.ids.some((id) => deaths.has(id))) {
        this.#checkWhole(name, found, audit, complain);
      }
    }
  }

  #checkDone(
    name: string,
    send: Send,
    found: readonly string[][],
    audit: Audit,
    complain: (fault: string) => void,
  ): void {
    send.spots.forEach((spot, at) => {
      const key = spotKey(spot);
      const queue = audit.get(`${spot.topic}/${spot.queueId}`);
      const trimmed = queue !== undefined && spot.offset < queue.min;
      const mayMiss = trimmed || (send.mayBeLost && this.#lost.has(key));
      const there = found[at] ?? [];
      if (there.length === 0 && !mayMiss) complain(`${name}: ${send.ids[at]} at ${key} is lost`);
      // Retention may have left only what came back from the dead letters.
      if (there.length > 0 && !there.includes(key) && !trimmed) {
        complain(`${name}: ${send.ids[at]} was acknowledged at ${key} and is at ${there}`);
      }
    });
  }

  #checkWhole(
    name: string,
    found: readonly string[][],
    audit: Audit,
    complain: (fault: string) => void,
  ): void {
    const offsets = found.map(([spot]) => Number(spot?.split("/").at(-1) ?? NaN));
    const whole = offsets.every((offset, at) => at === 0 || offset === offsets[at - 1]! + 1);
    // Retention may have taken its first messages.
    const trimmed = [...audit.values()].some(({ min }) => min > 0);
    if (!whole && !trimmed) complain(`${name} of unknown end is there in parts: ${offsets}`);
  }

  #noteLost(lost: readonly Spot[]): void {
    for (const spot of lost) this.#lost.add(spotKey(spot));
  }
}
