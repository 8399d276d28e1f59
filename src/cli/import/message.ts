/**
 * A message on its way: out of the source's record, into a send to the target.
 *
 * Everything a producer said goes along: body as it was stored (compressed or not), properties,
 * flag, born time, count of retries. What a broker would act upon once more is left behind: a
 * delay that is over, a transaction that is decided.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { Buffer } from "node:buffer";
import { limits } from "../../base/limits.ts";
import {
  decodeProperties,
  propertyNames,
  readProperty,
  withoutProperties,
} from "../../model/properties.ts";
import { readRecord, recordSize, transactionFlags } from "../../model/record.ts";
import type { ExtFields } from "../../protocol/remoting/command.ts";

/** A message as the import knows it, on either side. */
export type Message = {
  readonly offset: number;
  readonly queueId: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornMs: number;
  readonly reconsumeTimes: number;
  readonly bodyCrc: number;
  readonly body: Uint8Array;
  readonly properties: string;
};

/** Bits of `sysFlag` that say how the body is to be read: compressed, by what; several tags. */
const carriedFlags = 0x1 | 0x2 | 0x700;
/** A batch stored as one message: its parts cannot be told from outside. */
const innerBatchFlags = 0x40 | 0x80;
const half = transactionFlags.prepared;

const dropped: readonly string[] = [
  propertyNames.delayLevel,
  propertyNames.transactionPrepared,
  propertyNames.popCheckPoint,
  propertyNames.crc32,
];
const timerNames: readonly string[] = [
  propertyNames.timerDelaySeconds,
  propertyNames.timerDelayMs,
  propertyNames.timerDeliverMs,
];

/** A key where there was none, and in questions the cluster where their answers go. */
const addedByTarget: ReadonlySet<string> = new Set([
  propertyNames.uniqueKey,
  propertyNames.cluster,
]);

/**
 * Records back to back → messages.
 *
 * @throws {WireError} A record is damaged, or its body is not what its checksum says.
 */
export function messagesOf(records: Uint8Array): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at < records.length;) {
    const { queueOffset: offset, ...fields } = readRecord(records, at);
    messages.push({ ...fields, offset });
    at += recordSize(records, at);
  }
  return messages;
}

/** Why a message cannot be stored by the target; `undefined` if it can. */
export function obstacleOf({ body, properties, sysFlag }: Message): string | undefined {
  if ((sysFlag & innerBatchFlags) !== 0) return "it is a batch stored as one message";
  if ((sysFlag & transactionFlags.mask) === half) return "its transaction is undecided";
  if (body.length > limits.bodyBytesMax) {
    return `its body has ${body.length} bytes, more than ${limits.bodyBytesMax}`;
  }
  const bytes = Buffer.byteLength(properties);
  if (bytes > limits.propertiesBytesMax) {
    return `its properties have ${bytes} bytes, more than ${limits.propertiesBytesMax}`;
  }
  return undefined;
}

/** The header of the send that stores it, SEND_MESSAGE_V2 (310). */
export function sendFields(message: Message, topic: string, queueId: number): ExtFields {
  return {
    a: "curlew-import",
    b: topic,
    c: "TBW102",
    d: "4",
    e: String(queueId),
    f: String(message.sysFlag & carriedFlags),
    g: String(message.bornMs),
    h: String(message.flag),
    i: carriedProperties(message.properties),
    j: String(message.reconsumeTimes),
    k: "false",
    m: "false",
  };
}

/** The properties that go along. */
export function carriedProperties(properties: string): string {
  // A timer that rang says so, and is none again; one that does not would be put off once more.
  const rang = readProperty(properties, propertyNames.timerOutMs) !== undefined;
  return withoutProperties(properties, rang ? dropped : [...dropped, ...timerNames]);
}

/**
 * Whether `copy`, read from the target, is `message` of the source. The unique key alone does not
 * say: a producer that sent one message object twice made two messages of one key.
 */
export function isCopyOf(message: Message, copy: Message): boolean {
  if (message.bodyCrc !== copy.bodyCrc || message.body.length !== copy.body.length) return false;
  if (message.bornMs !== copy.bornMs || message.flag !== copy.flag) return false;
  const key = uniqueKeyOf(message);
  // The broker gave one to a message that had none.
  return key === undefined || key === uniqueKeyOf(copy);
}

/** A running checksum over what was copied, in order: the target's messages must come to it too. */
export function digestOf(message: Message, before: number): number {
  const { bornMs, flag, bodyCrc, body, properties } = message;
  const entries = [...decodeProperties(carriedProperties(properties))];
  const text = entries.filter(([name]) => !addedByTarget.has(name)).join("\x02");
  return crc32(`${bornMs} ${flag} ${bodyCrc} ${body.length} ${text}`, before);
}

function uniqueKeyOf({ properties }: Message): string | undefined {
  return readProperty(properties, propertyNames.uniqueKey);
}
