/**
 * Timed messages: put aside, replaced, called off, moved. Each verdict is decided in one turn.
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import { BrokerError } from "../../src/model/errors.ts";
import { propertyNames, readProperty } from "../../src/model/properties.ts";
import { recordProperties, recordTopic } from "../../src/model/record.ts";
import type { WithBlob } from "../../src/link/codec.ts";
import type { RepeatRule } from "../../src/link/repeats.ts";
import type {
  ChangeTimerAnswer,
  ChangeTimerAsk,
  ScheduleAnswer,
  ScheduleAsk,
  ScheduleItem,
  ScheduleVerdict,
  TimedPlace,
  TimerName,
  WhenAsk,
} from "../../src/link/timer_messages.ts";
import type { DelayedRow, ShardStore } from "../../src/ports/shard_store.ts";
import type { FirstPlace, TurnDraft } from "./draft.ts";
import type { AppendParts } from "./plan_append.ts";
import { firstPlaceOf } from "./repeats.ts";

/** Copies of one message id that are looked at: retries and dead letters keep the id. */
const copiesMax = 64;

/** A message with its time, on its way into the shard. */
export type TimedMessage = {
  readonly queueKey: number;
  /** Where a timer of the same name may be pending. */
  readonly queueKeys: readonly number[];
  readonly tagHash: number;
  readonly messageId: string;
  readonly timerKey: string | null;
  readonly mayRepeat: boolean;
  readonly record: Uint8Array;
};

/**
 * When a message is due, on this shard's clock. `null`: now.
 *
 * @throws {BrokerError} `invalid_argument`: further ahead than allowed, with what was found.
 */
export function dueMsOf(when: WhenAsk, nowMs: number, delayMsMax: number): number | null {
  const dueMs = when.dueMs ?? (when.delayMs === null ? nowMs : nowMs + when.delayMs);
  if (dueMs <= nowMs) return null;
  const aheadMs = dueMs - nowMs;
  if (aheadMs <= delayMsMax) return dueMs;
  throw new BrokerError(
    "invalid_argument",
    `Cannot deliver a message ${aheadMs} ms from now: at most ${delayMsMax} ms ahead are allowed`,
  );
}

/** Stores the messages of the request, in order: each becomes visible at its time. */
export function planSchedule(
  parts: AppendParts,
  { head, blob }: WithBlob<ScheduleAsk>,
): ScheduleAnswer {
  const { draft, store } = parts;
  const { queueKey, queueKeys, delayMsMax, durability } = head;
  // All times before the first message: the request is planned whole or not at all.
  const dues = head.items.map((item) => dueMsOf(item, draft.nowMs, delayMsMax));
  const later = dues.filter((dueMs) => dueMs !== null).length;
  if (later > 0) checkRoom(store, queueKeys, later);
  draft.mustSurvive(durability);
  const records = recordsOf(head.items, blob);
  // All reading before the first message: what fails here leaves the draft as it was.
  const topic = records[0] === undefined ? "" : recordTopic(records[0], 0);
  const places = visiblePlaces(parts, topic, head.repeats);
  const verdicts = records.map((record, index): ScheduleVerdict => {
    const { tagHash, messageId, timerKey, mayRepeat } = head.items[index]!;
    const isPending = mayRepeat && draft.rows.timerById(queueKeys, messageId) !== null;
    const id = isPending ? "" : head.repeats?.ids[index] ?? "";
    const place = id === "" ? null : places[index] ?? draft.firstPlaces.get(`${topic}\n${id}`);
    if (place) return { kind: "repeated", ...place };
    const message = { queueKey, queueKeys, tagHash, messageId, timerKey, mayRepeat, record };
    return placeTimed(draft, message, dues[index] ?? null);
  });
  return { storedMs: draft.storedMs, verdicts };
}

function recordsOf(items: readonly ScheduleItem[], blob: Uint8Array): Uint8Array[] {
  let at = 0;
  return items.map(({ bytes }) => blob.subarray(at, at += bytes));
}

/** By message: where it was visible before this turn, within the window; `null`: nowhere. */
function visiblePlaces(
  { draft, state, store }: AppendParts,
  topic: string,
  rule: RepeatRule | null,
): (FirstPlace | null)[] {
  if (rule === null) return [];
  const search = { nowMs: draft.nowMs, state, store };
  return rule.ids.map((id) => id === "" ? null : firstPlaceOf(id, topic, rule, search));
}

/** Makes a message visible now or puts it aside, in the place of the pending one of its name. */
export function placeTimed(
  draft: TurnDraft,
  message: TimedMessage,
  dueMs: number | null,
): TimedPlace {
  const { queueKey, tagHash, messageId, timerKey, record } = message;
  const replacedMessageId = replace(draft, message);
  if (dueMs === null) {
    const place = draft.append(queueKey, tagHash, record);
    const { offset, position } = place;
    draft.noteId(messageId, record, place, null);
    draft.noteShown(messageId);
    return { kind: "delivered", offset, position, replacedMessageId };
  }
  const row = { kind: "timer", dueMs, queueKey, tagHash, messageId, timerKey, record } as const;
  draft.rows.putDelayed(row);
  return { kind: "scheduled", dueMs, replacedMessageId };
}

/** A message sent again takes its own place; a key takes the place of whoever had it. */
function replace(draft: TurnDraft, message: TimedMessage): string | null {
  const { queueKeys, messageId, timerKey, mayRepeat } = message;
  const same = mayRepeat ? draft.rows.timerById(queueKeys, messageId) : null;
  if (same !== null) draft.rows.deleteDelayed(same);
  const other = timerKey === null ? null : draft.rows.timerByKey(queueKeys, timerKey);
  if (other !== null) draft.rows.deleteDelayed(other);
  return other?.messageId ?? same?.messageId ?? null;
}

function checkRoom(store: ShardStore, queueKeys: readonly number[], coming: number): void {
  const pending = store.delayedCount(queueKeys);
  if (pending + coming <= limits.timersPerTopicMax) return;
  throw new BrokerError(
    "limit_exceeded",
    `Cannot put ${coming} messages aside: ${pending} of the topic are pending, at most ` +
      `${limits.timersPerTopicMax} may be`,
  );
}

/** Calls a timer off, or moves it. What is due but not yet visible can still be called off. */
export function planChangeTimer(
  draft: TurnDraft,
  store: ShardStore,
  ask: ChangeTimerAsk,
): ChangeTimerAnswer {
  const { action } = ask;
  // A time that is not allowed is refused whether or not there is a timer.
  const dueMs = action.kind === "move" ? dueMsOf(action, draft.nowMs, ask.delayMsMax) : null;
  const row = pendingTimer(draft, ask.queueKeys, ask.name);
  if (row === null) return { verdict: verdictWithout(draft, store, ask), dueMs: null };
  draft.rows.deleteDelayed(row);
  // The producer was told that the message is safe, and is told now that it is not coming.
  draft.mustSurvive("power-loss");
  if (action.kind === "cancel") return { verdict: "cancelled", dueMs: null };
  if (dueMs === null) {
    const place = draft.append(row.queueKey, row.tagHash, row.record);
    draft.noteId(row.messageId, row.record, place, null);
    draft.noteShown(row.messageId);
  } else draft.rows.putDelayed({ ...row, dueMs });
  return { verdict: "rescheduled", dueMs: dueMs ?? draft.nowMs };
}

function pendingTimer(
  draft: TurnDraft,
  queueKeys: readonly number[],
  name: TimerName,
): DelayedRow | null {
  return name.by === "id"
    ? draft.rows.timerById(queueKeys, name.messageId)
    : draft.rows.timerByKey(queueKeys, name.timerKey);
}

function verdictWithout(draft: TurnDraft, store: ShardStore, ask: ChangeTimerAsk) {
  const { name, queueKeys } = ask;
  if (name.by === "key") return "unknown";
  return draft.shows(name.messageId) || isStored(store, queueKeys, name.messageId)
    ? "already-delivered"
    : "unknown";
}

/**
 * Whether the log holds the message for these queues. Its copies among retries and dead letters do
 * not count, nor what is left of an earlier topic of the name.
 */
function isStored(store: ShardStore, queueKeys: readonly number[], messageId: string): boolean {
  const positions = store.findByKey(messageId, copiesMax);
  return store.records(positions).some((record, index) =>
    record.length > 0 && queueKeys.includes(store.queueKeyAt(positions[index] ?? 0) ?? 0) &&
    readProperty(recordProperties(record, 0), propertyNames.uniqueKey) === messageId
  );
}
