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

const digits = "([0-9a-z]+)";
/** The text, its numbers in order, the signature. */
const form = new RegExp(
  `^(${digits}(?:-${digits})?\\.${digits}\\.${digits}\\.${digits}\\.${digits})\\.([\\w-]{22})$`,
);
const receiptLengthMax = 100;

/** Writes and signs a receipt. */
export function writeReceipt(signer: Signer, parts: ReceiptParts): string {
  const { groupKey, readerKey, shard, queueKey, offset, lease } = parts;
  const reader = readerKey === undefined ? "" : `-${readerKey.toString(36)}`;
  const text = `${groupKey.toString(36)}${reader}.${shard.toString(36)}.${queueKey.toString(36)}.` +
    `${offset.toString(36)}.${lease.toString(36)}`;
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
  if (match === null) return null;
  const [, text = "", group = "", reader, shard = "", queue = "", offset = "", lease = ""] = match;
  if (!signer.verify(text, match[8] ?? "") || parseInt(group, 36) !== groupKey) return null;
  const place = {
    groupKey,
    shard: parseInt(shard, 36),
    queueKey: parseInt(queue, 36),
    offset: parseInt(offset, 36),
    lease: parseInt(lease, 36),
  };
  return reader === undefined ? place : { ...place, readerKey: parseInt(reader, 36) };
}
