/**
 * The first step of a commit: the turn is checked against where queues end, and its index encoded.
 * Nothing that lasts is changed, so a turn that is refused leaves no trace.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import { limits } from "../src/base/limits.ts";
import type { TurnRecord } from "../src/ports/shard_store.ts";
import { QueueTail } from "./queue_tail.ts";
import type { Recovered } from "./recovery.ts";
import { EntriesBuffer, turnEntryBytes } from "./turn_format.ts";

/** The plan of the turn that is being committed. One object serves all turns. */
export class TurnPlan {
  readonly #parts: Recovered;
  #turn = 0;
  #entries = new EntriesBuffer(limits.batchMessagesMax);
  #tails: QueueTail[] = [];
  #added: QueueTail[] = [];

  constructor(parts: Recovered) {
    this.#parts = parts;
  }

  /** The tail of each entry. */
  get tails(): readonly QueueTail[] {
    return this.#tails;
  }

  /** The tails of queues that had no message before. */
  get added(): readonly QueueTail[] {
    return this.#added;
  }

  /** Answers with the index of the turn, valid until the next plan. */
  begin(record: TurnRecord): Uint8Array {
    const { log, index } = this.#parts;
    const { entries } = record;
    assert(record.firstPosition === log.nextPosition, "a turn begins where the log ends");
    assert(record.storedMs >= log.lastStoredMs, "stored time does not go back");
    this.#turn++;
    this.#added = [];
    this.#tails.length = 0;
    if (entries.length > this.#entries.capacity) {
      this.#entries = new EntriesBuffer(Math.ceil(entries.length * 1.5));
    }
    const added = new Map<number, QueueTail>();
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at]!; // `at` is below the length
      const { queueKey, queueOffset, start, bytes } = entry;
      const tail = index.tails.get(queueKey) ?? added.get(queueKey) ?? this.#add(queueKey, added);
      if (tail.plannedTurn !== this.#turn) {
        tail.plannedTurn = this.#turn;
        tail.planned = 0;
      }
      assert(queueOffset === tail.nextOffset + tail.planned, "queue offsets leave no gap");
      assert(start + bytes <= record.records.length, "an entry lies within the records");
      tail.planned++;
      this.#tails.push(tail);
      this.#entries.put(at, queueOffset, queueKey, start, bytes, entry.tagHash);
    }
    return this.#entries.bytes.subarray(0, entries.length * turnEntryBytes);
  }

  #add(queueKey: number, added: Map<number, QueueTail>): QueueTail {
    assert(queueKey >= 0 && queueKey <= 0xffff_ffff, "a queue key fits into 32 bits");
    assert(!this.#parts.dropped.has(queueKey), "the key of a dropped queue is not used again");
    const tail = new QueueTail(queueKey);
    added.set(queueKey, tail);
    this.#added.push(tail);
    return tail;
  }
}
