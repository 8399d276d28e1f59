/**
 * The door. Every protocol turns its requests into these operations and knows nothing behind them.
 *
 * Names come in, names go out: queue keys, group keys and shards stay inside. Every operation may
 * fail with a `BrokerError`; beside the codes named here with `too_busy`, `storage_failed`,
 * `shutting_down` and `internal`.
 *
 * @module
 */
import type { Survived } from "../model/durability.ts";
import type { Group, GroupSettings } from "../model/group.ts";
import type { NewMessage, SendReceipt } from "../model/message.ts";
import type { Expression, Filter } from "../model/subscription.ts";
import type { Topic, TopicSettings } from "../model/topic.ts";
import type {
  ConsumerMember,
  HeartbeatAnswer,
  HeartbeatAsk,
  LockAsk,
  Member,
  UnregisterAsk,
} from "../link/coordinator_messages.ts";
import type { PlaceEvent } from "../ports/shard_store.ts";
import type { DeadLetterDesk } from "./dead_letter_desk.ts";
import type { ExplainTarget, Explanation } from "../model/explanation.ts";
import type { MembersDoor } from "./members.ts";
import type { TimerDoor } from "./timer_door.ts";
import type { Traffic } from "./traffic.ts";
import type { TransactionDoor } from "./transaction_door.ts";
import type { LeaseVerdict, ParkedKey, PullOutcome, ShardStats } from "../link/shard_messages.ts";

/** Messages for one topic, appended to one queue, all or none, in order. */
export type SendRequest = {
  readonly topic: string;
  /** `null`: by `shardingKey`, or the queues in turn. */
  readonly queueId: number | null;
  readonly shardingKey?: string;
  /**
   * `queueId` was not chosen by anybody: each message's own id leads there, by the number of queues
   * that the topic has as the request is made.
   */
  readonly queueByIds?: boolean;
  /** Address the producer dialled: becomes the record's store host. */
  readonly storeHost: { readonly ip: string; readonly port: number };
  readonly messages: readonly NewMessage[];
  /** The ids in the messages were chosen by their producer, to be recognised by. */
  readonly ownIds?: boolean;
};

/** Reading one queue from an offset. */
export type PullRequest = {
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly filter: Filter;
  /** 0 to `limits.pollWaitMsMax`; 0 answers at once. */
  readonly waitMs: number;
  /** Aborted when the client is gone: the parked request is forgotten. */
  readonly signal?: AbortSignal;
  /** Who reads, for the statistics; absent: nobody who counts. */
  readonly group?: string;
};
/** `records`: the stored records back to back (protocol/remoting 4.1), a view. */
export type PullResult = {
  readonly outcome: PullOutcome;
  readonly records: Uint8Array;
  readonly count: number;
  readonly nextOffset: number;
  readonly minOffset: number;
  readonly maxOffset: number;
};

/** Leasing messages of a topic to one member of a group. */
export type ReceiveRequest = {
  /**
   * `broadcast`: the client has places of its own in the group, and gets every message. It is given
   * what it has until it acknowledges it: there is no last attempt, and nobody else to go to.
   */
  readonly mode?: "cluster" | "broadcast";
  readonly topic: string;
  /** Only from this queue; absent: from all of the topic. */
  readonly queueId?: number;
  readonly group: string;
  readonly clientId: string;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly invisibleMs: number;
  readonly waitMs: number;
  readonly filter: Filter;
  readonly signal?: AbortSignal;
};
/** Waiting for messages of a topic without taking any. */
export type WatchRequest = {
  readonly group: string;
  readonly topic: string;
  /** Only this queue; absent: all of the topic. */
  readonly queueId?: number;
  /** 0 to `limits.pollWaitMsMax`; 0 answers at once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
};
/** One message leased to a member: it comes to others unless it is acknowledged in time. */
export type ReceivedMessage = {
  readonly queueId: number;
  readonly offset: number;
  readonly attempt: number;
  readonly invisibleUntilMs: number;
  /** The number of this delivery; whole and within 2^53. */
  readonly lease: number;
  /** Signed; valid for this group and this delivery only. */
  readonly receipt: string;
  /** The stored record, a view. */
  readonly record: Uint8Array;
};

/** One delivery by what names it, for protocols whose clients cannot carry a receipt. */
export type LeaseName = {
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly lease: number;
};

/** What became of one receipt. */
export type ReceiptVerdict = {
  readonly receipt: string;
  readonly verdict: LeaseVerdict | "invalid";
};

/** A group's place in one queue of a topic. */
export type QueuePlace = {
  readonly topic: string;
  readonly queueId: number;
  /** First offset not finished by the group; `null`: the group has no place yet. */
  readonly committedOffset: number | null;
  /** First offset never delivered. */
  readonly nextOffset: number | null;
  readonly openDeliveries: number;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Messages not finished yet. */
  readonly lag: number;
  /** Since the shard started: messages nobody of the group wanted, and messages that expired. */
  readonly unmatched: number;
  readonly expired: number;
};

/** Where a reset goes: offsets of single queues, or a time for all queues of the topic. */
export type ResetTarget =
  | { readonly kind: "offset"; readonly queueId: number; readonly offset: number }
  | {
    readonly kind: "offsets";
    readonly offsets: readonly { readonly queueId: number; readonly offset: number }[];
  }
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "earliest" }
  | { readonly kind: "latest" };

/** What a reset would do in one queue. `fromOffset` `null`: the group has no place there yet. */
export type ResetPreview = {
  readonly queueId: number;
  readonly fromOffset: number | null;
  readonly toOffset: number;
  /** Messages that were handed out before and would be again. */
  readonly replayed: number;
  /** Messages the group has not finished and would not see. */
  readonly skipped: number;
};

/** Something done to a group's place: when, what, by whom. */
export type NamedPlaceEvent = {
  readonly queueId: number;
  readonly atMs: number;
  readonly kind: PlaceEvent["kind"];
  readonly by: string;
  readonly fromOffset: number;
  readonly toOffset: number;
};

/** A key of an ordered group that waits for an operator. */
export type NamedParkedKey = Omit<ParkedKey, "queueKey"> & {
  readonly topic: string;
  readonly queueId: number;
};

/** A message found by look-up. */
export type FoundMessage = {
  readonly topic: string;
  readonly queueId: number;
  readonly record: Uint8Array;
};

/** A message a pulling consumer could not process (remoting 36). */
export type SendBackRequest = {
  readonly group: string;
  readonly physicalOffset: number;
  /** `null`: by the group's ladder. Negative: dead at once. */
  readonly delayMs: number | null;
  /** `null`: by the group's settings. */
  readonly retriesMax: number | null;
  readonly originMessageId: string;
};

/** A message to which somebody is to reply, and how long to wait for it. */
export type ReplyRequest = Omit<SendRequest, "messages" | "ownIds"> & {
  readonly message: NewMessage;
  /** 1 to `limits.requestMsMax`. */
  readonly timeoutMs: number;
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal;
};
/** What a responder says. Its names are those the request's message shows. */
export type Reply = {
  readonly correlationId: string;
  readonly replyTo: string;
  readonly body: Uint8Array;
  /** In the text form of `model/properties.ts`. */
  readonly properties: string;
};
/** Brings replies to the clients of one protocol. */
export type ReplyCarrier = {
  /** Answers whether one of its clients is `replyTo`, and took the reply. */
  deliver(reply: Reply): Promise<boolean>;
};

/** Whether the broker can serve, and what is wrong if it cannot. */
export type Health = {
  readonly ready: boolean;
  readonly problems: readonly string[];
  readonly shards: readonly { readonly shard: number; readonly stats: ShardStats }[];
};

/** A group is put to these offsets of a topic, by a reset, a clone, or the undoing of one. */
export type PlacesMove = {
  readonly group: string;
  readonly topic: string;
  readonly offsets: readonly { readonly queueId: number; readonly offset: number }[];
};

/** What sessions are told without asking. */
export type BrokerNews = {
  /** The members of `group` changed: tell these connections. */
  membersChanged(group: string, connections: readonly number[]): void;
  /** Before the shards are asked: what members commit from now on comes from the old places. */
  placesMoving(move: PlacesMove): void;
  /** It is done: members are to go on from there. */
  placesMoved(move: PlacesMove): void;
  /** It failed for these queues: members go on from where they are. */
  placesStayed(move: PlacesMove): void;
};

/**
 * What a broker can be asked, by every protocol alike. Names are answered at once from the newest
 * snapshot; a change is in it when its promise resolves. What may wait takes a `signal`, and is
 * forgotten when it aborts.
 */
export interface Broker {
  readonly timers: TimerDoor;
  readonly transactions: TransactionDoor;
  readonly members: MembersDoor;

  /** What went in and out lately. */
  readonly traffic: Traffic;

  // Names. Answered from the newest snapshot, at once.
  topic(name: string): Topic | undefined;
  group(name: string): Group | undefined;
  topics(): readonly Topic[];
  groups(): readonly Group[];

  createTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic>;
  changeTopic(name: string, settings: Partial<TopicSettings>): Promise<Topic>;
  deleteTopic(name: string): Promise<void>;
  createGroup(name: string, settings: Partial<GroupSettings>): Promise<Group>;
  changeGroup(name: string, settings: Partial<GroupSettings>): Promise<Group>;
  deleteGroup(name: string): Promise<void>;
  /**
   * The topic, made on the fly when the settings allow it (`autoCreateTopics`, or a retry topic).
   */
  topicForSend(name: string, queues: number): Promise<Topic>;
  /** The group, made on the fly when `autoCreateGroups` allows it. @throws `group_not_found` */
  groupForUse(name: string): Promise<Group>;

  /**
   * @throws `topic_not_found`, `queue_not_found`, `no_permission`, `message_too_large`, `disk_full`
   */
  send(request: SendRequest): Promise<SendReceipt[]>;
  /** @throws `topic_not_found`, `queue_not_found`, `no_permission`, `storage_damaged` */
  pull(request: PullRequest): Promise<PullResult>;
  /** Empty when nothing came within `waitMs`. @throws `topic_not_found`, `group_not_found` */
  receive(request: ReceiveRequest): Promise<ReceivedMessage[]>;
  /**
   * Whether a receive would be given something now, or within `waitMs`: what the group never saw,
   * and what is to be tried again. @throws `topic_not_found`, `group_not_found`
   */
  watch(request: WatchRequest): Promise<boolean>;
  /**
   * The receipt of a delivery. Whether it was ever made is judged when the receipt is used.
   *
   * @throws `group_not_found`, `topic_not_found`, `queue_not_found`
   */
  receiptOf(group: string, name: LeaseName): string;
  ack(group: string, receipts: readonly string[]): Promise<ReceiptVerdict[]>;
  nack(
    group: string,
    receipts: readonly string[],
    delayMs: number | null,
  ): Promise<ReceiptVerdict[]>;
  extend(
    group: string,
    receipts: readonly string[],
    invisibleMs: number,
  ): Promise<(ReceiptVerdict & { readonly invisibleUntilMs: number })[]>;
  sendBack(request: SendBackRequest): Promise<void>;

  /**
   * Places of a group in the queues of one topic, or in one of its queues, or in all topics it has
   * a place in.
   */
  places(group: string, topic: string | null, queueId?: number): Promise<QueuePlace[]>;
  /** Every place of these groups; groups nobody knows have none. */
  placesOfGroups(groups: readonly string[]): Promise<ReadonlyMap<string, QueuePlace[]>>;
  commitOffset(group: string, topic: string, queueId: number, offset: number): Promise<void>;
  /** `by`: who resets, for those who ask later. */
  resetOffsets(
    group: string,
    topic: string,
    target: ResetTarget,
    by: string,
  ): Promise<QueuePlace[]>;
  previewReset(group: string, topic: string, target: ResetTarget): Promise<ResetPreview[]>;
  /** @throws `conflict`: there is no reset to take back. */
  undoReset(group: string, topic: string, by: string): Promise<QueuePlace[]>;
  cloneOffsets(from: string, to: string, topic: string, by: string): Promise<QueuePlace[]>;
  placeEvents(group: string, topic: string): Promise<NamedPlaceEvent[]>;
  /** Keys of an ordered group whose first message failed as often as the group allows. */
  parkedKeys(group: string, topic: string): Promise<NamedParkedKey[]>;
  /** @throws `conflict`: the key is not parked on this message any more. */
  settleKey(
    group: string,
    topic: string,
    parked: { readonly queueId: number; readonly offset: number },
    action: "retry" | "skip" | "bury",
    by: string,
  ): Promise<void>;
  /** Why a message was, or was not, delivered to a group. @throws `queue_not_found` */
  explain(target: ExplainTarget, group: string): Promise<Explanation>;
  /** Answers by queue id. */
  queueRanges(topic: string): Promise<{ readonly minOffset: number; readonly maxOffset: number }[]>;
  offsetAtTime(topic: string, queueId: number, ms: number): Promise<number>;

  findByPhysicalOffset(physicalOffset: number): Promise<FoundMessage | null>;
  findById(topic: string | null, messageId: string): Promise<FoundMessage[]>;
  findByKey(topic: string, key: string, messagesMax: number): Promise<FoundMessage[]>;
  findByTime(
    topic: string,
    fromMs: number,
    toMs: number,
    messagesMax: number,
  ): Promise<FoundMessage[]>;

  /** @throws `filter_invalid` */
  compile(expression: Expression): Promise<Filter>;
  /** The compiled filter of a live group for a topic, from its heartbeats. */
  subscription(group: string, topic: string): { filter: Filter; version: number } | undefined;
  heartbeat(request: HeartbeatAsk): Promise<HeartbeatAnswer>;
  unregister(request: UnregisterAsk): Promise<void>;
  disconnected(connection: number): void;
  consumers(group: string): Promise<readonly ConsumerMember[]>;
  producers(
    group: string | null,
  ): Promise<readonly (Member & { readonly group: string })[]>;
  lockQueues(request: LockAsk): Promise<LockAsk["queues"]>;
  unlockQueues(request: LockAsk): Promise<void>;
  keyValue(namespace: string, key: string): Promise<string | null>;
  putKeyValue(namespace: string, key: string, value: string | null): Promise<void>;
  keyValues(namespace: string): Promise<Readonly<Record<string, string>>>;

  /** Dead letters of groups: seeing them, sending them back, dropping them. */
  readonly deadLetters: DeadLetterDesk;

  /**
   * Sends a message that asks for a reply, and waits for it.
   *
   * @throws `timeout`: no reply came in time; `too_busy`; as `send`.
   */
  request(request: ReplyRequest): Promise<Reply>;
  /** @throws `message_not_found`: nobody waits for this reply (any more). */
  reply(reply: Reply): Promise<void>;
  /** Lets a protocol bring replies to its own clients. Returns how to stop. */
  carryReplies(carrier: ReplyCarrier): () => void;

  /** Registers for news. Returns how to stop. */
  onNews(news: BrokerNews): () => void;
  health(): Promise<Health>;
}

export type { ConsumerMember, HeartbeatAsk, LockAsk, Member, Survived, UnregisterAsk };
