/**
 * The asking end of a link. What is asked within one turn of the event loop leaves as one buffer;
 * while the other side is busy, further questions gather for its next turn.
 *
 * @module
 */
import { ByteWriter } from "../base/bytes.ts";
import { assert } from "../base/assert.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { ThreadPort } from "../ports/thread_port.ts";
import {
  answerHead,
  batchBytesKept,
  BatchReader,
  beginBatch,
  beginItem,
  endItem,
  errorHead,
} from "./batch_encoding.ts";
import { readError } from "./carried_error.ts";
import type { OperationCodec, ValueCodec } from "./codec.ts";
import { atOnce, type Departure } from "./departure.ts";

// deno-lint-ignore no-explicit-any -- a table of codecs, each with types of its own
type Operations = Readonly<Record<string, OperationCodec<any, any>>>;
/** What operation `N` of table `T` is asked. */
export type RequestOf<T extends Operations, N extends keyof T> = T[N] extends
  { readonly request: ValueCodec<infer R> } ? R : never;
/** What operation `N` of table `T` answers. */
export type AnswerOf<T extends Operations, N extends keyof T> = T[N] extends
  { readonly answer: ValueCodec<infer A> } ? A : never;

type Codec = OperationCodec<unknown, unknown>;
type NumberedOperation = { readonly number: number; readonly codec: Codec };
type Pending = {
  readonly codec: Codec;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
};

/** Two batches under way: the other side always finds the next one when it has finished one. */
const batchesUnderWayMax = 2;
/** What is left of a crowd that is gone after each credit. */
const crowdKept = 0.95;

/**
 * Asks one other thread by a table of operations. At most `pendingMax` questions are open, and at
 * most one batch waits for a credit; they are answered in any order, and all fail together when the
 * thread is lost.
 */
export class LinkClient<T extends Operations> {
  readonly #operations: ReadonlyMap<string, NumberedOperation>;
  readonly #port: ThreadPort;
  readonly #pendingMax: number;
  readonly #batchBytesMax: number;
  readonly #departure: Departure;
  readonly #onNotice: (notice: unknown) => void;
  /** Bounded by `pendingMax`. */
  readonly #pending = new Map<number, Pending>();
  readonly #writer = new ByteWriter(64 * 1024);
  #itemCount = 0;
  /** How many questions each batch under way carries, the oldest first. */
  readonly #underWay: number[] = [];
  #nextId = 1;
  #flushPlanned = false;
  /** Questions when the event loop's turn began, and turns in a row that brought none. */
  #seen = 0;
  #quietTurns = 0;
  /** Batches that left, and how many had when the wait for half of a crowd began. */
  #left = 0;
  #leftBefore = 0;
  #isWaiting = false;
  /** Questions open together lately: what was under way, and what gathered meanwhile. */
  #crowd = 0;
  /** Questions with which the next batch leaves at once, by the crowd. */
  #enough = Infinity;
  #lost: Error | null = null;

  constructor(
    operations: T,
    port: ThreadPort,
    pendingMax: number,
    onNotice: (notice: unknown) => void,
    batchBytesMax: number = limits.linkBatchBytesMax,
    departure: Departure = atOnce,
  ) {
    const named = Object.entries(operations);
    this.#operations = new Map(named.map(([name, codec], number) => [name, { number, codec }]));
    this.#port = port;
    this.#pendingMax = pendingMax;
    this.#batchBytesMax = batchBytesMax;
    this.#departure = departure;
    this.#onNotice = onNotice;
    beginBatch(this.#writer, 0);
    port.onMessage((message) => this.#take(message));
  }

  /** Questions not answered yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Whether this question still waits for its answer. */
  isPending(id: number): boolean {
    return this.#pending.has(id);
  }

  /**
   * Asks, and gives the question's id to `onId` so that it can be forgotten while it is parked.
   *
   * @throws {BrokerError} What the other side refused; `too_busy` when too many questions or bytes
   * are pending; `storage_failed` when its thread is gone.
   */
  ask<N extends keyof T & string>(
    name: N,
    request: RequestOf<T, N>,
    onId?: (id: number) => void,
  ): Promise<AnswerOf<T, N>> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const busy = this.#tooBusy();
    if (busy !== null) {
      return Promise.reject(new BrokerError("too_busy", `Cannot ask for "${name}": ${busy}`));
    }
    const operation = this.#operations.get(name);
    assert(operation !== undefined, "the operation is in the table");
    const { number, codec } = operation;
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    const mark = beginItem(this.#writer, number, id);
    codec.request.write(this.#writer, request);
    endItem(this.#writer, mark);
    this.#itemCount++;
    this.#planFlush();
    onId?.(id);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { codec, resolve, reject });
    // The table joins each id to its own codec, so the answer has the operation's type.
    return promise as Promise<AnswerOf<T, N>>;
  }

  /** Why nothing more may be asked for now. A full batch leaves at once if there is a credit. */
  #tooBusy(): string | null {
    if (this.#pending.size >= this.#pendingMax) return `${this.#pending.size} requests are pending`;
    if (this.#writer.length < this.#batchBytesMax) return null;
    this.#flush();
    return this.#itemCount === 0 ? null : `${this.#writer.length} bytes of requests are pending`;
  }

  /** The thread is gone: everything pending fails with `error`, and so will all that comes. */
  lose(error: Error): void {
    this.#lost = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#port.close();
  }

  #planFlush(): void {
    if (!this.#mayLeave()) return;
    if (this.#itemCount >= this.#enough) {
      this.#flush();
      return;
    }
    if (this.#crowd >= this.#departure.crowdMin) this.#waitForHalf();
    else this.#watchTurns();
  }

  #waitForHalf(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#leftBefore = this.#left;
    this.#departure.late(this.#endWait);
  }

  readonly #endWait = (): void => {
    this.#isWaiting = false;
    if (!this.#mayLeave()) return;
    // If what was waited for has left, the batch that gathers now has a time of its own.
    if (this.#left === this.#leftBefore) this.#flush();
    else this.#planFlush();
  };

  #watchTurns(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#seen = this.#itemCount;
    this.#quietTurns = 0;
    this.#departure.later(this.#endTurn);
  }

  #mayLeave(): boolean {
    if (this.#underWay.length === 0) return this.#itemCount > 0;
    return this.#underWay.length < batchesUnderWayMax &&
      this.#itemCount >= Math.min(this.#enough, this.#departure.secondItemsMin);
  }

  /** One function for all turns: a batch may look around a few times before it leaves. */
  readonly #endTurn = (): void => {
    const { quietTurnsMin, itemsEnough, later } = this.#departure;
    if (!this.#mayLeave()) {
      this.#flushPlanned = false;
      return;
    }
    this.#quietTurns = this.#itemCount > this.#seen ? 0 : this.#quietTurns + 1;
    this.#seen = this.#itemCount;
    if (this.#quietTurns < quietTurnsMin && this.#itemCount < itemsEnough) {
      later(this.#endTurn);
      return;
    }
    this.#flushPlanned = false;
    this.#flush();
  };

  #flush(): void {
    const isFull = this.#underWay.length >= batchesUnderWayMax;
    if (this.#itemCount === 0 || isFull || this.#lost !== null) return;
    const buffer = this.#writer.copyOut(batchBytesKept);
    beginBatch(this.#writer, 0);
    this.#underWay.push(this.#itemCount);
    this.#itemCount = 0;
    this.#left++;
    this.#port.postMessage(buffer, [buffer]);
  }

  /** Batches were taken in there. A crowd is noticed at once, and that it left after a while. */
  #credit(batches: number): void {
    assert(batches <= this.#underWay.length, "no batch is consumed twice");
    let open = this.#itemCount;
    for (const items of this.#underWay) open += items;
    this.#underWay.splice(0, batches);
    this.#crowd = Math.max(open, this.#crowd * crowdKept);
    this.#enough = this.#departure.enoughOf(Math.round(this.#crowd));
  }

  #take(message: unknown): void {
    if (!(message instanceof ArrayBuffer)) return;
    const batch = new BatchReader(message);
    const { consumed, payload } = batch;
    if (consumed > 0) this.#credit(consumed);
    this.#planFlush();
    while (batch.next()) {
      const { head, id } = batch;
      if (head !== answerHead && head !== errorHead) {
        this.#onNotice(JSON.parse(payload.text(payload.left)));
        continue;
      }
      const pending = this.#pending.get(id);
      if (pending === undefined) continue;
      this.#pending.delete(id);
      if (head === errorHead) pending.reject(readError(payload));
      else pending.resolve(pending.codec.answer.read(payload));
    }
  }
}
