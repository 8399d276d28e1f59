/**
 * The operations that write: each planned into the turn's draft, each with a reply for afterwards.
 *
 * @module
 */
import { unreachable } from "../../src/base/assert.ts";
import type { ReceiveAsk, ShardOperations } from "../../src/link/shard_messages.ts";
import type { AnswerOf } from "../../src/link/client.ts";
import type { Asked, LinkServer } from "../../src/link/server.ts";
import type { ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { planAppend } from "./plan_append.ts";
import { planSettleKey } from "./plan_keys.ts";
import { planPurgeLetters, planRedrive } from "./plan_letters.ts";
import { planOffsets, planUndo } from "./plan_places.ts";
import { planReceive } from "./plan_receive.ts";
import { planSendBack } from "./plan_send_back.ts";
import { planAck, planExtend, planNack } from "./plan_settle.ts";
import { planChangeTimer, planSchedule } from "./plan_timers.ts";
import { planChecked, planPrepare, planRearm, planSettleHalf } from "./plan_transactions.ts";
import type { ShardState } from "./state.ts";

const workNames = [
  "append",
  "receive",
  "ack",
  "nack",
  "extend",
  "sendBack",
  "commitOffsets",
  "undoReset",
  "settleKey",
  "schedule",
  "changeTimer",
  "prepare",
  "settleHalf",
  "checked",
  "rearm",
  "redrive",
  "purgeLetters",
] as const;

/** Names of the operations that need a commit before they are answered. */
export type WorkName = typeof workNames[number];
/** What a shard is asked. */
export type Arrival = Asked<ShardOperations>;

/** A request that writes. `waiting`: it was parked before and keeps its deadline and place. */
export type Work = Extract<Arrival, { name: WorkName }> & {
  readonly waiting?: { readonly deadlineMs: number; readonly sequence: number };
};

/** What giving a reply came to. `park`: nothing was found, and the asker waits. */
export type ReplyOutcome = { readonly delivered: number; readonly park: ReceiveAsk | null };

/** A planned request. `reply` is called once, after the commit. */
export type Planned = {
  readonly work: Work;
  readonly reply: (server: LinkServer<ShardOperations>) => ReplyOutcome;
};

/** What planning works on. */
export type PlanParts = {
  readonly draft: TurnDraft;
  readonly state: ShardState;
  readonly store: ShardStore;
  readonly shard: number;
  /** False: the disk has no room for dead letters. */
  readonly mayBury: boolean;
};

const works: ReadonlySet<string> = new Set(workNames);

/** Whether it needs a commit before it is answered. */
export function isWork(asked: Arrival): asked is Extract<Arrival, { name: WorkName }> {
  return works.has(asked.name);
}

const given: ReplyOutcome = { delivered: 0, park: null };

/** Plans one request. @throws {BrokerError} It cannot be fulfilled; nothing of it was planned. */
export function planWork(work: Work, parts: PlanParts, turnNumber: number): Planned {
  const { draft, state, store, shard } = parts;
  switch (work.name) {
    case "append":
      state.needQueue(work.request.queueKey);
      return answered(work, "append", planAppend(parts, work.request));
    case "ack":
      return answered(work, "ack", planAck(state, work.request));
    case "nack":
      return answered(work, "nack", planNack(state, draft, work.request));
    case "extend":
      return answered(work, "extend", planExtend(state, draft, work.request));
    case "commitOffsets":
      return answered(work, "commitOffsets", planOffsets(state, draft, store, work.request));
    case "undoReset":
      return answered(work, "undoReset", planUndo(state, draft, store, work.request));
    case "settleKey":
      return answered(work, "settleKey", planSettleKey(state, draft, store, shard, work.request));
    case "sendBack":
      state.needQueue(work.request.retryQueueKey);
      return answered(work, "sendBack", planSendBack(draft, store, shard, work.request));
    case "schedule":
      state.needQueue(work.request.head.queueKey);
      return answered(work, "schedule", planSchedule(parts, work.request));
    case "changeTimer":
      return answered(work, "changeTimer", planChangeTimer(draft, store, work.request));
    case "prepare":
      state.needQueue(work.request.head.queueKey);
      return answered(work, "prepare", planPrepare(parts, work.request));
    case "settleHalf":
      return answered(work, "settleHalf", planSettleHalf(parts, work.request));
    case "checked":
      return answered(work, "checked", planChecked(parts, work.request));
    case "rearm":
      return answered(work, "rearm", planRearm(parts, work.request));
    case "redrive":
      return answered(work, "redrive", planRedrive(state, draft, store, work.request));
    case "purgeLetters":
      return answered(work, "purgeLetters", planPurgeLetters(state, draft, store, work.request));
    case "receive":
      return planLease(work, work.request, parts, turnNumber);
    default:
      return unreachable(work);
  }
}

function answered<N extends WorkName>(
  work: Work,
  name: N,
  answer: AnswerOf<ShardOperations, N>,
): Planned {
  const reply = (server: LinkServer<ShardOperations>): ReplyOutcome => {
    server.answer(name, work.id, answer);
    return given;
  };
  return { work, reply };
}

function planLease(work: Work, ask: ReceiveAsk, parts: PlanParts, turnNumber: number): Planned {
  const { deliveries, blob } = planReceive(ask, parts, turnNumber);
  const reply = (server: LinkServer<ShardOperations>): ReplyOutcome => {
    if (deliveries.length === 0 && ask.waitMs > 0) return { delivered: 0, park: ask };
    server.answer("receive", work.id, { head: { deliveries }, blob });
    return { delivered: deliveries.length, park: null };
  };
  return { work, reply };
}
