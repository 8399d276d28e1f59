/**
 * What a shard is asked about dead letters. A letter is there until it was redriven or purged:
 * which ones are finished is kept as the place of a reader of their queue that belongs to no group.
 *
 * @module
 */
import { json, jsonAndBlob, jsonOperation } from "./codec.ts";

/** Letters of one queue from `fromOffset` on, below `endOffset`. */
export type LettersAsk = {
  readonly queueKey: number;
  readonly fromOffset: number;
  /** `null`: all there are. */
  readonly endOffset: number | null;
  readonly countMax: number;
  readonly bytesMax: number;
};
/** The records are the blob, in the order of `offsets`. `nextOffset` `null`: that was the last. */
export type LettersHead = {
  readonly offsets: readonly number[];
  readonly nextOffset: number | null;
  readonly maxOffset: number;
  /** All letters of the queue. */
  readonly left: number;
};

/** Where one letter goes back to: a queue of this shard. */
export type RedriveItem = {
  readonly offset: number;
  readonly topic: string;
  readonly queueId: number;
  readonly queueKey: number;
};
/** Sends letters of one queue back. What is appended and what is finished is one turn. */
export type RedriveAsk = { readonly queueKey: number; readonly items: readonly RedriveItem[] };
/** `gone`: redriven or purged before, or removed by retention. By item. */
export type RedriveAnswer = { readonly verdicts: readonly ("done" | "gone")[] };

/** Finishes letters without sending them anywhere. `offsets` `null`: all below `endOffset`. */
export type PurgeLettersAsk = {
  readonly queueKey: number;
  readonly offsets: readonly number[] | null;
  readonly endOffset: number | null;
};
/** How many letters were there to be finished. */
export type PurgeLettersAnswer = { readonly purged: number };

/** The operations of dead letters, for the table of the shard's operations. */
export const deadLetterOperations = {
  letters: { request: json<LettersAsk>(), answer: jsonAndBlob<LettersHead>() },
  redrive: jsonOperation<RedriveAsk, RedriveAnswer>(),
  purgeLetters: jsonOperation<PurgeLettersAsk, PurgeLettersAnswer>(),
};
