/**
 * The port `ShardStore` in memory, on a disk that can fail:
 *
 *     commit ──▶ full                      nothing written, the store goes on
 *            ──▶ io, before or after       the store is dead; only opening tells which it was
 *            ──▶ crash, before or after    the whole process is gone
 *     power cut ──▶ what no power-loss commit followed is lost
 *
 * @module
 */
import { StorageError } from "../../src/model/errors.ts";
import type {
  DelayedQuery,
  DelayedRow,
  DropResult,
  HalfRow,
  HalfState,
  PlaceEvent,
  QueueEntry,
  Recovery,
  RetentionRule,
  ShardStore,
  StoreStats,
  TrimResult,
  TurnRecord,
} from "../../src/ports/shard_store.ts";
import { type DiskOperation, SimImage, type StoredMessage } from "./sim_image.ts";
import { mistakenRecord, type StoreMistake } from "./mistaken_record.ts";
import type { SimTables } from "./sim_tables.ts";

/** What happens to one write. */
export type WriteFate = "done" | "full" | "io-before" | "io-after" | "crash-before" | "crash-after";

/** The process ended inside a write. Not an error of the store: nobody is there to catch it. */
export class SimulatedCrash extends Error {
  override readonly name = "SimulatedCrash";
}

const trimStepMessages = 64;
const dropStepRows = 2;
/** By mistake: how long before their time messages are released. */
const earlyMsOf: Readonly<Record<string, number>> = {
  "releases delayed messages early": 5_000,
  "is due a tick early": 1,
};

/** One shard's disk: it outlives stores and processes. */
export class SimDisk {
  /** Asked before each write; the simulation draws. */
  fateOf: (operation: DiskOperation) => WriteFate = () => "done";
  mistake: StoreMistake | null = null;
  #operations: DiskOperation[] = [];
  #syncedCount = 0;

  /** What was read last, and how many operations made it. */
  #current = { image: new SimImage(), operations: 0 };

  /** Opens the store as the disk has it. */
  open(): SimStore {
    return new SimStore(this, this.image());
  }

  /** What the disk says now, to look at: it goes on with the disk. */
  current(): SimImage {
    const { image, operations } = this.#current;
    for (const operation of this.#operations.slice(operations)) image.apply(operation);
    this.#current = { image, operations: this.#operations.length };
    return image;
  }

  /** What the disk says now, as one's own. */
  image(): SimImage {
    const image = new SimImage();
    for (const operation of this.#operations) image.apply(operation);
    return image;
  }

  /** The store's own road to the disk. */
  write(operation: DiskOperation): void {
    this.#operations.push(operation);
    const synced = operation.kind === "turn" && operation.record.durability === "power-loss";
    if (synced) this.sync();
  }

  /** Everything written so far survives a power cut. */
  sync(): void {
    this.#syncedCount = this.#operations.length;
  }

  /** The process is gone; the system lives on, and so does everything written. */
  crash(): void {
    if (this.mistake !== "loses its last turn in a crash") return;
    const lost = this.#operations.findLastIndex((operation) => operation.kind === "turn");
    if (lost !== -1) this.#operations.length = lost;
    this.#syncedCount = Math.min(this.#syncedCount, this.#operations.length);
    this.#startOver();
  }

  /** The power is gone: answers the messages that no sync had reached. */
  cutPower(): StoredMessage[] {
    const before = this.image();
    this.#operations.length = this.#syncedCount;
    this.#startOver();
    return before.log.slice(this.image().log.length).filter((message) => message !== null);
  }

  /** What was read before may never have been written. */
  #startOver(): void {
    this.#current = { image: new SimImage(), operations: 0 };
  }
}

/** One opening of a `SimDisk`. */
export class SimStore implements ShardStore {
  readonly recovery: Recovery = {
    replayedMessages: 0,
    tookMs: 0,
    missing: null,
    damage: null,
    writable: true,
  };
  readonly #disk: SimDisk;
  readonly #image: SimImage;
  #dead = false;
  /** Acknowledged and not written: only by mistake. */
  #owed: DiskOperation[] = [];

  constructor(disk: SimDisk, image: SimImage) {
    this.#disk = disk;
    this.#image = image;
  }

  nextPosition(): number {
    return this.#living().nextPosition;
  }

  lastStoredMs(): number {
    return this.#living().lastStoredMs;
  }

  minOffset(queueKey: number): number {
    return this.#living().minOffset(queueKey);
  }

  maxOffset(queueKey: number): number {
    return this.#living().maxOffset(queueKey);
  }

  commit(record: TurnRecord): void {
    this.#living().check(record);
    const mistaken = mistakenRecord(this.#disk.mistake, record, this.#image.tables);
    this.#write({ kind: "turn", record: copied(mistaken) });
  }

  entries(queueKey: number, fromOffset: number, countMax: number): QueueEntry[] {
    const queue = this.#living().queues.get(queueKey);
    if (queue === undefined) return [];
    const from = Math.max(fromOffset, queue.minOffset);
    return queue.messages.slice(from, from + countMax).map(
      ({ queueOffset, position, bytes, tagHash }) => ({ queueOffset, position, bytes, tagHash }),
    );
  }

  records(positions: readonly number[]): Uint8Array[] {
    const { log } = this.#living();
    return positions.map((position) => log[position - 1]?.record ?? new Uint8Array(0));
  }

  queueKeyAt(position: number): number | null {
    return this.#living().log[position - 1]?.queueKey ?? null;
  }

  offsetAtTime(queueKey: number, ms: number): number {
    const queue = this.#living().queues.get(queueKey);
    if (queue === undefined) return 0;
    const offset = queue.messages.findIndex(({ storedMs }) => storedMs >= ms);
    return offset === -1 ? queue.messages.length : Math.max(offset, queue.minOffset);
  }

  positionAtTime(ms: number): number {
    const { log, nextPosition } = this.#living();
    const index = log.findIndex((message) => message !== null && message.storedMs >= ms);
    return index === -1 ? nextPosition : index + 1;
  }

  firstStoredMs(): number | null {
    return this.#living().log.find((message) => message !== null)?.storedMs ?? null;
  }

  findByKey(key: string, countMax: number, beforePosition?: number, fromPosition = 1): number[] {
    const image = this.#living();
    return image.findByKey(key, countMax, beforePosition ?? image.nextPosition, fromPosition);
  }

  loadOffsets() {
    return [...this.#living().offsets.values()];
  }

  loadInflight() {
    if (this.#disk.mistake === "forgets open deliveries when opened") return [];
    return [...this.#living().inflight.values()];
  }

  delayedDue(untilMs: number, countMax: number): DelayedRow[] {
    const early = earlyMsOf[this.#disk.mistake ?? ""] ?? 0;
    return this.#tables().delayedInOrder().filter(({ dueMs }) => dueMs <= untilMs + early)
      .slice(0, countMax);
  }

  nextDelayedDueMs(): number | null {
    const dueMs = this.#tables().delayedInOrder()[0]?.dueMs ?? null;
    return this.#disk.mistake === "is due a tick early" && dueMs !== null ? dueMs - 1 : dueMs;
  }

  lastDelayedId(): number {
    return this.#tables().lastDelayedId;
  }

  delayedById(queueKeys: readonly number[], messageId: string): DelayedRow | null {
    return this.#tables().delayedById(queueKeys, messageId);
  }

  delayedByKey(queueKeys: readonly number[], timerKey: string): DelayedRow | null {
    return this.#tables().delayedByKey(queueKeys, timerKey);
  }

  delayedList(query: DelayedQuery): DelayedRow[] {
    return this.#tables().delayedList(query);
  }

  delayedCount(queueKeys: readonly number[]): number {
    return this.#tables().delayedCount(queueKeys);
  }

  half(id: number): HalfRow | null {
    return this.#tables().halves.get(id) ?? null;
  }

  halvesDue(untilMs: number, countMax: number): HalfRow[] {
    return this.#tables().halvesDue(untilMs, countMax);
  }

  nextHalfCheckMs(): number | null {
    return this.#tables().nextHalfCheckMs();
  }

  halvesIn(state: HalfState, afterId: number, countMax: number): HalfRow[] {
    return this.#tables().halvesIn(state, afterId, countMax);
  }

  halfCount(state: HalfState, isGone = (_queueKey: number) => false): number {
    const rows = this.#tables().halvesIn(state, 0, Infinity);
    return rows.filter(({ queueKey }) => !isGone(queueKey)).length;
  }

  halfByMessageId(messageId: string): HalfRow | null {
    return this.#tables().halfByMessageId(messageId);
  }

  lastHalfId(): number {
    return this.#tables().lastHalfId;
  }

  purgeHalves(settledBeforeMs: number, countMax: number): number {
    const ids = this.#tables().purgeable(settledBeforeMs, countMax);
    if (ids.length > 0) this.#write({ kind: "purge-halves", ids });
    return ids.length;
  }

  events(groupKey: number, queueKey: number, countMax: number): PlaceEvent[] {
    return this.#tables().events(groupKey, queueKey, countMax);
  }

  lastEventId(): number {
    return this.#tables().lastEventId;
  }

  queueKeys(): number[] {
    return this.#living().queueKeys();
  }

  /** Few rows in a step, so that much happens between two of them. */
  dropQueues(queueKeys: readonly number[], rowsMax: number): DropResult {
    const some = Math.min(dropStepRows, rowsMax);
    const ids = this.#tables().waitingIn(queueKeys, some);
    const rows = ids.delayed.length + ids.halves.length;
    if (rows === some) this.#write({ kind: "drop-rows", ...ids });
    else this.#write({ kind: "drop-queues", queueKeys });
    return { rows, more: rows === some };
  }

  dropGroup(groupKey: number): void {
    this.#write({ kind: "drop-group", groupKey });
  }

  checkpoint(): number {
    this.#living();
    return 0;
  }

  checkpointDue(): boolean {
    return false;
  }

  checkpointOverdue(): boolean {
    return false;
  }

  trim(
    rules: readonly RetentionRule[],
    floors: (queueKey: number) => number | null,
    nowMs: number,
  ): TrimResult {
    const image = this.#living();
    const minimums = image.trimmable(rules, floors, nowMs, trimStepMessages);
    if (minimums.size === 0) return { deletedMessages: 0, more: false };
    let deletedMessages = 0;
    for (const [key, min] of minimums) deletedMessages += min - image.minOffset(key);
    this.#write({ kind: "trim", minimums });
    return { deletedMessages, more: true };
  }

  /** Also of a dead store: its figures are in memory. */
  stats(): StoreStats {
    const { queues, tables: { delayed } } = this.#image;
    let messages = 0;
    for (const queue of queues.values()) messages += queue.messages.length - queue.minOffset;
    return { messages, logBytes: 0, walBytes: 0, delayed: delayed.size, checkpoints: 0 };
  }

  reusableBytes(): number {
    return 0;
  }

  close(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#payOwed();
    this.#disk.sync();
  }

  #write(operation: DiskOperation): void {
    const image = this.#living();
    const fate = this.#disk.fateOf(operation);
    if (fate === "full") {
      this.#mistakeOffsets(operation);
      throw new StorageError("full", "the simulated disk has no room");
    }
    if (fate === "io-before" || fate === "crash-before") this.#die(fate);
    image.apply(operation);
    this.#toDisk(operation);
    if (fate === "io-after" || fate === "crash-after") this.#die(fate);
  }

  #toDisk(operation: DiskOperation): void {
    if (this.#disk.mistake !== "acknowledges before it commits") {
      this.#disk.write(operation);
      return;
    }
    this.#payOwed();
    this.#owed.push(operation);
  }

  #payOwed(): void {
    for (const operation of this.#owed) this.#disk.write(operation);
    this.#owed = [];
  }

  #mistakeOffsets(operation: DiskOperation): void {
    if (this.#disk.mistake !== "moves offsets of a refused turn") return;
    if (operation.kind !== "turn" || operation.record.offsets.length === 0) return;
    const nothing = { entries: [], inflight: [], halfPuts: [], events: [] };
    const record = { ...operation.record, ...nothing, delayedPuts: [], delayedDeletes: [] };
    this.#image.apply({ kind: "turn", record });
    this.#disk.write({ kind: "turn", record });
  }

  #die(fate: "io-before" | "io-after" | "crash-before" | "crash-after"): never {
    this.#dead = true;
    if (fate === "crash-before" || fate === "crash-after") {
      throw new SimulatedCrash(`the process ended in a write (${fate})`);
    }
    throw new StorageError("io", `a simulated write failed (${fate})`);
  }

  #living(): SimImage {
    if (this.#dead) throw new StorageError("io", "the store was closed, or a write failed before");
    return this.#image;
  }

  #tables(): SimTables {
    return this.#living().tables;
  }
}

/** The port lets the caller keep its records in neither form, so the disk has its own. */
function copied(record: TurnRecord): TurnRecord {
  return { ...record, records: record.records.slice() };
}
