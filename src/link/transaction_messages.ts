/**
 * What a shard is asked about messages of transactions, and what it tells of them.
 *
 *     prepare ──▶ prepared ──commit──▶ committed        a row each; the verdict is written
 *                  ▲   │ └──rollback─▶ rolled-back      with its consequence in one turn
 *              rearm   └──asked too often──▶ parked ──commit, rollback──▶ as above
 *                  └──────────────────────────┘
 *
 * @module
 */
import type { Durability } from "../model/durability.ts";
import type { HalfState } from "../ports/shard_store.ts";
import { json, jsonAndBlob, jsonOperation } from "./codec.ts";
import type { WhenAsk } from "./timer_messages.ts";

/** Stores a message that nobody sees before its commit. Its record is the blob. */
export type PrepareAsk = WhenAsk & {
  readonly queueKey: number;
  readonly durability: Durability;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly tagHash: number;
  readonly timerKey: string | null;
  /** The producer is asked for the first time so long after now. */
  readonly firstCheckMs: number;
  readonly checkUrl: string | null;
  readonly delayMsMax: number;
};
/** `id`: of the half message in its shard. */
export type PrepareAnswer = {
  readonly id: number;
  readonly createdMs: number;
  readonly deliverAtMs: number | null;
};

/** What a producer, or an operator in its place, decided. */
export type SettleHalfAsk = {
  readonly id: number;
  /** Whose verdict it is; `null`: an operator's, who may decide for any group. */
  readonly producerGroup: string | null;
  readonly verdict: "commit" | "rollback";
};
/** `first`: this verdict decided; otherwise another did before, and `state` says which. */
export type SettleHalfAnswer = {
  readonly state: "committed" | "rolled-back";
  readonly first: boolean;
  readonly messageId: string;
  readonly queueKey: number;
  /** Where the message is now. `null`: nowhere, not yet, or by an earlier verdict. */
  readonly place: { readonly offset: number; readonly position: number } | null;
  /** When it will be visible, if that is later. */
  readonly deliverAtMs: number | null;
  readonly storedMs: number;
};

/** Half messages by id, or those in a state. */
export type HalvesAsk =
  | { readonly by: "id"; readonly id: number }
  | {
    readonly by: "state";
    readonly state: HalfState;
    readonly afterId: number;
    readonly countMax: number;
  };
/** A half message, without its body. */
export type HalfView = {
  readonly id: number;
  readonly state: HalfState;
  readonly queueKey: number;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly createdMs: number;
  readonly nextCheckMs: number;
  readonly checks: number;
  readonly checkUrl: string | null;
  readonly deliverAtMs: number | null;
  readonly timerKey: string | null;
  readonly settledMs: number;
};
/**
 * `count`: all in the state. `moreAfterId`: the question goes on behind this one, for there was
 * much to pass over; `null`: it does not.
 */
export type HalvesAnswer = {
  readonly halves: readonly HalfView[];
  readonly count: number;
  readonly moreAfterId: number | null;
};

/** Producers were really asked about these half messages; `intervalMs`: until the next time. */
export type CheckedAsk = { readonly ids: readonly number[]; readonly intervalMs: number };

/** Parked half messages are asked about again, from the beginning. `ids` `null`: all of them. */
export type RearmAsk = { readonly ids: readonly number[] | null; readonly countMax: number };
/** `more`: of all, some are left for the next request. */
export type RearmAnswer = { readonly rearmed: number; readonly more: boolean };

/** A question to a producer: what became of this message's transaction? */
export type HalfCheck = {
  readonly id: number;
  readonly queueKey: number;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly createdMs: number;
  /** How often it was asked before. */
  readonly checks: number;
  readonly checkUrl: string | null;
  /** The stored record in base64. */
  readonly record: string;
};

/** The operations of transactions, for the table of the shard's operations. */
export const transactionOperations = {
  prepare: { request: jsonAndBlob<PrepareAsk>(), answer: json<PrepareAnswer>() },
  settleHalf: jsonOperation<SettleHalfAsk, SettleHalfAnswer>(),
  halves: jsonOperation<HalvesAsk, HalvesAnswer>(),
  checked: jsonOperation<CheckedAsk, null>(),
  rearm: jsonOperation<RearmAsk, RearmAnswer>(),
};
