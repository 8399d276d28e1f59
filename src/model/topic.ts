/**
 * Topics and their queues. A queue's shard is chosen when the queue is made and never recomputed.
 *
 * @module
 */
import type { Durability } from "./durability.ts";

/**
 * Whose messages are recognised when they are sent again. `explicit`: those whose id a producer
 * chose; `all`: also those of RocketMQ's clients, which make up an id for every message, and may
 * send one message object twice on purpose.
 */
export type Dedupe = "explicit" | "all" | "off";

/** What users choose of a topic. */
export type TopicSettings = {
  /** How many queues, 1 to `limits.queuesPerTopicMax`. May grow, never shrink. */
  readonly queues: number;
  readonly durability: Durability;
  /** Messages older than this may be deleted. */
  readonly retentionMs: number;
  /** Above this many bytes the oldest may be deleted. `null`: no such bound. */
  readonly retentionBytes: number | null;
  /** Whether retention also deletes what a group has not read yet. */
  readonly deleteUnread: boolean;
  /** Queues cannot be added: a sharding key keeps its queue while the topic lives. */
  readonly ordered: boolean;
  /** Messages that were not consumed for so long are passed over; `null`: they never expire. */
  readonly messageTtlMs: number | null;
  readonly dedupe: Dedupe;
  /** RocketMQ's permission bits: 4 read, 2 write. */
  readonly perm: number;
  /** Free words for tools (RocketMQ's `message.type` and the like). */
  readonly attributes: Readonly<Record<string, string>>;
};

/** One queue: its number within the topic is its index in `Topic.queueRefs`. */
export type QueueRef = {
  /** Names the queue within the whole broker, from 1 up, never used again. */
  readonly queueKey: number;
  readonly shard: number;
};

/**
 * A number of queues that a topic had before it was given more: a key or an id that led to a queue
 * then leads elsewhere now.
 */
export type FormerQueues = {
  /** `null`: numbers that are no longer told apart; any queue there was may have been meant. */
  readonly queues: number | null;
  /** When the topic was given more, by the coordinator's clock; 0: nobody noted it. */
  readonly endedMs: number;
};

/** A topic as the registry knows it. */
export type Topic = {
  readonly name: string;
  /** Grows with every change of the registry; says which of two copies is newer. */
  readonly version: number;
  readonly settings: TopicSettings;
  readonly queueRefs: readonly QueueRef[];
  /**
   * The first so many queues take timers with a key: as many as the topic began with. It never
   * changes, so that a key has one queue, in one shard, for as long as the topic lives.
   */
  readonly timerQueues: number;
  /** Oldest first, at most `limits.formerQueuesMax`; empty: it has what it began with. */
  readonly formerQueues: readonly FormerQueues[];
  /** Made by the broker itself: retry, dead-letter and RocketMQ's system topics. */
  readonly system: boolean;
  readonly createdMs: number;
};

/** Read and write allowed. */
export const permReadWrite = 6;
/** The permission bit for reading. */
export const permRead = 4;
/** The permission bit for writing. */
export const permWrite = 2;
