/** What consumers say of messages they were leased, and of their offsets. @module */
import { isExhausted, lotOf, retryDelayMs } from "../../src/core/retry.ts";
import type {
  ExtendAnswer,
  ExtendAsk,
  LeaseRef,
  LeaseVerdict,
  NackAsk,
  SettleAnswer,
  SettleAsk,
} from "../../src/link/shard_messages.ts";
import type { Deliveries } from "../../src/core/deliveries.ts";
import type { TurnDraft } from "./draft.ts";
import type { ShardState } from "./state.ts";

/** Finishes messages. A receipt used twice is `done` twice. */
export function planAck(state: ShardState, ask: SettleAsk): SettleAnswer {
  return settle(state, ask, (deliveries, { queueKey, offset, lease }) => {
    if (!deliveries.acknowledge(offset, lease)) return false;
    state.finished(ask.groupKey, queueKey, offset);
    return true;
  });
}

/**
 * Gives messages back: to be handed out again after the asked delay, or the group's next one. What
 * nobody has seen was not tried: its attempt does not count. After the last attempt nothing is
 * waited for.
 */
export function planNack(state: ShardState, draft: TurnDraft, ask: NackAsk): SettleAnswer {
  return settle(state, ask, (deliveries, { offset, lease }) => {
    const attempts = deliveries.open(offset)?.attempts ?? 0;
    // An old receipt may name a message whose attempts began anew: its delay counts for nothing.
    const tried = Math.max(1, attempts);
    const delayMs = ask.delayMs ?? retryDelayMs(ask.retry, tried, lotOf(offset, tried));
    const counted = ask.unseen ? attempts - 1 : attempts;
    const waitMs = isExhausted(counted, ask.attemptsMax) ? 0 : delayMs;
    return deliveries.giveBack(offset, lease, draft.nowMs + waitMs, counted);
  });
}

/** Moves the end of leases to `invisibleMs` from now. */
export function planExtend(state: ShardState, draft: TurnDraft, ask: ExtendAsk): ExtendAnswer {
  const invisibleUntilMs = draft.nowMs + ask.invisibleMs;
  const { verdicts } = settle(state, ask, (deliveries, { offset, lease }) => {
    return deliveries.extend(offset, lease, invisibleUntilMs);
  });
  return { verdicts, invisibleUntilMs };
}

function settle(
  state: ShardState,
  ask: SettleAsk,
  step: (deliveries: Deliveries, ref: LeaseRef) => boolean,
): SettleAnswer {
  const verdicts = ask.leases.map((ref): LeaseVerdict => {
    const deliveries = state.deliveries(ask.groupKey, ref.queueKey);
    if (deliveries === undefined || !step(deliveries, ref)) return "expired";
    state.touch(ask.groupKey, ref.queueKey, deliveries);
    return "done";
  });
  return { verdicts };
}
