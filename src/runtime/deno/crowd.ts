/**
 * Who is connected and asks nothing, and whom to cut when there are too many.
 *
 *     stranger ──asks──▶ busy ──answered──▶ idle ──asks──▶ busy …
 *         │ headMsMax                         │ idleMsMax
 *         └──────────▶ cut ◀──────────────────┘
 *
 * A connection that sends the head of a request a byte at a time asks nothing, and so is a stranger
 * or idle. When room is needed, those are cut who waited longest, strangers first; nobody who is
 * busy is. Who is busy with sending is cut when that takes longer than it was given.
 *
 * @module
 */
import type { HttpBounds } from "../../ports/http.ts";

/** One connection, as its owner tells of it. */
export interface Guest {
  /** A request's head came. */
  begin(): void;
  /** What is under way is cut unless this is called again within `ms`; 0: it takes its time. */
  within(ms: number): void;
  /** A request was answered in full, or its client is gone. */
  end(nowMs: number): void;
  /** The connection is over. */
  leave(): void;
}

/** The connections of one server. Sets keep the order of entering: the first waited longest. */
export class Crowd {
  readonly #bounds: HttpBounds;
  readonly #strangers = new Set<Member>();
  readonly #idle = new Set<Member>();
  readonly #busy = new Set<Member>();
  #onCalm: () => void = () => {};
  /** The last look for who is silent: from there the times given are counted. */
  #lookedMs = -Infinity;

  constructor(bounds: HttpBounds) {
    this.#bounds = bounds;
  }

  /** Connections now. */
  get count(): number {
    return this.#strangers.size + this.#idle.size + this.#busy.size;
  }

  /** Takes one in; `null`: there is no room, as everybody is busy. `cut` ends its connection. */
  enter(cut: () => void, nowMs: number): Guest | null {
    if (this.count >= this.#bounds.connectionsMax && this.makeRoom(1) === 0) return null;
    const member: Member = { cut, waitsSinceMs: nowMs, underway: 0, untilMs: Infinity };
    this.#lookedMs = Math.max(this.#lookedMs, nowMs);
    this.#strangers.add(member);
    return {
      begin: () => this.#begin(member),
      within: (ms) => member.untilMs = ms === 0 ? Infinity : this.#lookedMs + ms,
      end: (endMs) => this.#end(member, endMs),
      leave: () => this.#leave(member),
    };
  }

  /** Cuts who has waited too long. */
  cutSilent(nowMs: number): void {
    const { headMsMax, idleMsMax } = this.#bounds;
    cutFirst(this.#strangers, ({ waitsSinceMs }) => nowMs - waitsSinceMs >= headMsMax);
    cutFirst(this.#idle, ({ waitsSinceMs }) => nowMs - waitsSinceMs >= idleMsMax);
    for (const member of this.#busy) {
      if (member.untilMs > nowMs) continue;
      this.#busy.delete(member);
      member.cut();
    }
    this.#lookedMs = nowMs;
    this.#tellCalm();
  }

  /** Cuts up to `count` who ask nothing. Returns how many. */
  makeRoom(count: number): number {
    let done = 0;
    const isNext = () => done < count && ++done > 0;
    cutFirst(this.#strangers, isNext);
    cutFirst(this.#idle, isNext);
    return done;
  }

  /** Cuts everybody who asks nothing; with `busyToo`, all. */
  cutAll(busyToo: boolean): void {
    const all = () => true;
    cutFirst(this.#strangers, all);
    cutFirst(this.#idle, all);
    if (busyToo) cutFirst(this.#busy, all);
  }

  /** Calls `onCalm` once, when nobody is busy. */
  whenCalm(onCalm: () => void): void {
    this.#onCalm = onCalm;
    this.#tellCalm();
  }

  #begin(member: Member): void {
    if (++member.underway > 1) return;
    this.#strangers.delete(member);
    this.#idle.delete(member);
    this.#busy.add(member);
  }

  #end(member: Member, nowMs: number): void {
    if (--member.underway > 0 || !this.#busy.delete(member)) return;
    member.waitsSinceMs = nowMs;
    member.untilMs = Infinity;
    this.#idle.add(member);
    this.#tellCalm();
  }

  #leave(member: Member): void {
    this.#strangers.delete(member);
    this.#idle.delete(member);
    if (this.#busy.delete(member)) this.#tellCalm();
  }

  #tellCalm(): void {
    if (this.#busy.size > 0) return;
    const onCalm = this.#onCalm;
    this.#onCalm = () => {};
    onCalm();
  }
}

type Member = {
  readonly cut: () => void;
  waitsSinceMs: number;
  underway: number;
  /** When what is under way is cut. */
  untilMs: number;
};

/** Cuts from the front of a set as long as `isNext` says so. */
function cutFirst(members: Set<Member>, isNext: (member: Member) => boolean): void {
  for (const member of members) {
    if (!isNext(member)) return;
    members.delete(member);
    member.cut();
  }
}
