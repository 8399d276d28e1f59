/**
 * Handing messages of one queue to one consumer of a group.
 *
 *     open, time has come ─┐                 ┌─▶ leased
 *                          ├─▶ candidate ────┼─▶ left for another member, or behind its key
 *     fresh, at `next` ────┘                 ├─▶ given up: dead letters, or its key is parked
 *                                            ├─▶ put off: the disk has no room to bury it
 *                                            └─▶ passed over: expired, or nobody wants it
 *
 * @module
 */
import { limits } from "../../src/base/limits.ts";
import type { Deliveries, OpenDelivery } from "../../src/core/deliveries.ts";
import { accepts, mightMatch } from "../../src/core/filter.ts";
import type { OrderWindow } from "../../src/core/order_window.ts";
import { isExhausted } from "../../src/core/retry.ts";
import type { Delivery, ReceiveAsk } from "../../src/link/shard_messages.ts";
import { StorageError } from "../../src/model/errors.ts";
import { recordProperties } from "../../src/model/record.ts";
import type { Filter } from "../../src/model/subscription.ts";
import type { QueueEntry, ShardStore } from "../../src/ports/shard_store.ts";
import type { TurnDraft } from "./draft.ts";
import { isExpired } from "./expiry.ts";
import { forDeadLetter } from "./rewrite.ts";
import { shardingKeyOf, type ShardState } from "./state.ts";

/** Entries read in one go while searching for messages the filter lets through. */
const scanEntries = 256;
/** How long a message whose record cannot be read is left alone before it is tried again. */
const damagedPauseMs = 60_000;
/** How long a message whose attempts are over waits for room among the dead letters. */
const buryAgainMs = 5_000;

/** Attempts are stored in 16 bits, and a broadcast reader has no last one. */
const attemptsToldMax = 0xffff;

/** What a receive has gathered so far, over all its queues. */
export type Gathered = {
  readonly deliveries: Delivery[];
  readonly records: Uint8Array[];
  bytes: number;
  /** Fresh messages looked at, and the bytes read to judge them: a turn does not go on for ever. */
  looked: number;
  readBytes: number;
  /** Messages that went to the dead letters. */
  buried: number;
};

/** What handing out works on. */
export type HandOutParts = {
  readonly ask: ReceiveAsk;
  readonly draft: TurnDraft;
  readonly state: ShardState;
  readonly store: ShardStore;
  readonly shard: number;
  /** False: the disk has no room for dead letters. */
  readonly mayBury: boolean;
};

/** One message under consideration. */
type Candidate = { readonly entry: QueueEntry; readonly record: Uint8Array };

/** One visit of one consumer to one queue. */
export class HandOut {
  readonly #parts: HandOutParts;
  readonly #queueKey: number;
  readonly #deliveries: Deliveries;
  readonly #window: OrderWindow | null;
  readonly #gathered: Gathered;
  #changed = false;

  constructor(
    parts: HandOutParts,
    queueKey: number,
    deliveries: Deliveries,
    gathered: Gathered,
  ) {
    const { ask, state, store } = parts;
    this.#parts = parts;
    this.#queueKey = queueKey;
    this.#deliveries = deliveries;
    this.#gathered = gathered;
    this.#window = ask.policy.ordered ? state.window(ask.groupKey, queueKey, store) : null;
    // What is handed out now is not followed: should the group be ordered again, look anew.
    if (!ask.policy.ordered) state.forgetWindow(ask.groupKey, queueKey);
  }

  /** Leases what the consumer may have of this queue: open messages first, then fresh ones. */
  run(): void {
    const { ask, state } = this.#parts;
    this.#dropTrimmed();
    for (const open of this.#deliveries.ready(this.#parts.draft.nowMs)) {
      if (this.#isFull()) break;
      if (this.#isBurying()) {
        state.unblock(this.#queueKey);
        break;
      }
      this.#again(open);
    }
    this.#fresh();
    if (this.#changed) state.touch(ask.groupKey, this.#queueKey, this.#deliveries);
  }

  /** Retention took them, which the topic allowed: what is parked would block its key for ever. */
  #dropTrimmed(): void {
    const minOffset = this.#parts.store.minOffset(this.#queueKey);
    if (this.#deliveries.committed >= minOffset) return;
    for (const { offset } of this.#deliveries.all()) {
      if (offset >= minOffset) break;
      this.#finish(offset);
    }
  }

  #isFull(): boolean {
    const { ask } = this.#parts;
    const { deliveries, bytes } = this.#gathered;
    return deliveries.length >= ask.messagesMax || (deliveries.length > 0 && bytes >= ask.bytesMax);
  }

  /** Whether the turn holds as many dead letters as it should: the rest follows in the next. */
  #isBurying(): boolean {
    return this.#gathered.buried >= limits.buriedPerTurnMax ||
      this.#parts.draft.bytes >= limits.turnBytesMax;
  }

  #again(open: OpenDelivery): void {
    const { ask, draft, store } = this.#parts;
    if (this.#window !== null && !this.#window.isFirst(open.offset)) return;
    const entry = store.entries(this.#queueKey, open.offset, 1)[0];
    if (entry === undefined || entry.queueOffset !== open.offset) {
      // Retention took it, which the topic allowed: there is nothing left to hand out.
      this.#finish(open.offset);
      return;
    }
    if (!mightMatch(ask.filter, entry.tagHash)) {
      return this.#letGo(open, (filter) => mightMatch(filter, entry.tagHash));
    }
    const candidate = this.#read(entry);
    if (candidate === null) {
      this.#changed = true;
      this.#deliveries.postpone(open, draft.nowMs + damagedPauseMs);
      return;
    }
    if (this.#isExpired(candidate)) return this.#passOver(open.offset, "expired");
    if (!isWanted(ask.filter, candidate)) {
      return this.#letGo(open, (filter) => isWanted(filter, candidate));
    }
    if (isExhausted(open.attempts, ask.policy.attemptsMax)) this.#giveUp(open, candidate);
    else this.#lease(candidate, Math.min(open.attempts + 1, attemptsToldMax));
  }

  /**
   * A message this consumer does not want. It was kept for others; when they are gone it is
   * finished, or it would be in the way for ever. What somebody had and gave back stays.
   */
  #letGo(open: OpenDelivery, wants: (filter: Filter) => boolean): void {
    if (open.attempts > 0 || this.#parts.ask.otherFilters.some(wants)) return;
    this.#passOver(open.offset, "unmatched");
  }

  #fresh(): void {
    const { ask, store } = this.#parts;
    const startedAt = this.#deliveries.next;
    const minOffset = store.minOffset(this.#queueKey);
    if (this.#deliveries.next < minOffset) this.#deliveries.skipTo(minOffset);
    while (!this.#isFull() && !this.#isSpent() && this.#hasRoom()) {
      const plain = ask.filter.kind === "all" && this.#window === null;
      const count = plain ? ask.messagesMax - this.#gathered.deliveries.length : scanEntries;
      const entries = store.entries(this.#queueKey, this.#deliveries.next, count);
      if (entries.length === 0) break;
      for (const entry of entries) {
        if (this.#isFull() || this.#isSpent() || !this.#hasRoom()) break;
        this.#gathered.looked++;
        this.#deliveries.skipTo(entry.queueOffset);
        this.#consider(entry);
      }
    }
    if (this.#deliveries.next !== startedAt) this.#changed = true;
    // Whoever waits goes on in the next turn, from the place this one came to.
    if (this.#isSpent()) this.#parts.state.unblock(this.#queueKey);
  }

  #isSpent(): boolean {
    const { looked, readBytes } = this.#gathered;
    return looked >= limits.filterScanEntriesMax || readBytes >= limits.filterScanBytesMax;
  }

  /** Decides about the message at `next`, and moves on. */
  #consider(entry: QueueEntry): void {
    const { ask, draft, state } = this.#parts;
    const offset = entry.queueOffset;
    const mine = mightMatch(ask.filter, entry.tagHash);
    const others = ask.otherFilters.some((filter) => mightMatch(filter, entry.tagHash));
    if (!mine && !others) return this.#skip("unmatched");
    const candidate = this.#read(entry);
    this.#gathered.readBytes += entry.bytes;
    if (candidate === null) {
      this.#deliveries.holdFresh();
      const held = this.#deliveries.open(offset);
      if (held !== undefined) this.#deliveries.postpone(held, draft.nowMs + damagedPauseMs);
      return;
    }
    if (this.#isExpired(candidate)) return this.#skip("expired");
    const wanted = isWanted(ask.filter, candidate);
    if (!wanted && !ask.otherFilters.some((filter) => isWanted(filter, candidate))) {
      return this.#skip("unmatched");
    }
    const key = this.#window === null ? "" : shardingKeyOf(candidate.record);
    const blocked = this.#window?.isBlocked(key) ?? false;
    this.#window?.add(key, offset);
    if (wanted && !blocked) return this.#lease(candidate, 1);
    this.#deliveries.holdFresh();
    if (!wanted) state.unblock(this.#queueKey);
  }

  /** Whether another open message may be noted: leases and what waits are both bounded. */
  #hasRoom(): boolean {
    return this.#deliveries.openCount < limits.inflightPerGroupMax &&
      this.#deliveries.heldCount < limits.heldPerQueueMax;
  }

  /** `null`: its record cannot be read, which is noted. */
  #read(entry: QueueEntry): Candidate | null {
    try {
      const record = this.#parts.store.records([entry.position])[0];
      if (record !== undefined && record.length > 0) return { entry, record };
      this.#parts.state.damage.note(`There is no record at position ${entry.position}`);
    } catch (thrown) {
      if (!(thrown instanceof StorageError) || thrown.fault !== "damaged") throw thrown;
      this.#parts.state.damage.note(thrown.message);
    }
    return null;
  }

  #isExpired({ record }: Candidate): boolean {
    const { ask, draft } = this.#parts;
    return isExpired(record, ask.policy.ttlMs, draft.nowMs);
  }

  #lease({ entry, record }: Candidate, attempt: number): void {
    const { ask, draft, state } = this.#parts;
    const { queueOffset: offset, bytes } = entry;
    const invisibleUntilMs = draft.nowMs + ask.invisibleMs;
    const lease = state.newLease(draft.nowMs, ask.clientId);
    if (offset === this.#deliveries.next) this.#deliveries.leaseFresh(invisibleUntilMs, lease);
    else this.#deliveries.lease(offset, attempt, invisibleUntilMs, lease);
    this.#changed = true;
    this.#gathered.records.push(record);
    this.#gathered.bytes += bytes;
    const queueKey = this.#queueKey;
    this.#gathered.deliveries.push({ queueKey, offset, attempt, lease, invisibleUntilMs, bytes });
  }

  /** The last attempt failed: an ordered group parks the key, any other buries the message. */
  #giveUp(open: OpenDelivery, candidate: Candidate): void {
    const { ask, draft, shard, mayBury } = this.#parts;
    this.#changed = true;
    if (ask.policy.ordered) {
      this.#deliveries.park(open);
      return;
    }
    // It stays open, and is not delivered again; the messages behind it are.
    if (!mayBury) return this.#deliveries.postpone(open, draft.nowMs + buryAgainMs);
    const target = { topic: ask.policy.deadLetterTopic, queueId: shard };
    const { attempts } = open;
    const death = { reason: "attempts-exhausted", attempts, atMs: draft.nowMs } as const;
    const dead = forDeadLetter(candidate.record, target, death);
    this.#gathered.buried++;
    draft.append(ask.policy.deadLetterQueueKey, dead.tagHash, dead.record);
    draft.mustSurvive("power-loss");
    this.#finish(open.offset);
  }

  #passOver(offset: number, why: "expired" | "unmatched"): void {
    const { ask, state } = this.#parts;
    this.#finish(offset);
    if (why === "expired") state.notes.expired(ask.groupKey, this.#queueKey, offset);
    state.countPassed(ask.groupKey, this.#queueKey, why);
  }

  #skip(why: "expired" | "unmatched"): void {
    const { ask, state } = this.#parts;
    const offset = this.#deliveries.next;
    if (why === "expired") state.notes.expired(ask.groupKey, this.#queueKey, offset);
    this.#deliveries.skipTo(offset + 1);
    state.countPassed(ask.groupKey, this.#queueKey, why);
  }

  #finish(offset: number): void {
    this.#changed = true;
    this.#deliveries.bury(offset);
    if (this.#window?.remove(offset)) this.#parts.state.unblock(this.#queueKey);
  }
}

function isWanted(filter: Filter, { entry, record }: Candidate): boolean {
  return accepts(filter, entry.tagHash, () => recordProperties(record, 0));
}
