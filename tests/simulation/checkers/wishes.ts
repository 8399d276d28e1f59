/**
 * A member of a group is handed what it wants and nothing else; what nobody of the group wants is
 * counted, each message once.
 *
 * @module
 */
import type { Audit, MessageFacts, SimEvent } from "../events.ts";
import { isWanted, lets, type SimGroup } from "../groups.ts";
import type { Checker } from "../journal.ts";

type Complain = (fault: string) => void;

/** What members were handed, held against what they asked for. */
export class Wishes implements Checker {
  readonly #facts: ReadonlyMap<string, MessageFacts>;
  readonly #groups: ReadonlyMap<string, SimGroup>;
  readonly #mayExpire: (facts: MessageFacts) => boolean;
  /** Group and topic → messages it says it passed over. */
  readonly #unmatched = new Map<string, number>();
  /** Counts begin anew with a shard, and a reset counts again. */
  #isExact = true;

  constructor(
    facts: ReadonlyMap<string, MessageFacts>,
    groups: readonly SimGroup[],
    mayExpire: (facts: MessageFacts) => boolean,
  ) {
    this.#facts = facts;
    this.#groups = new Map(groups.map((group) => [group.name, group]));
    this.#mayExpire = mayExpire;
  }

  see(event: SimEvent, complain: Complain): void {
    switch (event.kind) {
      case "delivered": {
        const group = this.#groups.get(event.group);
        const filter = group?.filters.find(({ kind }) => kind === event.filter);
        if (filter === undefined) return;
        for (const { id } of event.messages) {
          const facts = this.#facts.get(id);
          if (facts === undefined || lets(filter, facts)) continue;
          complain(`${event.client} was handed ${id}, which it does not want`);
        }
        return;
      }
      case "counted":
        // What nobody has looked at yet was not passed over either.
        if (event.lag === 0) this.#unmatched.set(`${event.group} ${event.topic}`, event.unmatched);
        return;
      case "crash":
      case "fault":
      case "shard-lost":
      case "reset-asked":
        this.#isExact = false;
    }
  }

  finish(audit: Audit, complain: Complain): void {
    if (!this.#isExact) return;
    for (const [name, unmatched] of this.#unmatched) {
      const [groupName = "", topic = ""] = name.split(" ");
      const group = this.#groups.get(groupName);
      const queues = [...audit.values()].filter((queue) => queue.topic === topic);
      if (group === undefined || queues.some(({ min }) => min > 0)) continue;
      const facts = queues.flatMap(({ messages }) => messages.map(({ id }) => this.#facts.get(id)));
      const all = facts.filter((one) => one !== undefined);
      const unwanted = all.filter((one) => !isWanted(group, one));
      if (unwanted.some((one) => this.#mayExpire(one))) continue;
      if (unwanted.length === unmatched) continue;
      complain(`${name}: ${unmatched} messages count as unwanted, ${unwanted.length} are`);
    }
  }
}
