/**
 * What timers, transactions and ordered groups promise, checked against a journal and what is left
 * in the broker. Bodies are unique, so every broken promise has a name.
 *
 * @module
 */
import type { Stored } from "../checker.ts";
import type { Deed } from "./journal.ts";
import { type Appearance, type Life, readLives } from "./lives.ts";

/** A message in its queue, with the time at which it became visible. */
export type StoredAt = Stored & { readonly storedMs: number };

/** What a run left behind. */
export type Remains = {
  readonly deeds: readonly Deed[];
  /** The queues of the topic, read to their ends. */
  readonly stored: readonly StoredAt[];
  /** Handles of the timers that are pending, and of the transactions nobody decided. */
  readonly pending: ReadonlySet<string>;
  /** What is due later need not have been delivered. */
  readonly endMs: number;
};

/** The promises by name. */
export type PromiseName =
  | "lost"
  | "aborted"
  | "early"
  | "cancelled"
  | "twice"
  | "order"
  | "undead"
  | "forgotten"
  | "phantom";

/** A broken promise. */
export type Breach = { readonly promise: PromiseName; readonly says: string };

/** What is only counted. */
export type Counts = {
  readonly acked: number;
  readonly delivered: number;
  readonly cancelled: number;
  readonly committed: number;
  readonly rolledBack: number;
  readonly pending: number;
};

/** Checks a run. */
export function checkPromises(remains: Remains): { breaches: Breach[]; counts: Counts } {
  const { lives, strangers } = readLives(remains.deeds);
  const places = placesOf(remains.stored);
  const breaches: Breach[] = [...new Set([...strangers, ...places.keys()])]
    .filter((body) => !lives.has(body))
    .map((body) => ({ promise: "phantom", says: `"${body}" was sent by nobody` }));
  for (const life of lives.values()) {
    const stored = places.get(life.body) ?? [];
    const found = [
      ...visibilityFaults(life, stored),
      ...repeatFaults(life, stored),
      ...lossFaults(life, remains),
    ];
    breaches.push(...found.map(([promise, says]) => ({
      promise,
      says: `"${life.body}" ${says}`,
    })));
  }
  breaches.push(...orderFaults(lives).map((says) => ({ promise: "order" as const, says })));
  return { breaches, counts: countsOf(lives, remains.pending) };
}

type Fault = readonly [promise: PromiseName, says: string];

/** Acknowledged: the broker owes it to somebody. */
function isOwed(life: Life): boolean {
  if (life.isHalf) return life.isCommitted;
  return life.place !== null || life.handle !== null;
}

function visibilityFaults(life: Life, stored: readonly StoredAt[]): Fault[] {
  const faults: Fault[] = [];
  const seen: readonly StoredAt[] = [...stored, ...life.appearances];
  const where = seen.map(({ queueId, offset }) => `${queueId}/${offset}`)[0];
  if (life.gone === "rolled-back" && seen.length > 0) {
    faults.push(["aborted", `was rolled back, and is visible at ${where}`]);
  } else if (life.gone !== null && seen.length > 0) {
    faults.push(["cancelled", `was ${life.gone}, and is visible at ${where}`]);
  }
  if (life.isCommitted && life.isRolledBack) {
    faults.push(["aborted", "was told to be committed, and to be rolled back"]);
  }
  const unasked = life.appearances.some(({ wasAskedFor }) => !wasAskedFor);
  if (unasked || (life.isHalf && !life.isCommitAsked && seen.length > 0)) {
    faults.push(["aborted", `is visible at ${where} without a commit`]);
  }
  // Moves change the time, so each appearance is held to the time that was told before it.
  const early = life.appearances.find(isEarly);
  if (early !== undefined) {
    const aheadMs = early.earliestMs - Math.min(early.storedMs, early.atMs);
    faults.push(["early", `was delivered ${aheadMs} ms before its time`]);
  }
  for (const { storedMs } of stored) {
    if (storedMs >= life.earliestMs || life.appearances.length > 0) continue;
    faults.push(["early", `became visible ${life.earliestMs - storedMs} ms before its time`]);
  }
  return faults;
}

function isEarly({ earliestMs, storedMs, atMs }: Appearance): boolean {
  return storedMs < earliestMs || atMs < earliestMs;
}

function repeatFaults(life: Life, stored: readonly StoredAt[]): Fault[] {
  const faults: Fault[] = [];
  const places = new Set([...stored, ...life.appearances, ...(life.place ? [life.place] : [])]
    .map(({ queueId, offset }) => `${queueId}/${offset}`));
  if (places.size > 1) faults.push(["twice", `is at ${[...places].join(" and ")}`]);
  const { settledLine } = life;
  if (settledLine !== null && life.appearances.some(({ line }) => line > settledLine)) {
    faults.push(["undead", "came again after its consumption was confirmed"]);
  }
  if (life.isForgotten) {
    faults.push(["forgotten", "was acknowledged, and the broker says that it knows nothing of it"]);
  }
  return faults;
}

function lossFaults(life: Life, { pending, endMs }: Remains): Fault[] {
  const isPending = life.handle !== null && pending.has(life.handle);
  if (isPending && life.gone !== null) return [["cancelled", `was ${life.gone}, and is pending`]];
  if (life.gone !== null || life.appearances.length > 0) return [];
  // A wish whose answer never came may have been granted; a commit that was told settles that.
  if (life.doubts > 0 && !life.isCommitted) return [];
  if (life.isHalf && !life.isCommitAsked && life.handle !== null) {
    return isPending ? [] : [["lost", "is undecided, and in no list"]];
  }
  if (!isOwed(life)) return [];
  if (isPending && life.latestMs > endMs) return [];
  if (life.earliestMs > endMs) return [["lost", "is not due yet, and in no list"]];
  return [["lost", "was acknowledged and never delivered"]];
}

/**
 * Of each sharding key: when a message is delivered, every earlier one that was acknowledged was
 * delivered and is about to be settled; and none of them comes again.
 */
function orderFaults(lives: ReadonlyMap<string, Life>): string[] {
  const keys = new Map<string, Life[]>();
  for (const life of lives.values()) {
    if (life.shardingKey === undefined) continue;
    const of = keys.get(life.shardingKey);
    if (of === undefined) keys.set(life.shardingKey, [life]);
    else of.push(life);
  }
  return [...keys.values()].flatMap(keyFaults);
}

/** Lives of a key in the order they were sent. One sender has the key, so lines are that order. */
function keyFaults(lives: readonly Life[]): string[] {
  const faults: string[] = [];
  let before: Life | null = null;
  for (const life of lives) {
    const first = life.appearances[0];
    if (first !== undefined && before !== null) {
      const { body, settlingLine, appearances } = before;
      if (settlingLine === null || settlingLine > first.line) {
        faults.push(`"${life.body}" was delivered before "${body}" was settled`);
      }
      if (appearances.some(({ line }) => line > first.line)) {
        faults.push(`"${body}" came again after "${life.body}"`);
      }
    }
    // What was not acknowledged may be missing, but what appeared has its place in the order.
    if (life.place !== null || first !== undefined) before = life;
  }
  return faults;
}

function placesOf(stored: readonly StoredAt[]): Map<string, StoredAt[]> {
  const places = new Map<string, StoredAt[]>();
  for (const message of stored) {
    const of = places.get(message.body);
    if (of === undefined) places.set(message.body, [message]);
    else of.push(message);
  }
  return places;
}

function countsOf(lives: ReadonlyMap<string, Life>, pending: ReadonlySet<string>): Counts {
  const all = [...lives.values()];
  const count = (is: (life: Life) => boolean) => all.filter(is).length;
  return {
    acked: count(({ place, handle }) => place !== null || handle !== null),
    delivered: count(({ appearances }) => appearances.length > 0),
    cancelled: count(({ gone }) => gone === "cancelled" || gone === "replaced"),
    committed: count(({ isCommitted }) => isCommitted),
    rolledBack: count(({ isRolledBack }) => isRolledBack),
    pending: count(({ handle }) => handle !== null && pending.has(handle)),
  };
}
