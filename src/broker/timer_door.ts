/** What the door offers of pending timers. @module */
import type { TimerName, TimerVerdict } from "../link/timer_messages.ts";

/** A pending timer as users see it. */
export type TimerInfo = {
  readonly messageId: string;
  readonly topic: string;
  readonly queueId: number;
  readonly timerKey: string | null;
  readonly deliverAtMs: number;
  /** Of the stored record. */
  readonly bytes: number;
};
/** Timers of one topic by due time, both ends included. `after`: `next` of the page before. */
export type TimerQuery = {
  readonly topic: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly after: string | null;
  readonly timersMax: number;
};
/** `count`: all that are pending in the topic. `next`: where the next page begins. */
export type TimerPage = {
  readonly timers: readonly TimerInfo[];
  readonly count: number;
  readonly next: string | null;
};
/** A new time: at most one of the two; neither means now. */
export type TimerMove = { readonly deliverAtMs: number | null; readonly delayMs: number | null };
/** What became of a timer; `deliverAtMs` of one that was moved. */
export type TimerOutcome = { readonly verdict: TimerVerdict; readonly deliverAtMs: number | null };

/** What the door offers of timers. A topic of `null`: the message id says enough. */
export interface TimerDoor {
  /** @throws `topic_not_found`, `invalid_argument` */
  list(query: TimerQuery): Promise<TimerPage>;
  find(topic: string | null, name: TimerName): Promise<TimerInfo | null>;
  cancel(topic: string | null, name: TimerName): Promise<TimerOutcome>;
  /** @throws `invalid_argument`: further ahead than allowed. */
  move(topic: string | null, name: TimerName, to: TimerMove): Promise<TimerOutcome>;
}

export type { TimerName };
