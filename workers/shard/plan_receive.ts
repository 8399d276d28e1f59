/** Leasing messages of a topic to one consumer of a group. @module */
import type { Deliveries } from "../../src/core/deliveries.ts";
import type { Delivery, ReceiveAsk } from "../../src/link/shard_messages.ts";
import type { TurnDraft } from "./draft.ts";
import { type Gathered, HandOut, type HandOutParts } from "./hand_out.ts";
import { join } from "./read.ts";

/** What a receive answers once the turn is committed. The records are copied: views end with it. */
export type PlannedReceive = {
  readonly deliveries: readonly Delivery[];
  readonly blob: Uint8Array;
};

/**
 * Leases up to `messagesMax` messages. The queues are visited from `turnNumber` on in a circle, so
 * that none starves.
 *
 * @throws {BrokerError} `group_not_found`, `topic_not_found`: it was deleted meanwhile.
 */
export function planReceive(
  ask: ReceiveAsk,
  parts: Omit<HandOutParts, "ask">,
  turnNumber: number,
): PlannedReceive {
  const { state } = parts;
  state.needGroup(ask.groupKey);
  for (const queueKey of ask.queueKeys) state.needQueue(queueKey);
  const gathered: Gathered = {
    deliveries: [],
    records: [],
    bytes: 0,
    looked: 0,
    readBytes: 0,
    buried: 0,
  };
  const count = ask.queueKeys.length;
  for (let step = 0; step < count && gathered.deliveries.length < ask.messagesMax; step++) {
    const queueKey = ask.queueKeys[(turnNumber + step) % count]!;
    const deliveries = placeOf(ask, parts, queueKey);
    state.notes.asked(deliveries, parts.draft.nowMs, ask.clientId);
    new HandOut({ ask, ...parts }, queueKey, deliveries, gathered).run();
  }
  return { deliveries: gathered.deliveries, blob: join(gathered.records) };
}

/** Where the group stands in the queue; a group that comes for the first time is given a place. */
function placeOf(
  ask: ReceiveAsk,
  { draft, state, store }: Omit<HandOutParts, "ask">,
  queueKey: number,
): Deliveries {
  const known = state.deliveries(ask.groupKey, queueKey);
  if (known !== undefined) return known;
  // A place keeps retention from what the group has not read: a power cut must not take it.
  draft.mustSurvive("power-loss");
  const first = ask.policy.startFrom === "earliest"
    ? store.minOffset(queueKey)
    : store.maxOffset(queueKey);
  if (first > 0) noteBeginning(draft, ask, queueKey, first);
  return state.begin(ask.groupKey, queueKey, first);
}

/** What lies before a group's first place is never delivered to it: somebody may ask why. */
function noteBeginning(
  draft: TurnDraft,
  { groupKey, clientId }: ReceiveAsk,
  queueKey: number,
  first: number,
): void {
  const span = { fromOffset: first, toOffset: first, before: new Uint8Array(0) };
  draft.note({ groupKey, queueKey, kind: "began", by: clientId, ...span });
}
