/**
 * A timed message is visible once, never before its time, soon after it; and what was answered to
 * whoever called it off, moved or replaced it is what consumers saw.
 *
 * @module
 */
import type { Audit, Seen, SimEvent } from "../events.ts";
import { deathsOf } from "../audit.ts";
import { type Checker, latestWallMs, type Moment } from "../journal.ts";

type Timer = {
  readonly id: string;
  /** Not visible before: the earliest time anybody may have set. */
  earliestMs: number;
  /** The broker promised this time; `null`: it may be another. */
  dueMs: number | null;
  /** It will be seen, or was. */
  must: boolean;
  may: boolean;
  /** What `may` was when it was last sent. */
  mightBefore: boolean;
  /** When it was last promised. */
  promisedMs: number;
  /** How often it was sent under its id. */
  sends: number;
};
type Ended = SimEvent & { kind: "timer-ended" };
type Complain = (fault: string) => void;

/** How long after a trouble timers may be late: a disk is full for a while, a process starts. */
const troubleMs = 12_000;
/** How far the clock may be set back at once. */
const setBackMs = 4_000;

/** What clients of timers were told, held against what was seen. */
export class Timers implements Checker {
  readonly #latenessMsMax: number;
  readonly #mayGo: boolean;
  readonly #timers = new Map<string, Timer>();
  /** Key → the message that carries it; several while nobody knows which. */
  readonly #bearers = new Map<string, Set<Timer>>();
  readonly #seen = new Set<string>();
  /** Sent again in a way that may have made two of them. */
  readonly #dropped = new Set<string>();
  readonly #troublesMs: number[] = [];
  #wallMsMax = 0;
  /** What is stored from then on may have come back from the dead letters. */
  #redrivenFromMs = Infinity;

  /**
   * `latenessMsMax`: how late a message may become visible when nothing is wrong. `mayGo`:
   * retention may take what is visible, and nobody knows then that it was there.
   */
  constructor(latenessMsMax: number, mayGo: boolean) {
    this.#latenessMsMax = latenessMsMax;
    this.#mayGo = mayGo;
  }

  see(event: SimEvent, complain: Complain, at: Moment): void {
    this.#wallMsMax = Math.max(this.#wallMsMax, latestWallMs(event, at));
    switch (event.kind) {
      case "timer-asked":
        this.#asked(event);
        return;
      case "timer-ended":
        if (event.action === "schedule") this.#scheduled(event, complain, at);
        else this.#changed(event, complain, at);
        return;
      case "delivered":
      case "pulled":
        for (const message of event.messages) this.#look(message, complain);
        return;
      case "redrive-asked":
        this.#redrivenFromMs = Math.min(this.#redrivenFromMs, at.wallMs - setBackMs);
        return;
      case "crash":
      case "started":
      case "fault":
      case "shard-lost":
      case "shard-back":
      case "clock-jump":
        this.#troublesMs.push(at.wallMs);
    }
  }

  finish(audit: Audit, complain: Complain): void {
    const deaths = deathsOf(audit);
    const found = new Map<string, Seen[]>();
    let trimmed = false;
    for (const { topic, min, messages } of audit.values()) {
      if (topic.startsWith("%")) continue;
      trimmed ||= min > 0;
      for (const message of messages) {
        if (this.#timers.has(message.id)) {
          found.set(message.id, [...(found.get(message.id) ?? []), message]);
        }
      }
    }
    for (const timer of this.#timers.values()) {
      const copies = found.get(timer.id) ?? [];
      for (const message of copies) this.#look(message, complain);
      if (copies.length > 1 + (deaths.get(timer.id) ?? 0)) {
        complain(`timer ${timer.id} is there ${copies.length} times`);
      }
      const isGone = copies.length === 0 && !(trimmed && this.#mayGo);
      if (timer.must && isGone) complain(`timer ${timer.id}, due ${timer.dueMs}, is lost`);
    }
  }

  #asked({ action, id, timerKey, earliestMs }: SimEvent & { kind: "timer-asked" }): void {
    const known = this.#timers.get(id);
    // It may be visible by the new time before its client is told.
    for (const timer of id === "" ? this.#bearersOf(timerKey) : [known]) {
      if (timer !== undefined) timer.earliestMs = Math.min(timer.earliestMs, earliestMs);
    }
    if (action !== "schedule") return;
    if (known !== undefined) {
      known.sends++;
      // It may be visible before its client is told, also when it was called off.
      known.mightBefore = known.may;
      known.may = true;
    }
    if (known !== undefined || this.#dropped.has(id)) return;
    const none = { dueMs: null, must: false, mightBefore: false, promisedMs: 0 };
    this.#timers.set(id, { ...none, id, earliestMs, may: true, sends: 1 });
  }

  #scheduled(event: Ended, complain: Complain, at: Moment): void {
    const timer = this.#timers.get(event.id);
    if (timer === undefined) return;
    const { outcome, dueMs, earliestMs, replaced, timerKey } = event;
    if (outcome === "refused") {
      timer.may = timer.mightBefore;
      return;
    }
    const bearers = this.#bearersOf(timerKey);
    for (const before of outcome === "unknown" ? bearers : []) {
      if (before !== timer) before.must &&= this.#seen.has(before.id);
    }
    if (outcome === "done") bearers.clear();
    bearers.add(timer);
    if (replaced !== null && replaced !== timer.id) this.#replace(replaced, complain);
    if (timer.sends > 1 && replaced !== timer.id) {
      // Sent again when it was not pending, or nobody knows: there may be two of it from now on.
      this.#timers.delete(timer.id);
      this.#dropped.add(timer.id);
      return;
    }
    if (outcome === "unknown") return;
    if (dueMs === null && earliestMs > this.#wallMsMax) complain(`timer ${timer.id} came early`);
    timer.earliestMs = dueMs ?? -Infinity;
    timer.dueMs = dueMs;
    timer.must = true;
    timer.promisedMs = at.wallMs;
  }

  #replace(id: string, complain: Complain): void {
    const other = this.#timers.get(id);
    if (other === undefined) return;
    if (this.#seen.has(id)) complain(`timer ${id} was seen, and then replaced`);
    other.must = false;
    other.may = false;
  }

  #changed(event: Ended, complain: Complain, at: Moment): void {
    const { id, timerKey, outcome } = event;
    if (outcome === "refused") return;
    const meant = id === "" ? [...this.#bearersOf(timerKey)] : [this.#timers.get(id)];
    for (const timer of meant) {
      if (timer === undefined || this.#dropped.has(timer.id)) continue;
      if (meant.length > 1) this.#mayHaveChanged(timer);
      else this.#changedOne(timer, event, complain, at);
    }
  }

  /** One of several that carry a key was called off, or moved. */
  #mayHaveChanged(timer: Timer): void {
    timer.must &&= this.#seen.has(timer.id);
    timer.dueMs = null;
  }

  #changedOne(timer: Timer, event: Ended, complain: Complain, at: Moment): void {
    const { id, outcome, verdict } = event;
    if (outcome === "unknown") {
      timer.must &&= event.action === "move" || this.#seen.has(timer.id);
      if (event.action === "move") timer.dueMs = null;
      return;
    }
    const name = `timer ${timer.id}`;
    if (verdict === "already-delivered") {
      if (!timer.may) complain(`${name} was called off, and is told to be delivered`);
      timer.must = timer.may;
    } else if (verdict === "unknown") {
      // By its key nobody can tell a timer that is visible from one that never was.
      if (id !== "" && timer.must && !this.#mayGo) {
        complain(`${name} is pending or visible, and told unknown`);
      }
      if (id !== "") timer.may = false;
    } else {
      const isNow = verdict === "rescheduled" && (event.dueMs ?? 0) <= at.wallMs;
      if (this.#seen.has(timer.id) && !isNow) complain(`${name} was seen, and then ${verdict}`);
      if (!timer.may) complain(`${name} was called off, and then ${verdict}`);
      timer.must = verdict === "rescheduled";
      timer.may = verdict === "rescheduled";
      timer.dueMs = event.dueMs;
      timer.earliestMs = event.dueMs ?? -Infinity;
      timer.promisedMs = at.wallMs;
    }
  }

  #bearersOf(timerKey: string | null): Set<Timer> {
    const known = this.#bearers.get(timerKey ?? "");
    if (known !== undefined) return known;
    const bearers = new Set<Timer>();
    if (timerKey !== null) this.#bearers.set(timerKey, bearers);
    return bearers;
  }

  #look({ id, topic, storedMs }: Seen, complain: Complain): void {
    const timer = this.#timers.get(id);
    if (timer === undefined || topic.startsWith("%")) return;
    this.#seen.add(id);
    const { earliestMs, dueMs } = timer;
    if (!timer.may) complain(`timer ${id} was called off and is visible`);
    if (storedMs < earliestMs || this.#wallMsMax < earliestMs) {
      complain(`timer ${id} is visible since ${storedMs}, due ${earliestMs}`);
    }
    if (dueMs === null || timer.promisedMs === 0 || storedMs >= this.#redrivenFromMs) return;
    const fromMs = Math.max(dueMs, timer.promisedMs);
    const isTroubled = this.#troublesMs.some((ms) => ms > fromMs - troubleMs && ms <= storedMs);
    if (!isTroubled && storedMs > fromMs + this.#latenessMsMax) {
      complain(`timer ${id} is visible since ${storedMs}, due ${dueMs}: too late`);
    }
  }
}
