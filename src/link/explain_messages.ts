/** What a shard is asked when somebody wants to know why a message was not delivered. @module */
import type { PlaceFacts } from "../model/explanation.ts";
import type { Filter } from "../model/subscription.ts";
import { jsonOperation } from "./codec.ts";
import type { HalfView } from "./transaction_messages.ts";
import type { PendingTimer } from "./timer_messages.ts";

/** One place of a queue, and a group there. */
export type ExplainPlaceAsk = {
  readonly groupKey: number;
  readonly queueKey: number;
  readonly offset: number;
  readonly ordered: boolean;
  /** The topic's time to live; a message's own is in its properties. */
  readonly ttlMs: number | null;
  /** Which of these let the message through? */
  readonly filters: readonly Filter[];
  /** Where copies wait that the group's pulling consumers sent back; `null`: nowhere here. */
  readonly retryQueueKey: number | null;
};

/** A message by its id, among those that are in no queue yet. */
export type ExplainWaitingAsk = {
  readonly messageId: string;
  readonly queueKeys: readonly number[];
};
/** At most one of the two is there: `null` where nothing is. */
export type ExplainWaitingAnswer = {
  readonly timer: PendingTimer | null;
  readonly half: HalfView | null;
};

/** The operations of explaining, for the table of the shard's operations. */
export const explainOperations = {
  explainPlace: jsonOperation<ExplainPlaceAsk, PlaceFacts>(),
  explainWaiting: jsonOperation<ExplainWaitingAsk, ExplainWaitingAnswer>(),
};
