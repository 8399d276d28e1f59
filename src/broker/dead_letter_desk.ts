/** What operators may ask about a group's dead letters, as part of the door. @module */
import type { DeathFacts } from "../model/dead_letter.ts";

/** One dead letter. `queueId` and `offset`: where it lies in the dead-letter topic. */
export type DeadLetter = DeathFacts & {
  readonly queueId: number;
  readonly offset: number;
  /** The stored record, a view. */
  readonly record: Uint8Array;
};

/** Where a page begins: after this letter. */
export type LetterPlace = { readonly queueId: number; readonly offset: number };

/** Some letters, oldest first queue by queue. `next` `null`: there are no more. */
export type DeadLetterPage = {
  readonly letters: readonly DeadLetter[];
  readonly next: LetterPlace | null;
  /** All the group has. */
  readonly left: number;
};

/** Which letters: those that are there when it is asked, those with these ids, or the oldest. */
export type LetterChoice =
  | { readonly kind: "all" }
  | { readonly kind: "ids"; readonly messageIds: readonly string[] }
  | { readonly kind: "oldest"; readonly messagesMax: number };

/** How a redrive stands. It is forgotten with the process; the letters it has not sent stay. */
export type Redrive = {
  readonly id: string;
  readonly group: string;
  readonly state: "running" | "done" | "stopped" | "failed";
  readonly startedMs: number;
  readonly perSecond: number;
  /** Letters sent back. */
  readonly redriven: number;
  /** Letters that were gone when their turn came. */
  readonly gone: number;
  /** Letters that stay because there is nowhere to send them. */
  readonly left: number;
  /** The newest reason something went wrong; `null`: nothing did. */
  readonly problem: string | null;
};

/** Dead letters of groups: seeing them, sending them back, dropping them. */
export interface DeadLetterDesk {
  /** @throws `group_not_found` */
  list(group: string, after: LetterPlace | null, messagesMax: number): Promise<DeadLetterPage>;
  /** The group's letters with this message id that are left: rarely more than one. */
  find(group: string, messageId: string): Promise<DeadLetter[]>;
  /** Begins, and answers at once. @throws `limit_exceeded`: too many run already. */
  redrive(group: string, choice: LetterChoice, perSecond: number): Promise<Redrive>;
  /** The group's redrives since the process started, newest first. */
  redrives(group: string): readonly Redrive[];
  /** Ends a redrive after the letters that are under way. @throws `message_not_found` */
  stopRedrive(group: string, id: string): Redrive;
  /** Answers how many were dropped. */
  purge(group: string, choice: LetterChoice): Promise<number>;
}
