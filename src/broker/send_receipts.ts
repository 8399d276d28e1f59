/** What shards answer → the receipts of a send. @module */
import { packPhysicalOffset } from "../model/message_id.ts";
import type { SendReceipt } from "../model/message.ts";
import type { Repeat } from "../link/repeats.ts";
import type { AppendAnswer } from "../link/shard_messages.ts";
import type { ScheduleVerdict } from "../link/timer_messages.ts";
import type { KnownPlace, KnownPlaces } from "./former_places.ts";

/** The receipts of all messages: of those that were stored now, and of those that were before. */
export function withKnown(
  stored: readonly SendReceipt[],
  ids: readonly string[],
  known: KnownPlaces,
  survived: SendReceipt["survived"],
): SendReceipt[] {
  let next = 0;
  return ids.map((messageId, index) => {
    const place = known.get(index);
    return place === undefined ? stored[next++]! : repeatedReceipt(messageId, place, survived);
  });
}

function repeatedReceipt(
  messageId: string,
  { queueId, offset, position, storedMs, shard }: KnownPlace,
  survived: SendReceipt["survived"],
): SendReceipt {
  const physicalOffset = packPhysicalOffset(shard, position);
  return { messageId, queueId, offset, physicalOffset, storedMs, survived, repeated: true };
}

const noRepeats: ReadonlyMap<number, Repeat> = new Map();

/** The receipts of messages that one shard was asked to append. */
export function receiptsOf(
  { firstOffset, firstPosition, storedMs, repeats }: AppendAnswer,
  messageIds: readonly string[],
  { queueId, shard, survived }: {
    readonly queueId: number;
    readonly shard: number;
    readonly survived: SendReceipt["survived"];
  },
): SendReceipt[] {
  const known = repeats.length === 0
    ? noRepeats
    : new Map(repeats.map((repeat) => [repeat.index, repeat]));
  let fresh = 0;
  return messageIds.map((messageId, index) => {
    const repeat = known.get(index);
    if (repeat !== undefined) {
      return repeatedReceipt(messageId, { ...repeat, shard }, survived);
    }
    const offset = firstOffset + fresh;
    const physicalOffset = packPhysicalOffset(shard, firstPosition + fresh);
    fresh++;
    return { messageId, queueId, offset, physicalOffset, storedMs, survived, repeated: false };
  });
}

/** The receipt of a timed message: where it is, or when it will be visible. */
export function timedReceiptOf(
  messageId: string,
  verdict: ScheduleVerdict,
  { shard, survived, ...told }: {
    readonly queueId: number;
    readonly storedMs: number;
    readonly shard: number;
    readonly survived: SendReceipt["survived"];
  },
): SendReceipt {
  if (verdict.kind === "repeated") {
    return repeatedReceipt(messageId, { ...verdict, shard }, survived);
  }
  const { replacedMessageId } = verdict;
  const replaced = replacedMessageId === null ? {} : { replacedMessageId };
  const common = { messageId, ...told, ...replaced, survived, repeated: false };
  if (verdict.kind === "scheduled") {
    return { ...common, offset: null, physicalOffset: null, deliverAtMs: verdict.dueMs };
  }
  const { offset, position } = verdict;
  return { ...common, offset, physicalOffset: packPhysicalOffset(shard, position) };
}
