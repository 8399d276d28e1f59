/**
 * What a shard is asked about timed messages. Times are resolved on the shard's clock, in the turn
 * that decides them: whoever asks hands on what its client said.
 *
 * @module
 */
import type { Durability } from "../model/durability.ts";
import type { Repeat, RepeatRule } from "./repeats.ts";
import { json, jsonAndBlob, jsonOperation } from "./codec.ts";

/** When one message becomes visible: at most one of the two times; neither means at once. */
export type WhenAsk = {
  readonly dueMs: number | null;
  readonly delayMs: number | null;
};

/** One message of a `ScheduleAsk`; its record is `bytes` bytes of the blob, in order. */
export type ScheduleItem = WhenAsk & {
  readonly tagHash: number;
  readonly messageId: string;
  readonly timerKey: string | null;
  /** The id was chosen by the client, who may have sent the message before. */
  readonly mayRepeat: boolean;
  readonly bytes: number;
};
/** Stores messages of one queue, all or none, each visible at its time. */
export type ScheduleAsk = {
  readonly queueKey: number;
  /** The topic's queues in this shard: where a timer of the same name may be pending. */
  readonly queueKeys: readonly number[];
  readonly durability: Durability;
  /** The furthest a message may lie ahead. */
  readonly delayMsMax: number;
  readonly items: readonly ScheduleItem[];
  /** Messages that are visible already are not stored again; `null`: every one is new. */
  readonly repeats: RepeatRule | null;
};
/** Where a message is now. `replacedMessageId`: the pending timer it took the place of. */
export type TimedPlace =
  & { readonly replacedMessageId: string | null }
  & (
    | { readonly kind: "delivered"; readonly offset: number; readonly position: number }
    | { readonly kind: "scheduled"; readonly dueMs: number }
  );
/** What became of one message. `repeated`: it was visible before, and is not stored again. */
export type ScheduleVerdict =
  | TimedPlace
  | ({ readonly kind: "repeated" } & Omit<Repeat, "index">);
/** Verdicts in the order of the items. */
export type ScheduleAnswer = {
  readonly storedMs: number;
  readonly verdicts: readonly ScheduleVerdict[];
};

/** How a timer is named: by its message, or by the key its producer gave it. */
export type TimerName =
  | { readonly by: "id"; readonly messageId: string }
  | { readonly by: "key"; readonly timerKey: string };

/** Calls a timer off, or sets it to another time. */
export type ChangeTimerAsk = {
  readonly queueKeys: readonly number[];
  readonly name: TimerName;
  readonly action: { readonly kind: "cancel" } | ({ readonly kind: "move" } & WhenAsk);
  readonly delayMsMax: number;
};
/**
 * `already-delivered`: the log holds the message. `unknown`: nothing of this name is pending here,
 * and nothing says that it was delivered.
 */
export type TimerVerdict = "cancelled" | "rescheduled" | "already-delivered" | "unknown";
/** `dueMs`: the new time of a timer that was moved. */
export type ChangeTimerAnswer = { readonly verdict: TimerVerdict; readonly dueMs: number | null };

/** Looks at pending timers. Ranges are of due times, both ends included. */
export type TimersAsk =
  & { readonly queueKeys: readonly number[] }
  & (
    | {
      readonly by: "range";
      readonly fromMs: number;
      readonly toMs: number;
      /** Timers due at `fromMs` with an id up to this one were listed before. */
      readonly afterId: number | null;
      readonly countMax: number;
    }
    | TimerName
    | { readonly by: "count" }
  );
/** A pending timer, without its body. */
export type PendingTimer = {
  readonly id: number;
  readonly queueKey: number;
  readonly dueMs: number;
  readonly messageId: string;
  readonly timerKey: string | null;
  readonly bytes: number;
};
/** `count`: all that are pending in the queues, when that was asked for. */
export type TimersAnswer = { readonly timers: readonly PendingTimer[]; readonly count: number };

/** The operations of timers, for the table of the shard's operations. */
export const timerOperations = {
  schedule: { request: jsonAndBlob<ScheduleAsk>(), answer: json<ScheduleAnswer>() },
  changeTimer: jsonOperation<ChangeTimerAsk, ChangeTimerAnswer>(),
  timers: jsonOperation<TimersAsk, TimersAnswer>(),
};
