/**
 * Nobody sees a message before its transaction is committed, nor ever after a rollback; one state
 * ends it, once, and all answers name that one; questions count when they were asked.
 *
 * @module
 */
import type { Audit, Seen, SimEvent } from "../events.ts";
import { deathsOf } from "../audit.ts";
import { type Checker, latestWallMs, type Moment } from "../journal.ts";

type Ended = "committed" | "rolled-back";
type Half = {
  isPrepared: boolean;
  earliestMs: number;
  mayBeCommitted: boolean;
  mayBeRolledBack: boolean;
  state: Ended | null;
  /** An answer said that it decided. */
  isDecided: boolean;
  /** Questions its producer was asked. */
  asked: number;
  /** The newest word of how it stands. */
  found: string | null;
  wasSeen: boolean;
};
type Complain = (fault: string) => void;

/** What producers were told, held against what was seen. */
export class Transactions implements Checker {
  readonly #mayGo: boolean;
  readonly #halves = new Map<string, Half>();
  #wallMsMax = 0;

  /** `mayGo`: retention may take what is visible. */
  constructor(mayGo: boolean) {
    this.#mayGo = mayGo;
  }

  see(event: SimEvent, complain: Complain, at: Moment): void {
    this.#wallMsMax = Math.max(this.#wallMsMax, latestWallMs(event, at));
    switch (event.kind) {
      case "message":
        if (event.how === "transaction") this.#halves.set(event.id, newHalf());
        return;
      case "transaction-prepared": {
        const half = this.#halves.get(event.id);
        if (half === undefined) return;
        half.isPrepared = event.outcome === "done";
        half.earliestMs = event.earliestMs;
        return;
      }
      case "transaction-asked": {
        const half = this.#halves.get(event.id);
        if (half === undefined) return;
        if (event.verdict === "commit") half.mayBeCommitted = true;
        else half.mayBeRolledBack = true;
        return;
      }
      case "transaction-settled":
        this.#settled(event.id, event.state, event.first, complain);
        return;
      case "transaction-checked": {
        const half = this.#halves.get(event.id);
        if (half !== undefined) half.asked++;
        return;
      }
      case "transaction-found":
        this.#found(event, complain);
        return;
      case "delivered":
      case "pulled":
        for (const message of event.messages) this.#look(message, complain);
    }
  }

  finish(audit: Audit, complain: Complain): void {
    const deaths = deathsOf(audit);
    const found = new Map<string, number>();
    let trimmed = false;
    for (const { topic, min, messages } of audit.values()) {
      if (topic.startsWith("%")) continue;
      trimmed ||= min > 0;
      for (const message of messages) {
        this.#look(message, complain);
        found.set(message.id, (found.get(message.id) ?? 0) + 1);
      }
    }
    for (const [id, half] of this.#halves) {
      const copies = found.get(id) ?? 0;
      if (copies > 1 + (deaths.get(id) ?? 0)) {
        complain(`transaction ${id} is there ${copies} times`);
      }
      if (half.isPrepared && half.found !== "committed" && half.found !== "rolled-back") {
        complain(`transaction ${id} is ${half.found ?? "lost"}, and nobody fails any more`);
      }
      const isGone = copies === 0 && !(trimmed && this.#mayGo);
      if (half.state === "committed" && isGone) complain(`transaction ${id} is committed and lost`);
    }
  }

  #settled(id: string, state: Ended, first: boolean, complain: Complain): void {
    const half = this.#halves.get(id);
    if (half === undefined) return;
    const name = `transaction ${id}`;
    if (half.state !== null && half.state !== state) {
      complain(`${name} was ${half.state}, ${state}`);
    }
    if (first && half.isDecided) complain(`${name} was decided twice`);
    const wasAsked = state === "committed" ? half.mayBeCommitted : half.mayBeRolledBack;
    if (!wasAsked) complain(`${name} is ${state}, which nobody asked for`);
    half.isDecided ||= first;
    half.state = state;
    if (state === "rolled-back" && half.wasSeen) complain(`${name} was seen, and is rolled back`);
  }

  #found({ id, state, checks }: SimEvent & { kind: "transaction-found" }, complain: Complain) {
    const half = this.#halves.get(id);
    if (half === undefined) return;
    half.found = state;
    const name = `transaction ${id}`;
    if (state === "committed" || state === "rolled-back") this.#settled(id, state, false, complain);
    else if (half.state !== null) complain(`${name} was ${half.state}, and is ${state}`);
    if (checks > half.asked) {
      complain(`${name}: ${checks} questions count, ${half.asked} were asked`);
    }
  }

  #look({ id, topic, storedMs }: Seen, complain: Complain): void {
    const half = this.#halves.get(id);
    if (half === undefined) return;
    half.wasSeen = true;
    const name = `transaction ${id}`;
    if (!half.mayBeCommitted) complain(`${name} is visible, and nobody committed it`);
    if (half.state === "rolled-back") complain(`${name} is visible, and was rolled back`);
    if (topic.startsWith("%")) return;
    const { earliestMs } = half;
    if (storedMs < earliestMs || this.#wallMsMax < earliestMs) {
      complain(`${name} is visible since ${storedMs}, due ${earliestMs}`);
    }
  }
}

function newHalf(): Half {
  return {
    isPrepared: false,
    earliestMs: 0,
    mayBeCommitted: false,
    mayBeRolledBack: false,
    state: null,
    isDecided: false,
    asked: 0,
    found: null,
    wasSeen: false,
  };
}
