/**
 * How much goes in and out, by topic and by group: sums of the last minutes, hours and day.
 *
 *     a series := 60 buckets of 10 s, 6 of 10 minutes, 24 of an hour; each with what came in it
 *
 * Only memory: a restart begins at nothing. What was not heard of for longest is forgotten first.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { Lru } from "../base/lru.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const slotMs = 10 * secondMs;
/** Finest first. A window is read from the finest level that reaches so far back. */
const levels = [
  { widthMs: slotMs, buckets: 60 },
  { widthMs: 10 * minuteMs, buckets: 6 },
  { widthMs: hourMs, buckets: 24 },
] as const;

/** What is counted: of a topic; of a group in a topic, by `groupKeyOf`; and what it gave back. */
export type TrafficKind = "put" | "get" | "sent-back";

/** One window: what came in `times` requests, over `coveredMs` up to now. */
export type TrafficWindow = {
  readonly messages: number;
  readonly bytes: number;
  readonly times: number;
  readonly coveredMs: number;
};

/** Messages since the start: up to now, and up to the beginning of today and of yesterday, UTC. */
export type DayCounts = {
  readonly now: number;
  readonly today: number;
  readonly yesterday: number;
};

/** A group's name in a topic. Neither name can hold "@". */
export function groupKeyOf(topic: string, group: string): string {
  return `${topic}@${group}`;
}

/** Messages of a window for each second it covers. */
export function perSecond({ messages, coveredMs }: TrafficWindow): number {
  return messages * secondMs / coveredMs;
}

/** Counts what passes the door. */
export class Traffic {
  readonly #clock: Clock;
  readonly #days: { readonly put: Days; readonly get: Days };
  readonly #series = new Lru<string, Series>({ countMax: limits.trafficSeriesMax });
  readonly #totals: { readonly put: Series; readonly get: Series };

  #lastPut: { readonly topic: string; readonly series: Series };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastPut = { topic: "", series: new Series(clock.monotonicMs()) };
    this.#days = { put: new Days(clock.wallMs()), get: new Days(clock.wallMs()) };
    const nowMs = clock.monotonicMs();
    this.#totals = { put: new Series(nowMs), get: new Series(nowMs) };
  }

  /** Messages of one send were stored. */
  put(topic: string, messages: number, bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    // Sends come in rows: most go where the last one went.
    if (topic !== this.#lastPut.topic || !this.#lastPut.series.isFresh(nowMs)) {
      this.#lastPut = { topic, series: this.#of(`put ${topic}`, nowMs) };
    }
    this.#lastPut.series.add(messages, bytes, nowMs);
    this.#addTotal("put", messages, bytes, nowMs);
  }

  /** Messages of one read were given to a group. */
  got(topic: string, group: string, messages: number, bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#of(`get ${groupKeyOf(topic, group)}`, nowMs).add(messages, bytes, nowMs);
    this.#addTotal("get", messages, bytes, nowMs);
  }

  /** A group gave a message back. */
  sentBack(topic: string, group: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#of(`sent-back ${groupKeyOf(topic, group)}`, nowMs).add(1, 0, nowMs);
  }

  /** The last `windowMs`, a day at most; `undefined`: nothing was ever counted under the name. */
  window(kind: TrafficKind, key: string, windowMs: number): TrafficWindow | undefined {
    return this.#series.peek(`${kind} ${key}`)?.window(windowMs, this.#clock.monotonicMs());
  }

  /** The same of all topics, or of all groups together. */
  total(kind: "put" | "get", windowMs: number): TrafficWindow {
    return this.#totals[kind].window(windowMs, this.#clock.monotonicMs());
  }

  /** How much there was before today and yesterday: a day's end is seen within ten seconds. */
  days(kind: "put" | "get"): DayCounts {
    return this.#days[kind].counts(this.#clock.wallMs());
  }

  #addTotal(kind: "put" | "get", messages: number, bytes: number, nowMs: number): void {
    const total = this.#totals[kind];
    // Every ten seconds is often enough to look at the date.
    if (!total.isFresh(nowMs)) this.#days[kind].turn(this.#clock.wallMs());
    total.add(messages, bytes, nowMs);
    this.#days[kind].add(messages);
  }

  #of(name: string, nowMs: number): Series {
    const known = this.#series.peek(name);
    if (known?.isFresh(nowMs) === true) return known;
    // Only the first of every ten seconds moves a name away from being forgotten.
    const series = this.#series.get(name) ?? new Series(nowMs);
    this.#series.set(name, series);
    return series;
  }
}

/** One count, and what it was when the last two days began. */
class Days {
  #day: number;
  #now = 0;
  #today = 0;
  #yesterday = 0;

  constructor(wallMs: number) {
    this.#day = Math.floor(wallMs / dayMs);
  }

  add(messages: number): void {
    this.#now += messages;
  }

  /** A clock that is set back changes nothing: the day it is then set to was begun before. */
  turn(wallMs: number): void {
    const day = Math.floor(wallMs / dayMs);
    if (day <= this.#day) return;
    this.#yesterday = day === this.#day + 1 ? this.#today : this.#now;
    this.#today = this.#now;
    this.#day = day;
  }

  counts(wallMs: number): DayCounts {
    this.turn(wallMs);
    return { now: this.#now, today: this.#today, yesterday: this.#yesterday };
  }
}

type Ring = {
  readonly widthMs: number;
  readonly messages: Float64Array;
  readonly bytes: Float64Array;
  readonly times: Float64Array;
  newest: number;
};

/**
 * One name's buckets, as rings: a bucket is emptied when its turn comes again. What comes within
 * one slot is gathered beside them, so that to count costs next to nothing.
 */
class Series {
  readonly #rings: readonly Ring[];
  readonly #bornMs: number;
  #slot: number;
  #messages = 0;
  #bytes = 0;
  #times = 0;

  constructor(nowMs: number) {
    this.#bornMs = nowMs;
    this.#slot = Math.floor(nowMs / slotMs);
    this.#rings = levels.map(({ widthMs, buckets }) => ({
      widthMs,
      messages: new Float64Array(buckets),
      bytes: new Float64Array(buckets),
      times: new Float64Array(buckets),
      newest: Math.floor(nowMs / widthMs),
    }));
  }

  /** Whether something was counted within the present slot. */
  isFresh(nowMs: number): boolean {
    return this.#slot === Math.floor(nowMs / slotMs);
  }

  add(messages: number, bytes: number, nowMs: number): void {
    if (!this.isFresh(nowMs)) this.#settle(nowMs);
    this.#messages += messages;
    this.#bytes += bytes;
    this.#times++;
  }

  window(windowMs: number, nowMs: number): TrafficWindow {
    this.#settle(nowMs);
    const ring = this.#rings.find((each) => each.widthMs * each.times.length >= windowMs) ??
      this.#rings[this.#rings.length - 1]!;
    turn(ring, nowMs);
    const size = ring.times.length;
    const buckets = Math.min(Math.ceil(windowMs / ring.widthMs), size);
    let [messages, bytes, times] = [0, 0, 0];
    for (let back = 0; back < buckets; back++) {
      const at = (ring.newest - back + size) % size;
      messages += ring.messages[at] ?? 0;
      bytes += ring.bytes[at] ?? 0;
      times += ring.times[at] ?? 0;
    }
    const reachedMs = nowMs - (ring.newest - buckets + 1) * ring.widthMs;
    const coveredMs = Math.max(secondMs, Math.min(reachedMs, nowMs - this.#bornMs));
    return { messages, bytes, times, coveredMs };
  }

  /** Puts what was gathered where it belongs. */
  #settle(nowMs: number): void {
    for (const ring of this.#rings) {
      turn(ring, this.#slot * slotMs);
      const at = ring.newest % ring.times.length;
      ring.messages[at] = (ring.messages[at] ?? 0) + this.#messages;
      ring.bytes[at] = (ring.bytes[at] ?? 0) + this.#bytes;
      ring.times[at] = (ring.times[at] ?? 0) + this.#times;
    }
    [this.#messages, this.#bytes, this.#times] = [0, 0, 0];
    this.#slot = Math.floor(nowMs / slotMs);
  }
}

/** Empties the buckets whose time has come since the last look. */
function turn(ring: Ring, nowMs: number): void {
  const current = Math.floor(nowMs / ring.widthMs);
  const size = ring.times.length;
  for (let step = 0; step < Math.min(current - ring.newest, size); step++) {
    const at = (current - step) % size;
    ring.messages[at] = 0;
    ring.bytes[at] = 0;
    ring.times[at] = 0;
  }
  ring.newest = Math.max(ring.newest, current);
}
