/**
 * What a POP client keeps of a delivery and brings back with its acknowledgement (protocol 8):
 *
 *     startOffset popTime invisibleTime reviveQid retry brokerName queueId queueOffset
 *
 * Clients read the times and send batches of acknowledgements as numbers only, so the lease hides
 * in two of the fields. It counts up from the clock, 1024 to a millisecond, and so its upper part
 * is the time of the pop; the lower part is a "revive queue", which only brokers make sense of:
 *
 *     lease = popTime * 1024 + (reviveQid - 1000)
 *
 * Revive queue 999 means "in order" to RocketMQ, and 1000 and up mean nothing.
 *
 * @module
 */
import { WireError } from "../../model/errors.ts";
import { readInteger } from "./field_tables.ts";

const leasesPerMs = 1024;
const firstReviveQueue = 1000;
/** Fields of a check point; later versions may add some. */
const fieldsMin = 8;

/** A delivery as a check point names it. */
export type CheckPoint = {
  readonly lease: number;
  readonly queueId: number;
  readonly offset: number;
};

/** The two numbers a lease travels as. */
export type LeaseNumbers = { readonly popMs: number; readonly reviveQueueId: number };

/** A lease, taken apart. */
export function numbersOfLease(lease: number): LeaseNumbers {
  const rest = lease % leasesPerMs;
  return { popMs: (lease - rest) / leasesPerMs, reviveQueueId: firstReviveQueue + rest };
}

/** The reverse. Numbers that were never ours make a lease that was never given. */
export function leaseOfNumbers({ popMs, reviveQueueId }: LeaseNumbers): number {
  return popMs * leasesPerMs + (reviveQueueId - firstReviveQueue);
}

/** The check point of one delivery. It is its own start: batches of acknowledgements add up. */
export function writeCheckPoint(
  { lease, queueId, offset }: CheckPoint,
  invisibleMs: number,
  brokerName: string,
): string {
  const { popMs, reviveQueueId } = numbersOfLease(lease);
  return `${offset} ${popMs} ${invisibleMs} ${reviveQueueId} 0 ${brokerName} ${queueId} ${offset}`;
}

/**
 * Reads a check point.
 *
 * @throws {WireError} It is none.
 */
export function readCheckPoint(text: string): CheckPoint {
  const fields = text.split(" ");
  const [, popMs, , reviveQueueId, , , queueId, offset] = fields.map(readInteger);
  const lease = popMs === undefined || reviveQueueId === undefined
    ? NaN
    : leaseOfNumbers({ popMs, reviveQueueId });
  const isWhole = fields.length >= fieldsMin && isNumber(lease) && isNumber(queueId) &&
    isNumber(offset);
  if (isWhole) return { lease, queueId, offset };
  const found = JSON.stringify(text.slice(0, 100));
  throw new WireError(`Cannot read check point: ${found} is not what a pop gave`);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}
