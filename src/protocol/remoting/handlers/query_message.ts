/** QUERY_MESSAGE (12) and VIEW_MESSAGE_BY_ID (33): looking messages up. Protocol 10. @module */
import { ByteWriter } from "../../../base/bytes.ts";
import { limits } from "../../../base/limits.ts";
import type { FoundMessage } from "../../../broker/broker.ts";
import { recordPhysicalOffset, recordStoredMs } from "../../../model/record.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import { queryMessage, queryMessageAnswer, viewMessage } from "./admin_fields.ts";

/** RocketMQ's own bound; clients compare keys again themselves. */
const messagesMax = 64;

/** Messages with a key, or with a unique key, stored within a time. */
export async function handleQueryMessage(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const header = readHeader(queryMessage, call.command.extFields);
  const { topic, key } = header;
  const [fromMs, toMs] = [Number(header.fromMs), Number(header.toMs)];
  const countMax = Math.max(1, Math.min(header.messagesMax, messagesMax));
  const found = header.isUniqueKey === true
    ? await broker.findById(topic, key)
    : await broker.findByKey(topic, key, countMax);
  const wanted = found.filter(({ record }) => {
    const storedMs = recordStoredMs(record, 0);
    return storedMs >= fromMs && storedMs <= toMs;
  }).slice(0, countMax);
  if (wanted.length === 0) {
    return refusal(
      responseCodes.queryNotFound,
      `No message of topic ${topic} has the key ${key.slice(0, 200)}`,
    );
  }
  return messagesAnswer(wanted);
}

/** The message at a physical offset. */
export async function handleViewMessage(call: Call, { broker }: RemotingContext): Promise<Answer> {
  const { physicalOffset } = readHeader(viewMessage, call.command.extFields);
  const found = physicalOffset < 0 ? null : await broker.findByPhysicalOffset(physicalOffset);
  if (found !== null) return { ...done, body: found.record };
  return refusal(responseCodes.systemError, `There is no message at offset ${physicalOffset}`);
}

function messagesAnswer(found: readonly FoundMessage[]): Answer {
  const writer = new ByteWriter();
  let [updatedMs, updatedOffset] = [0, 0];
  for (const { record } of found) {
    // At least one, whatever its size; the rest as far as an answer reaches.
    if (writer.length > 0 && writer.length + record.length > limits.replyBytesMax) break;
    writer.put(record);
    updatedMs = Math.max(updatedMs, recordStoredMs(record, 0));
    updatedOffset = Math.max(updatedOffset, recordPhysicalOffset(record, 0));
  }
  const extFields = writeHeader(queryMessageAnswer, { updatedMs, updatedOffset });
  return { ...done, extFields, body: new Uint8Array(writer.detach()) };
}
