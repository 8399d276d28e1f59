/**
 * The answering end of a link. It gathers what arrived until the role takes it, a turn's worth at a
 * time, and posts the answers of one turn as one buffer, or several when they are large.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ByteWriter } from "../base/bytes.ts";
import { limits } from "../base/limits.ts";
import type { ThreadPort } from "../ports/thread_port.ts";
import {
  answerHead,
  batchBytesKept,
  BatchReader,
  beginBatch,
  beginItem,
  endItem,
  errorHead,
  noticeHead,
} from "./batch_encoding.ts";
import { writeError } from "./carried_error.ts";
import type { AnswerOf, RequestOf } from "./client.ts";
import type { OperationCodec } from "./codec.ts";

// deno-lint-ignore no-explicit-any -- a table of codecs, each with types of its own
type Operations = Readonly<Record<string, OperationCodec<any, any>>>;

/** A question as the role sees it, told apart by `name`. */
export type Asked<T extends Operations> = {
  [N in keyof T & string]: {
    readonly name: N;
    readonly id: number;
    readonly request: RequestOf<T, N>;
  };
}[keyof T & string];

/** How much one turn takes at most, and how large a buffer of answers grows. */
export type ServerBounds = {
  readonly turnRequestsMax: number;
  readonly turnBytesMax: number;
  readonly linkBatchBytesMax: number;
};

/**
 * Answers what one other thread asks, by the same table of operations. Every question that `take`
 * hands out is answered or refused once, now or later, and what it depends on has happened before:
 * an answer may leave at once when its batch is full, and leaves with `post` at the latest.
 */
export class LinkServer<T extends Operations> {
  readonly #operations: T;
  readonly #names: readonly (keyof T & string)[];
  readonly #port: ThreadPort;
  readonly #onArrival: () => void;
  readonly #bounds: ServerBounds;
  /** Bounded by the asking end: it has two buffers under way. */
  readonly #inbox: ArrayBuffer[] = [];
  /** The buffer that is being taken, if it was begun. */
  #batch: BatchReader | null = null;
  #consumed = 0;
  readonly #writer = new ByteWriter(64 * 1024);
  #itemCount = 0;

  /**
   * `onArrival` is called for every buffer that comes in, and again when a turn left something; the
   * role decides when to `take`.
   */
  constructor(
    operations: T,
    port: ThreadPort,
    onArrival: () => void,
    bounds: ServerBounds = limits,
  ) {
    this.#operations = operations;
    this.#onArrival = onArrival;
    this.#bounds = bounds;
    this.#names = Object.keys(operations);
    this.#port = port;
    beginBatch(this.#writer, 0);
    port.onMessage((message) => {
      assert(message instanceof ArrayBuffer, "a link carries buffers");
      this.#inbox.push(message);
      onArrival();
    });
  }

  /** What has arrived since the last call, in order, up to one turn's worth. */
  take(): Asked<T>[] {
    const { turnRequestsMax, turnBytesMax } = this.#bounds;
    const asked: Asked<T>[] = [];
    let bytes = 0;
    while (asked.length < turnRequestsMax && bytes < turnBytesMax) {
      const item = this.#nextItem();
      if (item === null) return asked;
      const { head, id, payload } = item;
      const name = this.#names[head];
      assert(name !== undefined, "both ends know the same operations");
      bytes += payload.left;
      const request = this.#operations[name]?.request.read(payload);
      asked.push({ name, id, request } as Asked<T>);
    }
    // Not within the turn: the role has not even begun to work on what it is given here.
    if (this.#batch !== null || this.#inbox.length > 0) queueMicrotask(this.#onArrival);
    return asked;
  }

  /** The buffer that is being taken, moved on to its next item; `null`: there is none. */
  #nextItem(): BatchReader | null {
    let batch = this.#batch;
    if (batch === null) {
      const buffer = this.#inbox.shift();
      if (buffer === undefined) return null;
      batch = new BatchReader(buffer);
    }
    const isItem = batch.next();
    assert(isItem, "nobody posts an empty batch of questions");
    this.#batch = batch.hasMore ? batch : null;
    // The credit goes back with the last item: what is left of a buffer still takes room here.
    if (this.#batch === null) this.#consumed++;
    return batch;
  }

  answer<N extends keyof T & string>(name: N, id: number, answer: AnswerOf<T, N>): void {
    const mark = beginItem(this.#writer, answerHead, id);
    this.#operations[name]?.answer.write(this.#writer, answer);
    this.#endItem(mark);
  }

  refuse(id: number, thrown: unknown): void {
    const mark = beginItem(this.#writer, errorHead, id);
    writeError(this.#writer, thrown);
    this.#endItem(mark);
  }

  /** News that nobody asked for; leaves with the turn's answers. */
  tell(notice: unknown): void {
    const mark = beginItem(this.#writer, noticeHead, 0);
    this.#writer.text(JSON.stringify(notice));
    this.#endItem(mark);
  }

  #endItem(mark: number): void {
    endItem(this.#writer, mark);
    this.#itemCount++;
    if (this.#writer.length >= this.#bounds.linkBatchBytesMax) this.post();
  }

  /** Posts the answers of the turn and the credits for what it took, if there are any. */
  post(): void {
    if (this.#itemCount === 0 && this.#consumed === 0) return;
    this.#writer.setU32(0, this.#consumed);
    const buffer = this.#writer.copyOut(batchBytesKept);
    beginBatch(this.#writer, 0);
    this.#itemCount = 0;
    this.#consumed = 0;
    this.#port.postMessage(buffer, [buffer]);
  }
}
