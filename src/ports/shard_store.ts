/**
 * The store of one shard: an append-only log of turns, the queue index derived from it, and small
 * tables of state. One thread owns a store and calls it directly; nothing here waits.
 *
 * Positions count messages of the shard from 1; queue offsets count from 0; neither leaves gaps.
 *
 * @module
 */
import type { Durability } from "../model/durability.ts";

/** One message of a turn: `bytes` bytes of `TurnRecord.records`, from `start`. */
export type LogEntry = {
  readonly queueKey: number;
  readonly queueOffset: number;
  readonly start: number;
  readonly bytes: number;
  /** Java hash of the tag, 0 without a tag. */
  readonly tagHash: number;
};

/** A group's place in a queue. `next`: the first offset never delivered; `null` forgets the row. */
export type OffsetWrite = {
  readonly groupKey: number;
  readonly queueKey: number;
  readonly next: number | null;
};

/**
 * A span of a group's open deliveries in a queue (see `core/inflight.ts`); `null` forgets the row.
 */
export type InflightWrite = {
  readonly groupKey: number;
  readonly queueKey: number;
  readonly chunk: number;
  readonly entries: Uint8Array | null;
};

/** Why a message waits: a timer its producer set, or a retry a consumer asked for. */
export type DelayKind = "timer" | "retry";

/** A message that is not visible before `dueMs`. `id` is unique within the shard. */
export type DelayedRow = {
  readonly id: number;
  readonly kind: DelayKind;
  readonly dueMs: number;
  readonly queueKey: number;
  readonly tagHash: number;
  /** The unique key of the message: how producers name it. */
  readonly messageId: string;
  /** The producer's own name for the timer; at most one pending timer of a queue carries it. */
  readonly timerKey: string | null;
  readonly record: Uint8Array;
};

/** Which pending rows to list: due within the span, after `afterId` when that is given. */
export type DelayedQuery = {
  readonly queueKeys: readonly number[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Rows due at `fromMs` with an id up to this one were listed before. */
  readonly afterId: number | null;
  readonly countMax: number;
};

/**
 * Where a half message stands. `parked`: asked as often as allowed, an operator decides.
 * `committed` and `rolled-back` are final; such a row keeps its verdict, and its record is empty.
 */
export type HalfState = "prepared" | "parked" | "committed" | "rolled-back";

/** A message of a transaction: written once, then replaced whole with every change. */
export type HalfRow = {
  readonly id: number;
  readonly state: HalfState;
  readonly queueKey: number;
  readonly tagHash: number;
  readonly producerGroup: string;
  readonly messageId: string;
  readonly createdMs: number;
  /** When the producer is to be asked next; meaningful while `prepared`. */
  readonly nextCheckMs: number;
  /** How often it was really asked. */
  readonly checks: number;
  /** Where to ask by webhook; `null`: whoever is connected for the group. */
  readonly checkUrl: string | null;
  /** When a committed message becomes visible, and its key; `null`: at once. */
  readonly deliverAtMs: number | null;
  readonly timerKey: string | null;
  /** When the verdict came; 0 before. */
  readonly settledMs: number;
  readonly record: Uint8Array;
};

/** Something an operator or a client did to a group's place, kept to be told and undone. */
export type PlaceEvent = {
  readonly id: number;
  readonly groupKey: number;
  readonly queueKey: number;
  readonly atMs: number;
  readonly kind: "reset" | "undo" | "clone" | "key-skipped" | "key-buried" | "began";
  readonly by: string;
  readonly fromOffset: number;
  readonly toOffset: number;
  /**
   * The position the next message got when it happened: what lies below was stored before. `null`:
   * noted by an older broker.
   */
  readonly position: number | null;
  /** What was open when it happened, as stored chunks, so that it can be undone; may be empty. */
  readonly before: Uint8Array;
};

/** Everything one turn changes, decided already. Applied as a whole or not at all. */
export type TurnRecord = {
  /** Position of the first entry; equals `nextPosition` before the commit. */
  readonly firstPosition: number;
  /** Not below the stored time of any earlier turn. */
  readonly storedMs: number;
  readonly entries: readonly LogEntry[];
  /** The store's own from the call on: the caller neither changes nor reuses it. */
  readonly records: Uint8Array;
  readonly offsets: readonly OffsetWrite[];
  readonly inflight: readonly InflightWrite[];
  readonly delayedPuts: readonly DelayedRow[];
  readonly delayedDeletes: readonly number[];
  /** Inserted, or replacing the row with the same id. */
  readonly halfPuts: readonly HalfRow[];
  readonly events: readonly PlaceEvent[];
  /** What the commit must survive: the strongest wish among the requests of the turn. */
  readonly durability: Durability;
};

/** A queue's entry, without its body. */
export type QueueEntry = {
  readonly queueOffset: number;
  readonly position: number;
  readonly bytes: number;
  readonly tagHash: number;
};

/** What opening the store found. `missing`: acknowledged positions that are gone. */
export type Recovery = {
  readonly replayedMessages: number;
  readonly tookMs: number;
  readonly missing: { readonly from: number; readonly to: number } | null;
  /** Why a stored turn was not trusted, in a sentence; `null` when all was well. */
  readonly damage: string | null;
  /** Whether writes are taken: all was well, or the operator accepts what was found. */
  readonly writable: boolean;
};

/** How large the store is, for metrics and health. */
export type StoreStats = {
  readonly messages: number;
  readonly logBytes: number;
  readonly walBytes: number;
  readonly delayed: number;
  readonly checkpoints: number;
};

/** Which queue may be trimmed how. Sent by the coordinator with every change of a topic. */
export type RetentionRule = {
  readonly queueKeys: readonly number[];
  readonly retentionMs: number;
  /** Bound for all queues of the topic in this shard together; `null`: none. */
  readonly retentionBytes: number | null;
  readonly deleteUnread: boolean;
};

/** What a trimming step did. `more`: call again soon. */
export type TrimResult = { readonly deletedMessages: number; readonly more: boolean };

/** What a step of dropping did. `rows`: messages that waited. `more`: call again with the same. */
export type DropResult = { readonly rows: number; readonly more: boolean };

/** The store of one shard. All methods but `commit` and upkeep change nothing. */
export interface ShardStore {
  readonly recovery: Recovery;

  /** The position the next message gets. */
  nextPosition(): number;
  /** Stored time of the newest turn, 0 without one. */
  lastStoredMs(): number;
  /** The smallest offset still readable; equals `maxOffset` when the queue is empty. */
  minOffset(queueKey: number): number;
  /** The offset the next message of the queue gets; 0 for a queue never written. */
  maxOffset(queueKey: number): number;

  /**
   * Applies a turn in one transaction. On return it survives what `record.durability` names.
   *
   * @throws {StorageError} `full`: nothing was written, the store goes on. `io`: the store must be
   * closed and opened again; nothing of the turn may be acknowledged.
   */
  commit(record: TurnRecord): void;

  /** Up to `countMax` entries of a queue from `fromOffset` on, in order; empty past the end. */
  entries(queueKey: number, fromOffset: number, countMax: number): QueueEntry[];

  /**
   * The stored records at these positions, in that order. Positions ascending is the fast case.
   * The views are valid until the next commit.
   *
   * @throws {StorageError} `damaged`: a turn does not match its checksum.
   * A position that was trimmed or never written yields an empty view.
   */
  records(positions: readonly number[]): Uint8Array[];

  /** The queue of the message at a position; `null` as for an empty record. */
  queueKeyAt(position: number): number | null;

  /** First offset of the queue stored at or after `ms`; `maxOffset` when there is none. */
  offsetAtTime(queueKey: number, ms: number): number;
  /** First position stored at or after `ms`; `nextPosition` when there is none. */
  positionAtTime(ms: number): number;
  /** When the oldest turn of the log was stored; `null`: there is none. */
  firstStoredMs(): number | null;
  /**
   * Newest first: positions whose unique key or one of whose keys may equal `key` (by hash, so the
   * caller compares), at most `countMax`, below `beforePosition` and not below `fromPosition` when
   * these are given.
   */
  findByKey(
    key: string,
    countMax: number,
    beforePosition?: number,
    fromPosition?: number,
  ): number[];

  /** All group offsets, once at start. */
  loadOffsets(): Iterable<{ groupKey: number; queueKey: number; next: number }>;
  /** All open deliveries, once at start. */
  loadInflight(): Iterable<
    { groupKey: number; queueKey: number; chunk: number; entries: Uint8Array }
  >;

  /** Delayed rows due at or before `untilMs`, oldest first, at most `countMax`. */
  delayedDue(untilMs: number, countMax: number): DelayedRow[];
  /** When the next delayed row is due; `null` without one. */
  nextDelayedDueMs(): number | null;
  /** The largest id ever given to a delayed row, 0 without one. */
  lastDelayedId(): number;
  /** The pending row with this message id in one of these queues. */
  delayedById(queueKeys: readonly number[], messageId: string): DelayedRow | null;
  /** The pending row with this timer key in one of these queues. */
  delayedByKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null;
  /** Pending timers in order of due time and id. */
  delayedList(query: DelayedQuery): DelayedRow[];
  /** How many timers are pending in these queues. */
  delayedCount(queueKeys: readonly number[]): number;

  /** @throws {StorageError} `damaged` */
  half(id: number): HalfRow | null;
  /** Prepared rows whose next check is due at or before `untilMs`, oldest first. */
  halvesDue(untilMs: number, countMax: number): HalfRow[];
  /** When the next check is due; `null` when nothing is prepared. */
  nextHalfCheckMs(): number | null;
  /** Rows in a state by id, above `afterId`. */
  halvesIn(state: HalfState, afterId: number, countMax: number): HalfRow[];
  /** Rows in a state, but for those of queues that are `isGone`. */
  halfCount(state: HalfState, isGone?: (queueKey: number) => boolean): number;
  /** The half message with this message id, undecided or not. */
  halfByMessageId(messageId: string): HalfRow | null;
  /** The largest id ever given to a half message, 0 without one. */
  lastHalfId(): number;
  /** Forgets verdicts older than `settledBeforeMs`, at most `countMax`. Upkeep. */
  purgeHalves(settledBeforeMs: number, countMax: number): number;

  /** The newest events of a group in a queue, newest first. */
  events(groupKey: number, queueKey: number, countMax: number): PlaceEvent[];
  /** The largest id ever given to an event, 0 without one. */
  lastEventId(): number;

  /** Every queue something is stored of, in no order. Reads tables: for the start only. */
  queueKeys(): number[];
  /**
   * One bounded step of forgetting queues and all that belongs to them. Until the last step they
   * are there, with less and less that waits. Their keys are never used again. What a power cut
   * takes of it is done again: whoever asked knows that they are gone. Of what waits, at most
   * `rowsMax` messages go at once.
   */
  dropQueues(queueKeys: readonly number[], rowsMax: number): DropResult;
  /** Forgets a group's offsets and open deliveries. */
  dropGroup(groupKey: number): void;

  /**
   * Moves the log's frames from the WAL into the file, as far as readers allow. Between turns.
   * Answers which part of it steps of `dropQueues` had written, roughly, from 0 to 1.
   */
  checkpoint(): number;
  /** Whether a checkpoint is worth its time now. */
  checkpointDue(): boolean;
  /** Whether it is due, and steps of `dropQueues` make it longer by the moment. */
  checkpointOverdue(): boolean;
  /**
   * One bounded step of retention: trims queues by `rules`, deletes turns nobody can read.
   * `floors` answers the smallest offset of a queue that some group has not finished; `null`
   * when no group reads the queue.
   */
  trim(
    rules: readonly RetentionRule[],
    floors: (queueKey: number) => number | null,
    nowMs: number,
  ): TrimResult;

  stats(): StoreStats;
  /** Room that deletions left inside the file: what is stored next takes it before the disk's. */
  reusableBytes(): number;
  /** Flushes what is derived, notes a clean end, and lets go of the files. */
  close(): void;
}
