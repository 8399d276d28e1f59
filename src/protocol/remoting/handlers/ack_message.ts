/**
 * ACK_MESSAGE (200051), BATCH_ACK_MESSAGE (200151) and CHANGE_MESSAGE_INVISIBLETIME (200053): what
 * became of popped messages. Protocol 8.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { limits } from "../../../base/limits.ts";
import { WireError } from "../../../model/errors.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { leaseOfNumbers, numbersOfLease, readCheckPoint } from "../check_point.ts";
import { responseCodes } from "../codes.ts";
import { type HeaderOf, readHeader, writeHeader } from "../field_tables.ts";
import { ackMessage, changeInvisibleTime, changeInvisibleTimeAnswer } from "../pop_fields.ts";
import {
  type JsonObject,
  numberField,
  objectsField,
  readBody,
  requiredText,
  textField,
} from "./json_body.ts";
import { invisibleMsOf } from "./pop_message.ts";

/** Finishes one message. Finished twice is well; 208 when another delivery has begun since. */
export async function handleAckMessage(call: Call, context: RemotingContext): Promise<Answer> {
  const header = readHeader(ackMessage, call.command.extFields);
  const { consumerGroup, receipt } = receiptOf(header, context);
  const [ended] = await context.broker.ack(consumerGroup, [receipt]);
  return ended?.verdict === "done" ? done : outlived(header);
}

/** Hides a message for longer, or shows it again sooner: its next delivery counts as a retry. */
export async function handleChangeInvisibleTime(
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const header = readHeader(changeInvisibleTime, call.command.extFields);
  const { consumerGroup, receipt, lease } = receiptOf(header, context);
  const invisibleMs = invisibleMsOf(header.invisibleMs);
  const [extended] = await context.broker.extend(consumerGroup, [receipt], invisibleMs);
  if (extended?.verdict !== "done") return outlived(header);
  const { popMs, reviveQueueId } = numbersOfLease(lease);
  const fields = { popMs, invisibleMs, reviveQueueId };
  return { ...done, extFields: writeHeader(changeInvisibleTimeAnswer, fields) };
}

/** Finishes many messages. Those delivered anew since are left to their new owners. */
export async function handleBatchAckMessage(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const acks = objectsField(readBody(call.body), "acks", limits.acksPerRequestMax);
  const byGroup = new Map<string, string[]>();
  let count = 0;
  for (const ack of acks) {
    const group = requiredText(ack, "c");
    const receipts = byGroup.get(group) ?? [];
    byGroup.set(group, receipts);
    const name = {
      topic: requiredText(ack, "t"),
      queueId: numberField(ack, "q", -1),
      lease: ackedLease(ack),
    };
    for (const offset of ackedOffsets(ack)) {
      if (++count > limits.acksPerRequestMax) throw tooMany();
      receipts.push(broker.receiptOf(group, { ...name, offset }));
    }
  }
  for (const [group, receipts] of byGroup) await broker.ack(group, receipts);
  return done;
}

function receiptOf(
  { consumerGroup, topic, checkPoint }: HeaderOf<typeof ackMessage>,
  { broker }: RemotingContext,
) {
  const { lease, queueId, offset } = readCheckPoint(checkPoint);
  const receipt = broker.receiptOf(consumerGroup, { topic, queueId, offset, lease });
  return { consumerGroup, receipt, lease };
}

function ackedLease(ack: JsonObject): number {
  const [popMs, reviveQueueId] = [numberField(ack, "pt", NaN), numberField(ack, "rq", NaN)];
  const lease = leaseOfNumbers({ popMs, reviveQueueId });
  if (Number.isSafeInteger(lease) && lease >= 0) return lease;
  throw new WireError(`Cannot read body: "pt" ${popMs} and "rq" ${reviveQueueId} are of no pop`);
}

/** Bit n of the set stands for the offset n after the start; the first bit is the lowest. */
function ackedOffsets(ack: JsonObject): number[] {
  const start = numberField(ack, "so", NaN);
  const bytes = Buffer.from(textField(ack, "b", ""), "base64");
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new WireError(`Cannot read body: "so" is no offset: ${start}`);
  }
  if (bytes.length > limits.acksPerRequestMax) throw tooMany();
  const offsets: number[] = [];
  bytes.forEach((byte, at) => {
    for (let bit = 0; bit < 8; bit++) {
      if ((byte >> bit & 1) === 1) offsets.push(start + at * 8 + bit);
    }
  });
  return offsets;
}

function tooMany(): WireError {
  return new WireError(
    `Cannot read body: it acknowledges more than ${limits.acksPerRequestMax} messages`,
  );
}

function outlived({ topic, consumerGroup, offset }: HeaderOf<typeof ackMessage>): Answer {
  return refusal(
    responseCodes.noMessage,
    `Group ${consumerGroup} does not hold message ${offset} of topic ${topic} any more: ` +
      "its time was over and another delivery has begun, or it is finished",
  );
}
