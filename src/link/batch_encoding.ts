/**
 * Many messages in one transferable buffer, both ways across a thread border.
 *
 *     batch   := u32 consumed, item*
 *     item    := u8 head, u32 id, u32 bytes, payload
 *
 * In a request `head` is the operation's number; in a reply it is 0 for an answer and 1 for an
 * error. `id` joins a reply to its request; notices carry 0. `consumed` counts the batches that the
 * sender has taken in since its last post: it is the other side's credit.
 *
 * @module
 */
import { ByteReader, type ByteWriter } from "../base/bytes.ts";

/** `head` of a reply that answers. */
export const answerHead = 0;
/** `head` of a reply that carries an error. */
export const errorHead = 1;
/** `head` of a notice: JSON that nobody asked for. */
export const noticeHead = 2;

const itemHeadBytes = 9;

/** Begins a batch in an empty writer. */
export function beginBatch(writer: ByteWriter, consumed: number): void {
  writer.u32(consumed);
}

/** Begins an item. Returns the mark that `endItem` wants. */
export function beginItem(writer: ByteWriter, head: number, id: number): number {
  writer.u8(head);
  writer.u32(id);
  return writer.reserve(4);
}

/** Ends the item begun at `mark`, now that its length is known. */
export function endItem(writer: ByteWriter, mark: number): void {
  writer.setU32(mark, writer.length - mark - 4);
}

/**
 * Reads a batch item by item. One reader serves all items: what it gives out of one is a view on
 * the buffer, and `payload` itself is good until the next item is asked for.
 */
export class BatchReader {
  /** Batches that the other side has taken in. */
  readonly consumed: number;
  head = 0;
  id = 0;
  /** Reads exactly this item's bytes. */
  readonly payload: ByteReader;
  readonly #bytes: number;
  #end: number;

  constructor(buffer: ArrayBuffer) {
    this.payload = new ByteReader(new Uint8Array(buffer));
    this.#bytes = buffer.byteLength;
    this.consumed = this.payload.u32();
    this.#end = this.payload.at;
  }

  /** Whether there are items that were not asked for yet. */
  get hasMore(): boolean {
    return this.#bytes - this.#end >= itemHeadBytes;
  }

  /** Goes on to the next item. False: there is none. @throws {RangeError} It is cut off. */
  next(): boolean {
    if (!this.hasMore) return false;
    const { payload } = this;
    payload.within(this.#end, this.#bytes);
    this.head = payload.u8();
    this.id = payload.u32();
    const length = payload.u32();
    const start = payload.at;
    payload.skip(length);
    this.#end = payload.at;
    payload.within(start, this.#end);
    return true;
  }
}

/** Memory that a link's writer keeps from one batch to the next; larger batches are rare. */
export const batchBytesKept = 64 * 1024;
