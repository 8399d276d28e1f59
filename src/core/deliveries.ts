/**
 * What one group has been handed of one queue, and what of it is still open.
 *
 *                 hand out                    acknowledge
 *     fresh ───────────────▶ leased (until) ───────────────▶ finished
 *       │                      │      ▲
 *       │ hold     time over,  ▼      │ hand out again, attempt + 1
 *       └──────▶ waiting ◀─── waiting (until)
 *                                     │ an ordered group gave up
 *                                     ▼
 *                                   parked (until an operator decides)
 *
 * A leased message whose time is over, one given back, and one held (passed over for now, attempts
 * 0) are the same thing: open, with a time from which it may be handed out. `next` is the first
 * offset never looked at; what lies below it and is not open is finished. Pure: the caller reads
 * the queue, passes the time in, and stores the chunks that `takeDirtyChunks` names with the turn
 * they belong to.
 *
 *     chunk (offsets n*64 .. n*64+63) := entry*
 *     entry := u8 index, u16 attempts, f64 untilMs, f64 lease
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ByteReader, ByteWriter } from "../base/bytes.ts";
import { MinHeap } from "../base/heap.ts";

/** Offsets that share one stored row. */
export const chunkOffsets = 64;

/**
 * A message handed out and not finished. `lease` 0: nobody holds it. `attempts` 0: held, it was
 * never handed out. `untilMs` infinite: parked.
 */
export type OpenDelivery = {
  readonly offset: number;
  readonly attempts: number;
  readonly untilMs: number;
  readonly lease: number;
};

/** One stored row; `entries` `null` when nothing of the chunk is open any more. */
export type Chunk = { readonly chunk: number; readonly entries: Uint8Array | null };

/**
 * The deliveries of one group in one queue, from `next` on. Whatever changes marks its chunk; the
 * caller stores those chunks in the same commit, or throws the whole object away.
 */
export class Deliveries {
  #next: number;
  /** In order of offset: fresh ones are added at the end, handing out again keeps the place. */
  readonly #open = new Map<number, OpenDelivery>();
  readonly #due = new MinHeap<OpenDelivery>((delivery) => delivery.untilMs);
  /** Open messages whose time has come, in the order it came. */
  readonly #ready = new Map<number, OpenDelivery>();
  readonly #dirty = new Set<number>();
  #nextMoved = false;
  #heldCount = 0;

  constructor(next: number) {
    this.#next = next;
  }

  /** The first offset never handed out. */
  get next(): number {
    return this.#next;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** The first offset that is not finished. */
  get committed(): number {
    for (const offset of this.#open.keys()) return offset;
    return this.#next;
  }

  /** How many open messages were passed over without ever being handed out. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /**
   * When the next open message may be handed out; `null` when none will be by time alone. Those
   * that `ready` has named are not counted: their time has come.
   */
  nextDueMs(): number | null {
    this.#dropStale();
    const dueMs = this.#due.peek()?.untilMs ?? Infinity;
    return dueMs === Infinity ? null : dueMs;
  }

  /** Whether something may be handed out whose time `ready` has named already. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** Every open message, in order of offset. */
  all(): Iterable<OpenDelivery> {
    return this.#open.values();
  }

  /** The open messages whose time has come, longest ago first. They may be changed on the way. */
  ready(nowMs: number): OpenDelivery[] {
    this.#dropStale();
    for (let top = this.#due.peek(); top && top.untilMs <= nowMs; top = this.#due.peek()) {
      this.#due.pop();
      this.#ready.set(top.offset, top);
      this.#dropStale();
    }
    return [...this.#ready.values()];
  }

  /**
   * Whether the time of a message has come for which `mayGo`. Unlike `ready` it names none: what
   * waits for the time is still told of it.
   */
  hasDue(nowMs: number, mayGo: (delivery: OpenDelivery) => boolean): boolean {
    this.#dropStale();
    const top = this.#due.peek();
    if (top !== undefined && top.untilMs <= nowMs && mayGo(top)) return true;
    for (const delivery of this.#ready.values()) {
      if (mayGo(delivery)) return true;
    }
    return false;
  }

  open(offset: number): OpenDelivery | undefined {
    return this.#open.get(offset);
  }

  /** The first of `ready`, or `undefined`. The same until it is dealt with. */
  peekDue(nowMs: number): OpenDelivery | undefined {
    return this.ready(nowMs)[0];
  }

  /** Hands out an open message once more. */
  lease(offset: number, attempts: number, untilMs: number, lease: number): void {
    assert(offset < this.#next, "only what was handed out is handed out again");
    this.#put({ offset, attempts, untilMs, lease });
  }

  /** Hands out the message at `next`. */
  leaseFresh(untilMs: number, lease: number): void {
    const offset = this.#next;
    this.#moveNext(offset + 1);
    this.#put({ offset, attempts: 1, untilMs, lease });
  }

  /** Passes over the message at `next` for now: it stays open, to be handed out later. */
  holdFresh(): void {
    const offset = this.#next;
    this.#moveNext(offset + 1);
    this.#put({ offset, attempts: 0, untilMs: 0, lease: 0 });
  }

  /** Keeps a message until an operator decides: nothing is handed out again by time. */
  park(delivery: OpenDelivery): void {
    this.#put({ ...delivery, untilMs: Infinity, lease: 0 });
  }

  /** Passes over messages the group does not want: they are finished without being handed out. */
  skipTo(offset: number): void {
    assert(offset >= this.#next, "skipping goes forward");
    if (offset > this.#next) this.#moveNext(offset);
  }

  /** Finishes a message. False when `lease` is not its newest one. Finished twice is true. */
  acknowledge(offset: number, lease: number): boolean {
    const delivery = this.#open.get(offset);
    if (delivery === undefined) return offset < this.#next;
    if (delivery.lease !== lease) return false;
    this.#remove(offset);
    return true;
  }

  /** Lets nobody have an open message before `untilMs`: its record cannot be read now. */
  postpone(delivery: OpenDelivery, untilMs: number): void {
    this.#put({ ...delivery, untilMs, lease: 0 });
  }

  /** Opens a message again as it once was, held by nobody. It lies below `next`. */
  reopen(delivery: OpenDelivery): void {
    assert(delivery.offset < this.#next, "only what was looked at is open");
    this.#put({ ...delivery, lease: 0 });
  }

  /**
   * Gives a message back until `untilMs`, tried `attempts` times by then, 0 and up. False when
   * `lease` is not its newest one.
   */
  giveBack(offset: number, lease: number, untilMs: number, attempts: number): boolean {
    const delivery = this.#open.get(offset);
    if (delivery === undefined || delivery.lease !== lease) return false;
    this.#put({ offset, attempts, untilMs, lease: 0 });
    return true;
  }

  /** Moves the end of a lease. False when `lease` is not the newest one. */
  extend(offset: number, lease: number, untilMs: number): boolean {
    const delivery = this.#open.get(offset);
    if (delivery === undefined || delivery.lease !== lease) return false;
    this.#put({ ...delivery, untilMs });
    return true;
  }

  /** Finishes a message without anybody's word: it went to the dead-letter queue. */
  bury(offset: number): void {
    this.#remove(offset);
  }

  /**
   * A pulling consumer says what it has done. Going back is only for `reset`. False: it said
   * nothing new.
   */
  commit(offset: number): boolean {
    if (offset <= this.#next) return false;
    this.#moveNext(offset);
    return true;
  }

  /** Begins again at `offset`, whatever is open. Leases given before are worth nothing now. */
  reset(offset: number): void {
    for (const open of [...this.#open.keys()]) this.#remove(open);
    this.#moveNext(offset);
  }

  /** Whether `next` moved since it was last asked. */
  takeNextMoved(): boolean {
    const moved = this.#nextMoved;
    this.#nextMoved = false;
    return moved;
  }

  /** The chunks that changed since they were last asked for, as rows to store. */
  takeDirtyChunks(): Chunk[] {
    const chunks = [...this.#dirty].map((chunk) => ({ chunk, entries: this.#encode(chunk) }));
    this.#dirty.clear();
    return chunks;
  }

  /** Reads stored chunks back, in order of `chunk`. Only at start. */
  restore(chunk: number, entries: Uint8Array): void {
    const reader = new ByteReader(entries);
    while (reader.left > 0) {
      const offset = chunk * chunkOffsets + reader.u8();
      const attempts = reader.u16();
      const untilMs = reader.f64();
      this.#put({ offset, attempts, untilMs, lease: reader.f64() });
    }
    this.#dirty.clear();
  }

  #put(delivery: OpenDelivery): void {
    this.#countHeld(this.#open.get(delivery.offset), -1);
    this.#countHeld(delivery, 1);
    this.#ready.delete(delivery.offset);
    this.#open.set(delivery.offset, delivery);
    this.#due.push(delivery);
    this.#dirty.add(Math.floor(delivery.offset / chunkOffsets));
    if (this.#due.size > 2 * this.#open.size + chunkOffsets) this.#rebuildDue();
  }

  #countHeld(delivery: OpenDelivery | undefined, change: number): void {
    if (delivery?.attempts === 0) this.#heldCount += change;
  }

  #remove(offset: number): void {
    this.#countHeld(this.#open.get(offset), -1);
    this.#ready.delete(offset);
    if (this.#open.delete(offset)) this.#dirty.add(Math.floor(offset / chunkOffsets));
  }

  #moveNext(offset: number): void {
    this.#next = offset;
    this.#nextMoved = true;
  }

  /** A changed delivery leaves its old heap entry behind; it is dropped when it comes up. */
  #dropStale(): void {
    for (let top = this.#due.peek(); top !== undefined; top = this.#due.peek()) {
      if (this.#open.get(top.offset) === top && !this.#ready.has(top.offset)) return;
      this.#due.pop();
    }
  }

  /** Many extensions of few messages leave many stale entries: begin again from what is open. */
  #rebuildDue(): void {
    while (this.#due.size > 0) this.#due.pop();
    for (const delivery of this.#open.values()) {
      if (!this.#ready.has(delivery.offset)) this.#due.push(delivery);
    }
  }

  #encode(chunk: number): Uint8Array | null {
    const writer = new ByteWriter(256);
    const first = chunk * chunkOffsets;
    for (let offset = first; offset < first + chunkOffsets; offset++) {
      const delivery = this.#open.get(offset);
      if (delivery === undefined) continue;
      writer.u8(offset - first);
      writer.u8(delivery.attempts >> 8);
      writer.u8(delivery.attempts & 0xff);
      writer.f64(delivery.untilMs);
      writer.f64(delivery.lease);
    }
    return writer.length === 0 ? null : writer.view();
  }
}
