/**
 * Half messages: sends that nobody sees before their transaction is committed. Protocol 6.3.
 *
 * @module
 */
import type { PreparedTransaction, PrepareRequest } from "../../../broker/transaction_door.ts";
import type { NewMessage } from "../../../model/message.ts";
import { offsetMessageIdAt, unpackHalfOffset } from "../../../model/message_id.ts";
import { propertyNames, readProperty, withProperty } from "../../../model/properties.ts";
import { transactionFlags } from "../../../model/record.ts";
import type { Answer, Call, RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readInteger } from "../field_tables.ts";
import type { SendMessageHeader } from "../fields.ts";

/** Whether a send begins a transaction. */
export function isHalf(properties: string, sysFlag: number): boolean {
  return (sysFlag & transactionFlags.mask) === transactionFlags.prepared ||
    readProperty(properties, propertyNames.transactionPrepared) === "true";
}

/** Begins a transaction. */
export async function sendHalf(
  message: NewMessage,
  header: SendMessageHeader,
  call: Call,
  { broker, settings }: RemotingContext,
): Promise<Answer> {
  const { queueId } = header;
  const shardingKey = readProperty(message.properties, propertyNames.shardingKey);
  const request: PrepareRequest = {
    topic: header.topic,
    queueId: queueId < 0 ? null : queueId,
    ...(queueId < 0 && shardingKey !== undefined ? { shardingKey } : {}),
    storeHost: call.peer.storeHost,
    producerGroup: readProperty(message.properties, propertyNames.producerGroup) ??
      header.producerGroup,
    message: withTransactionId(message),
    checkUrl: null,
    immunityMs: immunityOf(message.properties),
  };
  const prepared = await broker.transactions.prepare(request);
  return {
    code: responseCodes.success,
    extFields: {
      msgId: offsetMessageIdAt(call.peer.messageIdPrefix, prepared.physicalOffset),
      queueId: String(prepared.queueId),
      queueOffset: String(halfQueueOffset(prepared)),
      transactionId: prepared.messageId,
      MSG_REGION: settings.region,
      TRACE_ON: settings.traceOn ? "true" : "false",
    },
  };
}

/** What stands for the half message's offset in RocketMQ's queue of them: its own number. */
export function halfQueueOffset({ physicalOffset }: Pick<PreparedTransaction, "physicalOffset">) {
  return unpackHalfOffset(physicalOffset)?.id ?? 0;
}

/** RocketMQ notes the transaction's id, which is the unique key, in the message. */
function withTransactionId(message: NewMessage): NewMessage {
  const sysFlag = message.sysFlag & ~transactionFlags.mask;
  const messageId = readProperty(message.properties, propertyNames.uniqueKey);
  if (messageId === undefined) return { ...message, sysFlag };
  const properties = withProperty(message.properties, propertyNames.transactionId, messageId);
  return { ...message, sysFlag, properties };
}

/** How long the producer asked not to be asked; `null`: as the settings say. */
function immunityOf(properties: string): number | null {
  const text = readProperty(properties, propertyNames.checkImmunitySeconds);
  const seconds = text === undefined ? NaN : readInteger(text);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds * 1000 : null;
}
