/**
 * The life of each body, put together from a journal: what it was sent as, what was asked of it,
 * what the broker said, and where it appeared.
 *
 * @module
 */
import type { AskedDeed, Deed, DeliveredDeed, StoredDeed, ToldDeed, Wish } from "./journal.ts";

/** Wishes that make a message go away, if they are granted. */
const removals: ReadonlySet<Wish> = new Set(["cancel", "replace", "rollback"]);

/** An appearance before consumers, with the moment in the journal. */
export type Appearance = DeliveredDeed & {
  readonly line: number;
  /** Before this time nobody may have it, as far as was told until then. */
  readonly earliestMs: number;
  /** A half message may be seen only after a commit was asked for. */
  readonly wasAskedFor: boolean;
};

/** One body's life. */
export type Life = {
  readonly body: string;
  readonly line: number;
  readonly shardingKey: string | undefined;
  readonly isHalf: boolean;
  /** The first time at which it may be visible; moves with what is told. */
  earliestMs: number;
  /** The last: a move whose answer never came may have taken place or not. */
  latestMs: number;
  place: StoredDeed | null;
  handle: string | null;
  /** Wishes to make it go away whose answers never came: it may be gone or not. */
  doubts: number;
  /** Why it must never be seen. */
  gone: "cancelled" | "replaced" | "rolled-back" | null;
  isCommitAsked: boolean;
  isCommitted: boolean;
  isRolledBack: boolean;
  /** The broker knew nothing of it though it had acknowledged it. */
  isForgotten: boolean;
  readonly appearances: Appearance[];
  /** Lines of the first wish to settle it, and of the first confirmation. */
  settlingLine: number | null;
  settledLine: number | null;
};

/** Lives by body. `strangers` were delivered, and sent by nobody. */
export function readLives(
  deeds: readonly Deed[],
): { lives: Map<string, Life>; strangers: string[] } {
  const lives = new Map<string, Life>();
  const strangers: string[] = [];
  for (const [line, deed] of deeds.entries()) {
    if (deed.deed === "sent") {
      lives.set(deed.body, newLife(deed.body, line, deed));
      continue;
    }
    const life = lives.get(deed.body);
    if (life === undefined) strangers.push(deed.body);
    else live(life, deed, line);
  }
  return { lives, strangers };
}

function newLife(
  body: string,
  line: number,
  sent: { dueMs?: number; isHalf?: true; shardingKey?: string },
): Life {
  return {
    body,
    line,
    shardingKey: sent.shardingKey,
    isHalf: sent.isHalf === true,
    earliestMs: sent.dueMs ?? 0,
    latestMs: sent.dueMs ?? 0,
    place: null,
    handle: null,
    doubts: 0,
    gone: null,
    isCommitAsked: false,
    isCommitted: false,
    isRolledBack: false,
    isForgotten: false,
    appearances: [],
    settlingLine: null,
    settledLine: null,
  };
}

function live(life: Life, deed: Deed, line: number): void {
  switch (deed.deed) {
    case "sent":
      return;
    case "stored":
      life.place = deed;
      return;
    case "armed":
      life.handle = deed.handle;
      return;
    case "asked":
      return ask(life, deed);
    case "told":
      return tell(life, deed);
    case "delivered": {
      const wasAskedFor = !life.isHalf || life.isCommitAsked;
      life.appearances.push({ ...deed, line, earliestMs: life.earliestMs, wasAskedFor });
      return;
    }
    case "settling":
      life.settlingLine ??= line;
      return;
    case "settled":
      life.settledLine ??= line;
  }
}

function ask(life: Life, { wish, dueMs }: AskedDeed): void {
  if (removals.has(wish)) life.doubts++;
  if (wish === "commit") life.isCommitAsked = true;
  if (wish !== "move" || dueMs === undefined) return;
  life.earliestMs = Math.min(life.earliestMs, dueMs);
  life.latestMs = Math.max(life.latestMs, dueMs);
}

function tell(life: Life, { wish, verdict, dueMs }: ToldDeed): void {
  if (removals.has(wish)) life.doubts--;
  switch (verdict) {
    case "cancelled":
    case "replaced":
      life.gone = verdict;
      return;
    case "rescheduled":
      if (dueMs !== undefined) [life.earliestMs, life.latestMs] = [dueMs, dueMs];
      return;
    case "already-delivered":
    case "kept":
      return;
    case "unknown":
      // With an older wish unanswered it is that one's work; else somebody forgot.
      if (life.doubts === 0 && life.gone === null && life.handle !== null) life.isForgotten = true;
      return;
    case "committed":
      life.isCommitted = true;
      return;
    case "rolled-back":
      life.isRolledBack = true;
      life.gone = "rolled-back";
  }
}
