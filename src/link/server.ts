/**
 * The answering end of a link. It gathers what arrived until the role takes it, and posts the
 * answers of one turn as one buffer.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import { ByteWriter } from "../base/bytes.ts";
import type { ThreadPort } from "../ports/thread_port.ts";
import {
  answerHead,
  beginBatch,
  beginItem,
  endItem,
  errorHead,
  noticeHead,
  readBatch,
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

/**
 * Answers what one other thread asks, by the same table of operations. Every question that `take`
 * hands out is answered or refused once, now or later; nothing leaves before `post`.
 */
export class LinkServer<T extends Operations> {
  readonly #operations: T;
  readonly #names: readonly (keyof T & string)[];
  readonly #port: ThreadPort;
  #inbox: ArrayBuffer[] = [];
  #consumed = 0;
  readonly #writer = new ByteWriter(64 * 1024);
  #itemCount = 0;

  /** `onArrival` is called for every buffer that comes in; the role decides when to `take`. */
  constructor(operations: T, port: ThreadPort, onArrival: () => void) {
    this.#operations = operations;
    this.#names = Object.keys(operations);
    this.#port = port;
    beginBatch(this.#writer, 0);
    port.onMessage((message) => {
      assert(message instanceof ArrayBuffer, "a link carries buffers");
      this.#inbox.push(message);
      onArrival();
    });
  }

  /** Everything that has arrived since the last call, in order. */
  take(): Asked<T>[] {
    const buffers = this.#inbox;
    this.#inbox = [];
    this.#consumed += buffers.length;
    const asked: Asked<T>[] = [];
    for (const buffer of buffers) {
      for (const { head, id, payload } of readBatch(buffer).items) {
        const name = this.#names[head];
        assert(name !== undefined, "both ends know the same operations");
        const request = this.#operations[name]?.request.read(payload);
        asked.push({ name, id, request } as Asked<T>);
      }
    }
    return asked;
  }

  answer<N extends keyof T & string>(name: N, id: number, answer: AnswerOf<T, N>): void {
    const mark = beginItem(this.#writer, answerHead, id);
    this.#operations[name]?.answer.write(this.#writer, answer);
    endItem(this.#writer, mark);
    this.#itemCount++;
  }

  refuse(id: number, thrown: unknown): void {
    const mark = beginItem(this.#writer, errorHead, id);
    writeError(this.#writer, thrown);
    endItem(this.#writer, mark);
    this.#itemCount++;
  }

  /** News that nobody asked for; leaves with the turn's answers. */
  tell(notice: unknown): void {
    const mark = beginItem(this.#writer, noticeHead, 0);
    this.#writer.text(JSON.stringify(notice));
    endItem(this.#writer, mark);
    this.#itemCount++;
  }

  /** Posts the answers of the turn and the credits for what it took, if there are any. */
  post(): void {
    if (this.#itemCount === 0 && this.#consumed === 0) return;
    this.#writer.setU32(0, this.#consumed);
    const buffer = this.#writer.detach(64 * 1024);
    beginBatch(this.#writer, 0);
    this.#itemCount = 0;
    this.#consumed = 0;
    this.#port.postMessage(buffer, [buffer]);
  }
}
