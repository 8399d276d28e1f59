/**
 * Receipt handles: who got which message, in a text that cannot be forged.
 *
 *     receipt := group ["-" reader] "." shard "." queue "." offset "." lease "." signature
 *
 * Numbers in base 36; the reader stands where a client of a broadcast group has its own place. The
 * lease changes with every delivery, so an old receipt of a message that was handed out again is
 * refused by the shard; the group is part of what is signed.
 *
 * @module
 */
import type { Signer } from "../ports/signer.ts";

/** What a receipt says. */
export type ReceiptParts = {
  readonly groupKey: number;
  /** Under whose key the place is, when that is not the group's. */
  readonly readerKey?: number;
  readonly shard: number;
  readonly queueKey: number;
  readonly offset: number;
  readonly lease: number;
};

const form =
  /^([0-9a-z]+(?:-[0-9a-z]+)?\.[0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+\.[0-9a-z]+)\.([A-Za-z0-9_-]{22})$/;
const receiptLengthMax = 100;

/** Writes and signs a receipt. */
export function writeReceipt(signer: Signer, parts: ReceiptParts): string {
  const { groupKey, readerKey, shard, queueKey, offset, lease } = parts;
  const numbers = [groupKey, shard, queueKey, offset, lease].map((n) => n.toString(36));
  if (readerKey !== undefined) numbers[0] += `-${readerKey.toString(36)}`;
  const text = numbers.join(".");
  return `${text}.${signer.sign(text)}`;
}

/** Reads a receipt; `null` when it is not one of ours or not for this group. */
export function readReceipt(
  signer: Signer,
  groupKey: number,
  receipt: string,
): ReceiptParts | null {
  if (receipt.length > receiptLengthMax) return null;
  const match = form.exec(receipt);
  const text = match?.[1];
  const signature = match?.[2];
  if (text === undefined || signature === undefined || !signer.verify(text, signature)) return null;
  const numbers = text.split(".").map((digits) => parseInt(digits, 36));
  const [group, shard, queueKey, offset, lease] = numbers;
  if (group !== groupKey || shard === undefined || queueKey === undefined) return null;
  if (offset === undefined || lease === undefined) return null;
  const place = { groupKey, shard, queueKey, offset, lease };
  const reader = text.slice(0, text.indexOf(".")).split("-")[1];
  return reader === undefined ? place : { ...place, readerKey: parseInt(reader, 36) };
}
