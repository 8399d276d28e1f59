/** What the broker in memory is made of. @module */
import { ByteWriter } from "../../src/base/bytes.ts";
import type { FoundMessage, PullRequest, PullResult, QueuePlace } from "../../src/broker/broker.ts";
import type { DeadLetterDesk } from "../../src/broker/dead_letter_desk.ts";
import type { TimerDoor } from "../../src/broker/timer_door.ts";
import type { TransactionDoor } from "../../src/broker/transaction_door.ts";
import { accepts } from "../../src/core/filter.ts";
import { BrokerError } from "../../src/model/errors.ts";
import type { NewMessage } from "../../src/model/message.ts";
import { readProperty } from "../../src/model/properties.ts";
import { type RecordFields, recordProperties, writeRecord } from "../../src/model/record.ts";
import type { Filter } from "../../src/model/subscription.ts";
import type { TopicSettings } from "../../src/model/topic.ts";

/** What a topic is made of unless told otherwise. */
export const topicDefaults: TopicSettings = {
  queues: 4,
  durability: "power-loss",
  retentionMs: 3_600_000,
  retentionBytes: null,
  deleteUnread: false,
  ordered: false,
  messageTtlMs: null,
  dedupe: "explicit",
  perm: 6,
  attributes: {},
};

/** One queue; what is below `minOffset` is deleted. */
export type Queue = { minOffset: number; readonly records: Uint8Array[] };
/** Where a message is. */
export type Stored = { readonly topic: string; readonly queueId: number; readonly offset: number };
/** One delivery that is not settled. */
export type Lease = Stored & { readonly untilMs: number; readonly lease: number };
/** Where a group is in a queue. */
export type Place = { next: number; again: { offset: number; dueMs: number }[] };
/** All a group has. */
export type GroupState = {
  readonly places: Map<string, Place>;
  readonly leases: Map<string, Lease>;
  readonly attempts: Map<string, number>;
};

/** Whether the filter lets the record through. */
export function passes(filter: Filter, record: Uint8Array): boolean {
  if (filter.kind === "all") return true;
  if (filter.kind === "sql") return accepts(filter, 0, () => recordProperties(record, 0));
  return filter.tags.includes(readProperty(recordProperties(record, 0), "TAGS") ?? "");
}

/** Does the work in a later turn, as a broker behind threads would. */
export async function later<Value>(work: () => Value): Promise<Value> {
  await Promise.resolve();
  return work();
}

/** What this broker does not do. */
export function absent(): Promise<never> {
  return Promise.reject(new BrokerError("not_supported", "The broker in memory does not do this"));
}

/** Timers are the shards' business: tests of them have shards. */
export const absentTimers: TimerDoor = {
  list: absent,
  find: absent,
  cancel: absent,
  move: absent,
};

/** The same for transactions. */
export const absentTransactions: TransactionDoor = {
  prepare: absent,
  settle: absent,
  settleAt: absent,
  list: absent,
  find: absent,
  rearm: absent,
  rearmAt: absent,
  collectChecks: absent,
  onChecks: () => () => {},
};

/** The same for dead letters. */
export const absentDeadLetters: DeadLetterDesk = {
  list: absent,
  find: absent,
  redrive: absent,
  redrives: () => [],
  stopRedrive: () => {
    throw new BrokerError("not_supported", "The broker in memory does not do this");
  },
  purge: absent,
};

/** A message as a broker stores it. */
export function recordOf(
  message: NewMessage,
  topic: string,
  place: Pick<
    RecordFields,
    "queueId" | "queueOffset" | "physicalOffset" | "storedMs" | "storeHost"
  >,
): Uint8Array {
  const writer = new ByteWriter();
  writeRecord(writer, { ...message, ...place, topic, preparedTransactionOffset: 0 });
  return writer.view().slice();
}

/** What a pull finds; `undefined`: nothing yet, and it may wait. */
export function pulled(
  { records, minOffset }: Queue,
  { offset, filter, messagesMax, bytesMax }: PullRequest,
  isLast: boolean,
): PullResult | undefined {
  const maxOffset = records.length;
  const none = { records: new Uint8Array(0), count: 0, nextOffset: offset, minOffset, maxOffset };
  if (offset < minOffset || offset > maxOffset) return { ...none, outcome: "outside" };
  if (offset === maxOffset) return isLast ? { ...none, outcome: "empty" } : undefined;
  const writer = new ByteWriter();
  let count = 0;
  let next = offset;
  while (next < maxOffset && count < messagesMax && writer.length < bytesMax) {
    const record = records[next++]!;
    if (!passes(filter, record)) continue;
    writer.put(record);
    count++;
  }
  const outcome = count > 0 ? "found" : "filtered";
  return { ...none, outcome, records: writer.view().slice(), count, nextOffset: next };
}

/** The records of a topic, or of all topics, that are wanted. */
export function found(
  queues: ReadonlyMap<string, readonly Queue[]>,
  topic: string | null,
  wanted: (record: Uint8Array) => boolean,
): FoundMessage[] {
  return [...queues].filter(([name]) => topic === null || name === topic)
    .flatMap(([name, ofTopic]) =>
      ofTopic.flatMap(({ records }, queueId) =>
        records.filter(wanted).map((record) => ({ topic: name, queueId, record }))
      )
    );
}

/** Ends a lease, and does what follows from it. */
export function settled(
  { leases }: GroupState,
  group: string,
  receipt: string,
  then: (lease: Lease) => void,
) {
  if (!receipt.startsWith(`${group}:`)) return { receipt, verdict: "invalid" } as const;
  const lease = leases.get(receipt);
  if (!lease) return { receipt, verdict: "expired" } as const;
  leases.delete(receipt);
  then(lease);
  return { receipt, verdict: "done" } as const;
}

/** Where a group is in a queue, as the door tells it. */
export function placeOf(
  topic: string,
  queueId: number,
  { minOffset, records }: Queue,
  state: GroupState,
): QueuePlace {
  const nextOffset = state.places.get(`${topic}/${queueId}`)?.next ?? null;
  const open = [...state.leases.values()]
    .filter((lease) => lease.topic === topic && lease.queueId === queueId);
  const committedOffset = nextOffset === null
    ? null
    : Math.min(nextOffset, ...open.map(({ offset }) => offset));
  const maxOffset = records.length;
  const lag = maxOffset - (committedOffset ?? minOffset);
  const openDeliveries = open.length;
  const offsets = { committedOffset, nextOffset, openDeliveries, minOffset, maxOffset, lag };
  return { topic, queueId, ...offsets, unmatched: 0, expired: 0 };
}
