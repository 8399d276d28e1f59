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

/** One item of a batch. `payload` reads exactly this item's bytes. */
export type Item = { readonly head: number; readonly id: number; readonly payload: ByteReader };

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

/** Splits a batch. The readers are views: they keep the buffer alive. */
export function readBatch(buffer: ArrayBuffer): { consumed: number; items: Item[] } {
  const bytes = new Uint8Array(buffer);
  const reader = new ByteReader(bytes);
  const consumed = reader.u32();
  const items: Item[] = [];
  while (reader.left >= itemHeadBytes) {
    const head = reader.u8();
    const id = reader.u32();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    items.push({ head, id, payload: new ByteReader(bytes, start, start + length) });
  }
  return { consumed, items };
}

/** Memory that a link's writer keeps from one batch to the next; larger batches are rare. */
export const batchBytesKept = 64 * 1024;
