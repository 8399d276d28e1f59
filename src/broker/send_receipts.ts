/** What shards answer → the receipts of a send. @module */
import { packPhysicalOffset } from "../model/message_id.ts";
import type { SendReceipt } from "../model/message.ts";
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
  const known = new Map(repeats.map((repeat) => [repeat.index, repeat]));
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

/** Where a timed message is, and when it will be visible. */
export function placeOf(verdict: ScheduleVerdict, shard: number) {
  const { replacedMessageId } = verdict;
  const replaced = replacedMessageId === null ? {} : { replacedMessageId };
  if (verdict.kind === "scheduled") {
    return { offset: null, physicalOffset: null, deliverAtMs: verdict.dueMs, ...replaced };
  }
  const { offset, position } = verdict;
  return { offset, physicalOffset: packPhysicalOffset(shard, position), ...replaced };
}
