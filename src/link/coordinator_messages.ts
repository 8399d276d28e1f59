/** Every request to the coordinator, and the news it gives. @module */
import type { Group, GroupSettings } from "../model/group.ts";
import type { Expression, Filter, Subscription } from "../model/subscription.ts";
import type { Topic, TopicSettings } from "../model/topic.ts";
import type { RetentionRule } from "../ports/shard_store.ts";
import { jsonOperation, type OperationCodec } from "./codec.ts";
import type { HalfCheck } from "./transaction_messages.ts";

/** Creates a topic, or changes the settings that are given. */
export type PutTopicAsk = {
  readonly name: string;
  readonly settings: Partial<TopicSettings>;
  /** `create`: an equal topic is answered, a different one refused. `change`: it must exist. */
  readonly mode: "create" | "change" | "either";
  /** Broker's own topics may have names users may not choose. */
  readonly system: boolean;
};
/** The same for a group. */
export type PutGroupAsk = {
  readonly name: string;
  readonly settings: Partial<GroupSettings>;
  readonly mode: "create" | "change" | "either";
};

/** What one client is to one group. */
export type ConsumerMembership = {
  readonly group: string;
  /** RocketMQ's words: CONSUME_ACTIVELY, CONSUME_PASSIVELY, CONSUME_POP. */
  readonly consumeType: string;
  readonly messageModel: "CLUSTERING" | "BROADCASTING";
  readonly consumeFromWhere: string;
  readonly subscriptions: readonly Subscription[];
};
/** A client shows that it lives. `connection` is the front's number of its connection. */
export type HeartbeatAsk = {
  readonly clientId: string;
  readonly connection: number;
  readonly address: string;
  readonly language: string;
  readonly version: number;
  readonly producerGroups: readonly string[];
  readonly consumers: readonly ConsumerMembership[];
};
/**
 * A client's heartbeat again, the same to the byte: who it was, and in how many groups, a group in
 * which it both produces and consumes twice.
 */
export type RepeatedBeat = {
  readonly clientId: string;
  readonly connection: number;
  readonly groupCount: number;
};
/** `subscriptionsChanged`: this beat brought a subscription that was new or different. */
export type HeartbeatAnswer = { readonly subscriptionsChanged: boolean };
/** Leaves single groups, or everything when both are `null`. */
export type UnregisterAsk = {
  readonly clientId: string;
  readonly connection: number;
  readonly producerGroup: string | null;
  readonly consumerGroup: string | null;
};

/** A member as others see it. */
export type Member = {
  readonly clientId: string;
  readonly connection: number;
  readonly address: string;
  readonly language: string;
  readonly version: number;
  readonly heardMs: number;
};
/** A member that consumes, and what it consumes. */
export type ConsumerMember = Member & { readonly membership: ConsumerMembership };

/** Queues named as RocketMQ names them, to lock or unlock for one client of a group. */
export type LockAsk = {
  readonly group: string;
  readonly clientId: string;
  readonly queues: readonly { readonly topic: string; readonly queueId: number }[];
};

/** A subscription of a live group, compiled. */
export type CompiledSubscription = {
  readonly group: string;
  readonly topic: string;
  readonly version: number;
  readonly expression: Expression;
  readonly filter: Filter;
};

/** A member of a group wants this of a topic: what others do not want is kept for it. */
export type NoteFilterAsk = {
  readonly group: string;
  readonly topic: string;
  readonly expression: Expression;
};
/** One wish; `key` is equal for equal expressions. */
export type LiveFilter = { readonly key: string; readonly filter: Filter };
/** All that the members of a group want of a topic at present. */
export type GroupFilters = {
  readonly group: string;
  readonly topic: string;
  readonly filters: readonly LiveFilter[];
};

/** What the front keeps of the registry. */
export type RegistrySnapshot = {
  readonly filters: readonly GroupFilters[];
  readonly topics: readonly Topic[];
  readonly groups: readonly Group[];
  /** Signs receipts; 32 bytes in base64, made at the first start. */
  readonly receiptSecret: string;
  readonly bootEpoch: number;
};

/** `f64 connection, u32 groups, client id` → `u8 known`: a crowd's heartbeats come in thousands. */
const repeatBeatCodec: OperationCodec<RepeatedBeat, boolean> = {
  request: {
    write: (writer, { clientId, connection, groupCount }) => {
      writer.f64(connection);
      writer.u32(groupCount);
      writer.text(clientId);
    },
    read: (reader) => {
      const connection = reader.f64();
      const groupCount = reader.u32();
      return { connection, groupCount, clientId: reader.text(reader.left) };
    },
  },
  answer: {
    write: (writer, isKnown) => writer.u8(isKnown ? 1 : 0),
    read: (reader) => reader.u8() === 1,
  },
};

/** The operations of the coordinator. */
export const coordinatorOperations = {
  snapshot: jsonOperation<null, RegistrySnapshot>(),
  putTopic: jsonOperation<PutTopicAsk, Topic>(),
  /** Answers the topic as it was, so that the caller can drop its queues in the shards. */
  deleteTopic: jsonOperation<{ readonly name: string }, Topic>(),
  putGroup: jsonOperation<PutGroupAsk, Group>(),
  deleteGroup: jsonOperation<{ readonly name: string }, Group>(),
  heartbeat: jsonOperation<HeartbeatAsk, HeartbeatAnswer>(),
  unregister: jsonOperation<UnregisterAsk, null>(),
  /** A connection closed: all its clients leave at once. */
  disconnect: jsonOperation<{ readonly connection: number }, null>(),
  consumers: jsonOperation<{ readonly group: string }, readonly ConsumerMember[]>(),
  producers: jsonOperation<
    { readonly group: string | null },
    readonly (Member & { readonly group: string })[]
  >(),
  lockQueues: jsonOperation<LockAsk, LockAsk["queues"]>(),
  unlockQueues: jsonOperation<LockAsk, null>(),
  compile: jsonOperation<Expression, Filter>(),
  /** News of the wish stand before the answer. */
  noteFilter: jsonOperation<NoteFilterAsk, null>(),
  /** A client of a broadcast group reads; asked now and then while it does. */
  joinBroadcast: jsonOperation<
    { readonly group: string; readonly clientId: string },
    { readonly readerKey: number }
  >(),
  /** Every shard has dropped their places. */
  readersDropped: jsonOperation<{ readonly readerKeys: readonly number[] }, null>(),
  getKeyValue: jsonOperation<{ readonly namespace: string; readonly key: string }, string | null>(),
  putKeyValue: jsonOperation<
    { readonly namespace: string; readonly key: string; readonly value: string | null },
    null
  >(),
  listKeyValues: jsonOperation<{ readonly namespace: string }, Readonly<Record<string, string>>>(),
  drain: jsonOperation<null, null>(),
  /** The ids of a group's consumers, each once. */
  consumerIds: jsonOperation<{ readonly group: string }, readonly string[]>(),
  /** False: something of it is not known, and the whole heartbeat is wanted. */
  repeatBeat: repeatBeatCodec,
};

/** Name → request and answer types, derived from the table. */
export type CoordinatorOperations = typeof coordinatorOperations;

/** What the coordinator tells the front without being asked. */
export type CoordinatorNews =
  | { readonly kind: "topic"; readonly topic: Topic }
  | { readonly kind: "topic-deleted"; readonly name: string }
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "group-deleted"; readonly name: string }
  /**
   * Members changed: tell these connections (RocketMQ's NOTIFY_CONSUMER_IDS_CHANGED). None: the
   * group has no members any more.
   */
  | { readonly kind: "members"; readonly group: string; readonly connections: readonly number[] }
  | { readonly kind: "subscription"; readonly subscription: CompiledSubscription }
  /** What a group's members want of a topic has changed; empty: nobody wants anything. */
  | ({ readonly kind: "filters" } & GroupFilters)
  /** Places to be dropped in every shard; told until `readersDropped` names them. */
  | { readonly kind: "readers-gone"; readonly readerKeys: readonly number[] }
  /** Nobody of the group subscribes to the topic any more; `null`: to any topic. */
  | { readonly kind: "unsubscribed"; readonly group: string; readonly topic: string | null };

/**
 * Which queues of a shard, and which groups, exist. A key up to the largest one ever given that is
 * not in the ranges is gone for ever; `src/core/key_ranges.ts` reads them.
 */
export type ExistingNews = {
  readonly kind: "existing";
  readonly queueKeys: readonly number[];
  readonly queueKeyMax: number;
  readonly groupKeys: readonly number[];
  readonly groupKeyMax: number;
};

/** Between coordinator and shard, both ways, one-way news over a port of their own. */
export type ShardNews =
  /** Shard → coordinator: ring me at `dueMs`; `null`: nothing is waiting. */
  | { readonly kind: "alarm"; readonly dueMs: number | null }
  /** Coordinator → shard: the time you asked for has come. */
  | { readonly kind: "ring" }
  /** Coordinator → shard: all retention rules that concern this shard. */
  | { readonly kind: "retention"; readonly rules: readonly RetentionRule[] }
  /** Coordinator → shard: whatever else it has is to be dropped. */
  | ExistingNews;

/** How a shard is. */
export type ShardHealth = {
  readonly kind: "health";
  readonly state: "ok" | "refusing" | "stopped" | "damaged";
  readonly reason: string;
};
/** What a shard tells the front without being asked. */
export type ShardFrontNews =
  | ShardHealth
  /** Producers to be asked what became of their transactions. */
  | { readonly kind: "checks"; readonly checks: readonly HalfCheck[] };
