/**
 * The properties of a message as the text RocketMQ stores them in:
 *
 *     key \x01 value \x02 key \x01 value \x02 ...
 *
 * The last \x02 may be missing. Nothing is escaped, so neither separator may occur inside. Entries
 * without \x01, with an empty key or an empty value do not count; of equal keys the last one wins.
 * Stored as bytes behind a signed 16-bit length.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { limits } from "../base/limits.ts";
import { BrokerError } from "./errors.ts";

const keyEnd = "\x01";
const entryEnd = "\x02";
const bytesMax = limits.propertiesBytesMax;

/** Property names with a meaning of their own, as they are written in records. */
export const propertyNames = {
  keys: "KEYS",
  tags: "TAGS",
  wait: "WAIT",
  delayLevel: "DELAY",
  retryTopic: "RETRY_TOPIC",
  realTopic: "REAL_TOPIC",
  realQueueId: "REAL_QID",
  transactionPrepared: "TRAN_MSG",
  producerGroup: "PGROUP",
  minOffset: "MIN_OFFSET",
  maxOffset: "MAX_OFFSET",
  buyerId: "BUYER_ID",
  originMessageId: "ORIGIN_MESSAGE_ID",
  transferFlag: "TRANSFER_FLAG",
  correctionFlag: "CORRECTION_FLAG",
  mq2Flag: "MQ2_FLAG",
  reconsumeTime: "RECONSUME_TIME",
  messageRegion: "MSG_REGION",
  traceOn: "TRACE_ON",
  uniqueKey: "UNIQ_KEY",
  extendUniqueInfo: "EXTEND_UNIQ_INFO",
  maxReconsumeTimes: "MAX_RECONSUME_TIMES",
  consumeStartTime: "CONSUME_START_TIME",
  innerCount: "INNER_NUM",
  innerBase: "INNER_BASE",
  duplicateInfo: "DUP_INFO",
  checkImmunitySeconds: "CHECK_IMMUNITY_TIME_IN_SECONDS",
  preparedQueueOffset: "TRAN_PREPARED_QUEUE_OFFSET",
  transactionId: "__transactionId__",
  transactionChecks: "TRANSACTION_CHECK_TIMES",
  instanceId: "INSTANCE_ID",
  correlationId: "CORRELATION_ID",
  replyToClient: "REPLY_TO_CLIENT",
  ttl: "TTL",
  arriveTime: "ARRIVE_TIME",
  pushReplyTime: "PUSH_REPLY_TIME",
  cluster: "CLUSTER",
  messageType: "MSG_TYPE",
  popCheckPoint: "POP_CK",
  popCheckPointOffset: "POP_CK_OFFSET",
  firstPopTime: "1ST_POP_TIME",
  shardingKey: "__SHARDINGKEY",
  forwardQueueId: "PROPERTY_FORWARD_QUEUE_ID",
  redirect: "REDIRECT",
  innerMultiDispatch: "INNER_MULTI_DISPATCH",
  innerMultiQueueOffset: "INNER_MULTI_QUEUE_OFFSET",
  traceContext: "TRACE_CONTEXT",
  timerDelaySeconds: "TIMER_DELAY_SEC",
  timerDelayMs: "TIMER_DELAY_MS",
  timerDeliverMs: "TIMER_DELIVER_MS",
  timerEnqueueMs: "TIMER_ENQUEUE_MS",
  timerDequeueMs: "TIMER_DEQUEUE_MS",
  timerRollTimes: "TIMER_ROLL_TIMES",
  timerOutMs: "TIMER_OUT_MS",
  timerDeleteUniqueKey: "TIMER_DEL_UNIQKEY",
  timerDelayLevel: "TIMER_DELAY_LEVEL",
  bornHost: "__BORNHOST",
  bornTimestamp: "BORN_TIMESTAMP",
  crc32: "__CRC32#",
  timeToLiveMs: "__TTL_MS",
  deadLetterOriginTopic: "DLQ_ORIGIN_TOPIC",
  deadLetterOriginMessageId: "DLQ_ORIGIN_MESSAGE_ID",
  deadLetterReason: "DLQ_REASON",
  deadLetterAttempts: "DLQ_ATTEMPTS",
  deadLetterTimeMs: "DLQ_TIME_MS",
  deadLetterBy: "DLQ_BY",
  originQueueId: "ORIGIN_QUEUE_ID",
  originQueueOffset: "ORIGIN_QUEUE_OFFSET",
} as const;

const reserved: ReadonlySet<string> = new Set(Object.values(propertyNames));

/** Whether the name has a meaning to brokers or clients, so that a user may not give it another. */
export function isReservedProperty(name: string): boolean {
  return reserved.has(name);
}

/**
 * Properties → text, with the last \x02.
 *
 * @throws {BrokerError} `invalid_argument`: a key or value is empty or holds a separator;
 *   `message_too_large`: the text is longer than a record can hold.
 */
export function encodeProperties(properties: Iterable<readonly [string, string]>): string {
  let text = "";
  for (const [name, value] of properties) text += entryText(name, value);
  checkPropertiesBytes(text);
  return text;
}

/** Text → properties. Never fails: what is no entry is skipped. */
export function decodeProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (let start = 0; start < text.length;) {
    const end = endOfEntry(text, start);
    const split = text.indexOf(keyEnd, start);
    if (split === -1) break;
    if (split > start && split + 1 < end) {
      properties.set(text.slice(start, split), text.slice(split + 1, end));
    }
    start = end + 1;
  }
  return properties;
}

/** One property, without decoding the others. */
export function readProperty(text: string, name: string): string | undefined {
  if (text === "") return undefined;
  const wanted = name + keyEnd;
  let value: string | undefined;
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length)) {
    if (at > 0 && text[at - 1] !== entryEnd) continue;
    const start = at + wanted.length;
    const end = endOfEntry(text, start);
    if (end > start) value = text.slice(start, end);
  }
  return value;
}

/**
 * The text with the property set, replacing every earlier value.
 *
 * @throws {BrokerError} As `encodeProperties`.
 */
export function withProperty(text: string, name: string, value: string): string {
  const result = withEncoded(text, [name], entryText(name, value));
  checkPropertiesBytes(result);
  return result;
}

/** The text with one property more. It does not have it yet, and the value needs no check. */
export function withAdded(text: string, name: string, value: string): string {
  return ended(text) + name + keyEnd + value + entryEnd;
}

/**
 * The text with properties that were encoded once for many messages; `names` are theirs, and every
 * earlier value of them goes. Whether the result fits is for the caller to check.
 */
export function withEncoded(text: string, names: readonly string[], encoded: string): string {
  return ended(withoutProperties(text, names)) + encoded;
}

/** The text without the named properties. The others keep their bytes and order. */
export function withoutProperties(text: string, names: readonly string[]): string {
  // Nearly always nothing is there to remove, and then the text is handed back as it is.
  if (!names.some((name) => text.includes(name + keyEnd))) return text;
  let result = "";
  for (let start = 0; start < text.length;) {
    const end = endOfEntry(text, start);
    const entry = text.slice(start, end + 1);
    const split = entry.indexOf(keyEnd);
    if (split === -1 || !names.includes(entry.slice(0, split))) result += entry;
    start = end + 1;
  }
  return result;
}

/**
 * Refuses a properties text that no record can hold.
 *
 * @throws {BrokerError} `message_too_large`.
 */
export function checkPropertiesBytes(text: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8, so short texts need no counting.
  if (text.length * 3 <= bytesMax) return;
  const bytes = Buffer.byteLength(text);
  if (bytes <= bytesMax) return;
  throw new BrokerError(
    "message_too_large",
    `Cannot store properties of ${bytes} bytes: a record holds at most ${bytesMax}`,
  );
}

/** The text so that another entry may follow. */
function ended(text: string): string {
  return text === "" || text.endsWith(entryEnd) ? text : text + entryEnd;
}

function endOfEntry(text: string, start: number): number {
  const end = text.indexOf(entryEnd, start);
  return end === -1 ? text.length : end;
}

function entryText(name: string, value: string): string {
  checkPart("name", name, name);
  checkPart("value", name, value);
  return name + keyEnd + value + entryEnd;
}

function checkPart(part: "name" | "value", name: string, text: string): void {
  const fault = text === ""
    ? "empty, and readers would skip it"
    : text.includes(keyEnd) || text.includes(entryEnd)
    ? "broken by a separator, U+0001 or U+0002"
    : undefined;
  if (fault === undefined) return;
  throw new BrokerError(
    "invalid_argument",
    `Cannot write property ${JSON.stringify(name.slice(0, 100))}: its ${part} is ${fault}`,
  );
}
