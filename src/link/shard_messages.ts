/**
 * Every request to a shard, in one table: name → what is asked, what is answered, how it travels.
 * A queue is named by its `queueKey`, a group by its `groupKey`; names never reach a shard.
 *
 * @module
 */
import type { ByteReader, ByteWriter } from "../base/bytes.ts";
import type { Durability } from "../model/durability.ts";

import type { DiskSpace } from "../ports/files.ts";
import type { PlaceEvent } from "../ports/shard_store.ts";
import type { RetryBackoff } from "../model/group.ts";
import type { Filter } from "../model/subscription.ts";
import { json, jsonAndBlob, jsonOperation, type OperationCodec } from "./codec.ts";
import { explainOperations } from "./explain_messages.ts";
import { deadLetterOperations } from "./dead_letter_messages.ts";
import type { KnownAsk, Repeat, RepeatRule } from "./repeats.ts";
import { timerOperations } from "./timer_messages.ts";
import { transactionOperations } from "./transaction_messages.ts";

/**
 * Appends messages to one queue, all or none. Each `records` element is a whole stored record whose
 * queue offset, physical offset and stored time the shard fills in.
 */
export type AppendRequest = {
  readonly queueKey: number;
  readonly durability: Durability;
  readonly tagHashes: readonly number[];
  readonly records: readonly Uint8Array[];
  /** `null`: every message is new, whatever its id. */
  readonly repeats: RepeatRule | null;
};
/** The messages that are no repeats stand one after the other from `firstOffset` on. */
export type AppendAnswer = {
  readonly firstOffset: number;
  readonly firstPosition: number;
  readonly storedMs: number;
  readonly repeats: readonly Repeat[];
};

/** Reads a queue from `offset`. `waitMs` 0 answers at once. */
export type PullAsk = {
  readonly queueKey: number;
  readonly offset: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly filter: Filter;
  /** The topic's time to live; a message's own is in its properties. `null`: none. */
  readonly ttlMs: number | null;
  readonly waitMs: number;
};
/** `empty`: nothing new; `filtered`: read on from `nextOffset`; `outside`: no such offset. */
export type PullOutcome = "found" | "empty" | "filtered" | "outside";
/** What a pull came to. The records follow as one blob, back to back, `count` of them. */
export type PullHead = {
  readonly outcome: PullOutcome;
  readonly nextOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly count: number;
};

/** How long a group waits between deliveries (see `core/retry.ts`). */
export type RetryPolicy = {
  readonly retryDelaysMs: readonly number[];
  readonly retryBackoff: RetryBackoff | null;
};

/** What a shard must know of a group to deliver to it. Travels along, so nothing is looked up. */
export type DeliveryPolicy = {
  readonly attemptsMax: number;
  readonly startFrom: "earliest" | "latest";
  /** Of every sharding key at most one message is out. */
  readonly ordered: boolean;
  /** The topic's time to live; a message's own is in its properties. `null`: none. */
  readonly ttlMs: number | null;
  /** Where messages go after their last attempt; a queue of the same shard. */
  readonly deadLetterQueueKey: number;
  readonly deadLetterTopic: string;
};
/** Leases messages to one consumer of a group for `invisibleMs`. */
export type ReceiveAsk = {
  readonly groupKey: number;
  readonly queueKeys: readonly number[];
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly invisibleMs: number;
  readonly waitMs: number;
  readonly filter: Filter;
  /** What other members of the group want: what only they want is kept for them. */
  readonly otherFilters: readonly Filter[];
  readonly clientId: string;
  readonly policy: DeliveryPolicy;
};
/** One leased message; `lease` is a number of its own for each delivery. */
export type Delivery = {
  readonly queueKey: number;
  readonly offset: number;
  readonly attempt: number;
  readonly lease: number;
  readonly invisibleUntilMs: number;
  readonly bytes: number;
};
/** What was leased. The records follow as one blob, in the same order, `bytes` each. */
export type ReceiveHead = { readonly deliveries: readonly Delivery[] };

/** Names one delivery: the lease must still be the message's newest. */
export type LeaseRef = {
  readonly queueKey: number;
  readonly offset: number;
  readonly lease: number;
};
/** `done` also for an acknowledgement repeated; `expired`: another delivery has begun since. */
export type LeaseVerdict = "done" | "expired";
/** What a group says of deliveries it was given. */
export type SettleAsk = { readonly groupKey: number; readonly leases: readonly LeaseRef[] };
/** One verdict for each lease, in the order asked. */
export type SettleAnswer = { readonly verdicts: readonly LeaseVerdict[] };
/** `delayMs` `null`: by the group's ladder and the attempts so far. 0: at once. */
export type NackAsk = SettleAsk & {
  readonly delayMs: number | null;
  /** Nobody was shown the messages: the delivery does not count as an attempt. */
  readonly unseen: boolean;
  readonly retry: RetryPolicy;
  /** After the last attempt there is nothing to wait for: whoever asks next sees it given up. */
  readonly attemptsMax: number;
};
/** Holds deliveries for `invisibleMs` more, counted from the turn's time. */
export type ExtendAsk = SettleAsk & { readonly invisibleMs: number };
/** `invisibleUntilMs` counts for those whose verdict is `done`. */
export type ExtendAnswer = SettleAnswer & { readonly invisibleUntilMs: number };

/** A pulling consumer gives a message back (remoting 36): again after `delayMs`, or dead. */
export type SendBackAsk = {
  readonly position: number;
  readonly retryQueueKey: number;
  readonly retryTopic: string;
  readonly deadLetterQueueKey: number;
  readonly deadLetterTopic: string;
  /** Retries after which the message is dead; negative delay: dead at once. */
  readonly retriesMax: number;
  /** `null`: by the ladder `retryDelaysMs` and the times it came back. */
  readonly delayMs: number | null;
  readonly retry: RetryPolicy;
};
/** Where the message went. `dueMs`: when it comes again; for a dead one, the turn's time. */
export type SendBackAnswer = { readonly outcome: "retry" | "dead"; readonly dueMs: number };

/** A group's place in one queue. `next` `null`: it has none yet. */
export type GroupPlace = {
  readonly queueKey: number;
  readonly next: number | null;
  /** The smallest offset not finished: `next`, or the oldest open delivery. */
  readonly committed: number | null;
  readonly openDeliveries: number;
  /** Since the shard started: messages nobody of the group wanted, and messages that expired. */
  readonly unmatched: number;
  readonly expired: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};
/** A group's places in these queues, all of the shard that is asked. */
export type PlacesAsk = { readonly groupKey: number; readonly queueKeys: readonly number[] };
/** Every place these groups have in the shard; at most `limits.groupsPerPlacesAskMax` groups. */
export type GroupPlacesAsk = { readonly groupKeys: readonly number[] };
/** By group, in the order asked: only where it has a place. */
export type GroupPlacesAnswer = readonly (readonly GroupPlace[])[];
/**
 * Whether a group would be handed something in one of these queues; waits for it up to `waitMs`.
 * Nothing is handed out, and filters are not asked: it may be that nobody wants what is there.
 */
export type WatchAsk = PlacesAsk & {
  readonly ordered: boolean;
  readonly waitMs: number;
};
/** What a reset to these offsets would do: deliver once more, and never deliver. */
export type PreviewResetAsk = {
  readonly groupKey: number;
  readonly targets: readonly { readonly queueKey: number; readonly toOffset: number }[];
};
/** By target: messages delivered once more, and messages never delivered. */
export type PreviewResetAnswer = readonly {
  readonly replayed: number;
  readonly skipped: number;
}[];
/** Moves places of a group, and begins those it has not yet. */
export type CommitOffsetsAsk = {
  readonly groupKey: number;
  readonly offsets: readonly { readonly queueKey: number; readonly offset: number }[];
  /** With a reset, open deliveries are forgotten and the offset may go back. `null`: a commit. */
  readonly reset: PlaceReset | null;
};
/** `startFrom`: where a group without a place would have begun, and undoing puts it back to. */
export type PlaceReset = {
  readonly kind: "reset" | "clone";
  readonly by: string;
  readonly startFrom: "earliest" | "latest";
};
/** Takes the newest reset or clone of each queue back. Leases given before it stay worthless. */
export type UndoAsk = PlacesAsk & { readonly by: string };
/** The queues that were put back. */
export type UndoAnswer = {
  readonly undone: readonly {
    readonly queueKey: number;
    readonly fromOffset: number;
    readonly toOffset: number;
  }[];
};
/** What was done to a group's places, newest first for each queue. */
export type PlaceEventsAsk = PlacesAsk & { readonly eventsMax: number };
/** An event without what it would take to undo it. */
export type PlaceEventView = Omit<PlaceEvent, "before">;

/** The message a key of an ordered group is parked on. `behind`: messages of the key that wait. */
export type ParkedKey = {
  readonly queueKey: number;
  readonly offset: number;
  readonly key: string;
  readonly messageId: string;
  readonly attempts: number;
  readonly behind: number;
};
/** The parked keys of a group, at most `keysMax`. */
export type ParkedKeysAsk = PlacesAsk & { readonly keysMax: number };
/** What an operator decides about a parked key. */
export type SettleKeyAsk = {
  readonly groupKey: number;
  readonly queueKey: number;
  readonly offset: number;
  readonly action: "retry" | "skip" | "bury";
  readonly by: string;
  readonly deadLetterQueueKey: number;
  readonly deadLetterTopic: string;
};
/** `not-parked`: somebody decided before. */
export type SettleKeyAnswer = { readonly verdict: "done" | "not-parked" };
/** The offsets a queue holds: from `minOffset` to before `maxOffset`. */
export type QueueRange = {
  readonly queueKey: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};

/** Looks messages up. Answers whole records; the caller compares ids and keys exactly. */
export type FindAsk =
  | { readonly by: "position"; readonly position: number }
  | { readonly by: "key"; readonly key: string; readonly messagesMax: number }
  | {
    readonly by: "time";
    readonly queueKey: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly messagesMax: number;
  };
/** The queue of each record that follows, back to back. */
export type FindHead = { readonly queueKeys: readonly number[] };

/**
 * A shard's figures: the first group as it is now, from `turns` on counted since its thread
 * started. `reason` says why `state` is not `ok`.
 */
export type ShardStats = {
  readonly state: "ok" | "refusing" | "stopped" | "damaged";
  readonly reason: string;
  readonly messages: number;
  readonly logBytes: number;
  readonly walBytes: number;
  readonly delayed: number;
  readonly parked: number;
  readonly openDeliveries: number;
  readonly turns: number;
  readonly commits: number;
  readonly appended: number;
  readonly delivered: number;
  readonly commitMsTotal: number;
  readonly damagedReads: number;
  /** Messages that groups passed over since the start: nobody of the group wanted them. */
  readonly unmatched: number;
  /** Messages passed over since the start, by groups and by pulls: their time was over. */
  readonly expired: number;
  /** Queues of deleted topics whose messages are still being dropped. */
  readonly dropping: number;
  /** Messages of deleted topics that waited for their time or verdict, dropped since the start. */
  readonly dropped: number;
  /** When the oldest message was stored; `null`: none is kept. */
  readonly firstStoredMs: number | null;
  /** The disk when the shard last looked at it; `null`: the system does not tell. */
  readonly disk: DiskSpace | null;
};

const noRepeats: readonly Repeat[] = [];

const appendCodec: OperationCodec<AppendRequest, AppendAnswer> = {
  request: { write: writeAppend, read: readAppend },
  answer: {
    write: (writer, answer) => {
      writer.f64(answer.firstOffset);
      writer.f64(answer.firstPosition);
      writer.f64(answer.storedMs);
      if (answer.repeats.length > 0) writer.text32(JSON.stringify(answer.repeats));
    },
    read: (reader) => ({
      firstOffset: reader.f64(),
      firstPosition: reader.f64(),
      storedMs: reader.f64(),
      repeats: reader.left === 0 ? noRepeats : JSON.parse(reader.text32()) as Repeat[],
    }),
  },
};

function writeAppend(writer: ByteWriter, request: AppendRequest): void {
  writer.u32(request.queueKey);
  const { repeats } = request;
  writer.u8((request.durability === "power-loss" ? 1 : 0) | (repeats === null ? 0 : 2));
  if (repeats !== null) writer.text32(JSON.stringify(repeats));
  writer.u32(request.records.length);
  for (let index = 0; index < request.records.length; index++) {
    writer.i32(request.tagHashes[index] ?? 0);
    writer.bytes32(request.records[index]!); // `index` is below the length
  }
}

function readAppend(reader: ByteReader): AppendRequest {
  const queueKey = reader.u32();
  const flags = reader.u8();
  const durability = (flags & 1) === 1 ? "power-loss" : "process-crash";
  const repeats = (flags & 2) === 2 ? JSON.parse(reader.text32()) as RepeatRule : null;
  const count = reader.u32();
  // The number came from the other thread, which wrote that many.
  const tagHashes = new Array<number>(count);
  const records = new Array<Uint8Array>(count);
  for (let index = 0; index < count; index++) {
    tagHashes[index] = reader.i32();
    records[index] = reader.bytes32();
  }
  return { queueKey, durability, tagHashes, records, repeats };
}

/** The operations of a shard. The order is the number on the border: only ever add at the end. */
export const shardOperations = {
  append: appendCodec,
  pull: { request: json<PullAsk>(), answer: jsonAndBlob<PullHead>() },
  receive: { request: json<ReceiveAsk>(), answer: jsonAndBlob<ReceiveHead>() },
  ack: jsonOperation<SettleAsk, SettleAnswer>(),
  nack: jsonOperation<NackAsk, SettleAnswer>(),
  extend: jsonOperation<ExtendAsk, ExtendAnswer>(),
  sendBack: jsonOperation<SendBackAsk, SendBackAnswer>(),
  places: jsonOperation<PlacesAsk, readonly GroupPlace[]>(),
  commitOffsets: jsonOperation<CommitOffsetsAsk, null>(),
  undoReset: jsonOperation<UndoAsk, UndoAnswer>(),
  placeEvents: jsonOperation<PlaceEventsAsk, readonly PlaceEventView[]>(),
  parkedKeys: jsonOperation<ParkedKeysAsk, readonly ParkedKey[]>(),
  settleKey: jsonOperation<SettleKeyAsk, SettleKeyAnswer>(),
  ranges: jsonOperation<{ readonly queueKeys: readonly number[] }, readonly QueueRange[]>(),
  offsetAtTime: jsonOperation<{ readonly queueKey: number; readonly ms: number }, number>(),
  find: { request: json<FindAsk>(), answer: jsonAndBlob<FindHead>() },
  dropQueues: jsonOperation<{ readonly queueKeys: readonly number[] }, null>(),
  dropGroup: jsonOperation<{ readonly groupKey: number }, null>(),
  stats: jsonOperation<null, ShardStats>(),
  /** Forgets a parked request: its client is gone. Answered, so that credits stay simple. */
  forget: jsonOperation<{ readonly id: number }, null>(),
  /** No new work is taken, what is parked is answered as empty, the store is closed. */
  drain: jsonOperation<null, null>(),
  ...timerOperations,
  ...transactionOperations,
  ...deadLetterOperations,
  ...explainOperations,
  previewReset: jsonOperation<PreviewResetAsk, PreviewResetAnswer>(),
  groupPlaces: jsonOperation<GroupPlacesAsk, GroupPlacesAnswer>(),
  watch: jsonOperation<WatchAsk, boolean>(),
  known: jsonOperation<KnownAsk, readonly Repeat[]>(),
};

/** Name → request and answer types, derived from the table. */
export type ShardOperations = typeof shardOperations;
