/**
 * Dead letters: which are left, sending them back, and dropping them.
 *
 * A letter is finished in the turn that appends it to its topic, so it goes back exactly once
 * however often the broker stops meanwhile. What is finished is kept as deliveries of a reader of
 * the letters' queue: `next` and above are left, and below it those that are open.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { Deliveries } from "../../src/core/deliveries.ts";
import type {
  LettersAsk,
  LettersHead,
  PurgeLettersAnswer,
  PurgeLettersAsk,
  RedriveAnswer,
  RedriveAsk,
} from "../../src/link/dead_letter_messages.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { join } from "./read.ts";
import { forRedrive } from "./rewrite.ts";
import { operatorsKey, type ShardState } from "./state.ts";

const scanEntries = 256;

/** The letters that are left, in order. */
export function readLetters(
  state: ShardState,
  store: ShardStore,
  ask: LettersAsk,
): { head: LettersHead; blob: Uint8Array } {
  const { queueKey, countMax, bytesMax } = ask;
  const marks = state.deliveries(operatorsKey, queueKey);
  const minOffset = store.minOffset(queueKey);
  const maxOffset = store.maxOffset(queueKey);
  const end = Math.min(ask.endOffset ?? maxOffset, maxOffset);
  const found: QueueEntry[] = [];
  let bytes = 0;
  let next = Math.max(ask.fromOffset, minOffset, marks?.committed ?? 0);
  const scanEnd = Math.min(end, next + limits.filterScanEntriesMax);
  const isFull = () => found.length >= countMax || bytes >= bytesMax;
  while (next < scanEnd && !isFull()) {
    const entries = store.entries(queueKey, next, Math.min(scanEntries, scanEnd - next));
    if (entries.length === 0) break;
    for (const entry of entries) {
      if (isFull()) break;
      next = entry.queueOffset + 1;
      if (!isLeft(marks, entry.queueOffset)) continue;
      found.push(entry);
      bytes += entry.bytes;
    }
  }
  const records = store.records(found.map(({ position }) => position));
  const present = found.filter((_, index) => records[index]?.length !== 0);
  const head = {
    offsets: present.map(({ queueOffset }) => queueOffset),
    nextOffset: next < end ? next : null,
    maxOffset,
    left: countLeft(marks, minOffset, maxOffset),
  };
  return { head, blob: join(records) };
}

/** Appends letters to where they came from, and finishes them. */
export function planRedrive(
  state: ShardState,
  draft: TurnDraft,
  store: ShardStore,
  ask: RedriveAsk,
): RedriveAnswer {
  const { queueKey, items } = ask;
  const marks = marksOf(state, store, queueKey);
  checkRoom(marks, items.map(({ offset }) => offset));
  const verdicts = items.map(({ offset, topic, queueId, queueKey: targetKey }) => {
    if (!isLeft(marks, offset) || state.isDropped(targetKey)) return "gone";
    const entry = store.entries(queueKey, offset, 1)[0];
    if (entry?.queueOffset !== offset) return "gone";
    const record = store.records([entry.position])[0];
    if (record === undefined || record.length === 0) return "gone";
    const back = forRedrive(record, { topic, queueId });
    draft.append(targetKey, back.tagHash, back.record);
    finish(marks, offset);
    return "done";
  });
  draft.mustSurvive("power-loss");
  state.touch(operatorsKey, queueKey, marks);
  return { verdicts };
}

/** Finishes letters. Their records stay in the log until retention removes them. */
export function planPurgeLetters(
  state: ShardState,
  draft: TurnDraft,
  store: ShardStore,
  ask: PurgeLettersAsk,
): PurgeLettersAnswer {
  const { queueKey, offsets } = ask;
  const minOffset = store.minOffset(queueKey);
  const maxOffset = store.maxOffset(queueKey);
  const marks = marksOf(state, store, queueKey);
  const leftBefore = countLeft(marks, minOffset, maxOffset);
  if (offsets === null) purgeBelow(marks, Math.min(ask.endOffset ?? maxOffset, maxOffset));
  else {
    const wanted = offsets.filter((offset) => offset < maxOffset && isLeft(marks, offset));
    checkRoom(marks, wanted);
    for (const offset of wanted) finish(marks, offset);
  }
  draft.mustSurvive("power-loss");
  state.touch(operatorsKey, queueKey, marks);
  return { purged: leftBefore - countLeft(marks, minOffset, maxOffset) };
}

/** What is finished of a queue of letters, without what retention has removed. */
function marksOf(state: ShardState, store: ShardStore, queueKey: number): Deliveries {
  const minOffset = store.minOffset(queueKey);
  const marks = state.deliveries(operatorsKey, queueKey) ??
    state.begin(operatorsKey, queueKey, minOffset);
  for (const { offset } of marks.all()) {
    if (offset >= minOffset) break;
    marks.bury(offset);
  }
  if (marks.next < minOffset) marks.skipTo(minOffset);
  return marks;
}

function isLeft(marks: Deliveries | undefined, offset: number): boolean {
  return marks === undefined || offset >= marks.next || marks.open(offset) !== undefined;
}

function countLeft(marks: Deliveries | undefined, minOffset: number, maxOffset: number): number {
  if (marks === undefined) return maxOffset - minOffset;
  let open = 0;
  for (const { offset } of marks.all()) if (offset >= minOffset) open++;
  return open + Math.max(0, maxOffset - Math.max(marks.next, minOffset));
}

/** Letters left behind a finished one are noted one by one: that has a bound. */
function checkRoom(marks: Deliveries, offsets: readonly number[]): void {
  const last = offsets.reduce((one, other) => Math.max(one, other), -1);
  const noted = marks.openCount + Math.max(0, last - marks.next);
  if (noted <= limits.inflightPerGroupMax) return;
  throw new BrokerError(
    "limit_exceeded",
    `Cannot settle dead letter ${last}: ${noted} older ones would be left before it, at most ` +
      `${limits.inflightPerGroupMax} may be; settle older ones first`,
  );
}

function finish(marks: Deliveries, offset: number): void {
  while (marks.next < offset) {
    const held = marks.next;
    marks.holdFresh();
    // Parked, so that no time ever makes it due.
    marks.park({ offset: held, attempts: 0, untilMs: Infinity, lease: 0 });
  }
  if (offset === marks.next) marks.skipTo(offset + 1);
  else marks.bury(offset);
}

function purgeBelow(marks: Deliveries, end: number): void {
  for (const { offset } of marks.all()) if (offset < end) marks.bury(offset);
  if (marks.next < end) marks.skipTo(end);
}
