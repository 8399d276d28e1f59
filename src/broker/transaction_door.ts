/**
 * What the door offers of transactions: half messages, verdicts, questions to producers.
 *
 * @module
 */
import type { NewMessage, SendReceipt } from "../model/message.ts";
import type { Survived } from "../model/durability.ts";
import type { HalfState } from "../ports/shard_store.ts";

/** A message that nobody sees before it is committed. */
export type PrepareRequest = {
  readonly topic: string;
  readonly queueId: number | null;
  readonly shardingKey?: string;
  readonly storeHost: { readonly ip: string; readonly port: number };
  readonly producerGroup: string;
  readonly message: NewMessage;
  /** Where the producer is asked; `null`: it collects its questions, or is connected. */
  readonly checkUrl: string | null;
  /** How long the producer is not asked, from now; `null`: as the settings say. */
  readonly immunityMs: number | null;
};
/** What the producer keeps to decide later. */
export type PreparedTransaction = {
  readonly transactionId: string;
  readonly messageId: string;
  readonly queueId: number;
  /** The half message's number where clients want a physical offset. */
  readonly physicalOffset: number;
  readonly createdMs: number;
  readonly deliverAtMs: number | null;
  readonly survived: Survived;
};

/** The two things that can become of a transaction. */
export type Verdict = "commit" | "rollback";
/** `first`: this verdict decided; otherwise `state` is what an earlier one decided. */
export type SettledTransaction = {
  readonly state: "committed" | "rolled-back";
  readonly first: boolean;
  /** Of the message that this verdict made visible, or put aside until its time. */
  readonly receipt: SendReceipt | null;
};

/** A transaction as operators see it. */
export type TransactionInfo = {
  readonly transactionId: string;
  readonly state: HalfState;
  readonly topic: string;
  readonly queueId: number;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly createdMs: number;
  /** `null` unless it is prepared. */
  readonly nextCheckMs: number | null;
  readonly checks: number;
  readonly checkUrl: string | null;
  readonly deliverAtMs: number | null;
  readonly timerKey: string | null;
  /** `null`: it is not decided. */
  readonly settledMs: number | null;
};
/** `after`: `next` of the page before. */
export type TransactionQuery = {
  readonly state: HalfState;
  readonly after: string | null;
  readonly transactionsMax: number;
};
/** `count`: all in the state. */
export type TransactionPage = {
  readonly transactions: readonly TransactionInfo[];
  readonly count: number;
  readonly next: string | null;
};

/** A question to a producer: what became of this message's transaction? */
export type TransactionCheck = {
  readonly transactionId: string;
  readonly physicalOffset: number;
  readonly topic: string;
  readonly queueId: number;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly createdMs: number;
  /** Which question this is, from 1. */
  readonly check: number;
  readonly record: Uint8Array;
};
/** Asks a producer, and says whether one was really asked: only then the question counts. */
export type CheckListener = (check: TransactionCheck) => boolean | Promise<boolean>;
/** A producer that collects its questions. */
export type CollectRequest = {
  readonly producerGroup: string;
  readonly checksMax: number;
  readonly waitMs: number;
  readonly signal?: AbortSignal;
};

/** The operations. All may fail with `invalid_argument` for an id that is not this broker's. */
export interface TransactionDoor {
  /** @throws `topic_not_found`, `no_permission`, `limit_exceeded`, `invalid_argument` */
  prepare(request: PrepareRequest): Promise<PreparedTransaction>;
  /**
   * `producerGroup` `null`: an operator decides.
   *
   * @throws `message_not_found`, `no_permission`: the transaction is another group's.
   */
  settle(
    transactionId: string,
    verdict: Verdict,
    producerGroup: string | null,
  ): Promise<SettledTransaction>;
  /** The same, for clients that name the half message by its number. */
  settleAt(
    physicalOffset: number,
    verdict: Verdict,
    producerGroup: string,
  ): Promise<SettledTransaction>;
  list(query: TransactionQuery): Promise<TransactionPage>;
  find(transactionId: string): Promise<TransactionInfo | null>;
  /** Parked ones are asked about again; `null`: all of them. Answers how many. */
  rearm(transactionIds: readonly string[] | null): Promise<number>;
  /** The same of one, for clients that name the half message by its number. */
  rearmAt(physicalOffset: number): Promise<number>;
  /** Questions for a group; empty when none came within `waitMs`. */
  collectChecks(request: CollectRequest): Promise<TransactionCheck[]>;
  /** Registers one who can ask producers. Returns how to stop. */
  onChecks(listener: CheckListener): () => void;
}
