/**
 * Messages as HTTP users write them → what the door takes. The hot road: JSON is parsed once and
 * read by hand. `message_schema.ts` describes the same to people; a test holds the two together.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { limits } from "../../base/limits.ts";
import { BrokerError } from "../../model/errors.ts";
import type { Host, NewMessage } from "../../model/message.ts";
import { encodeProperties, isReservedProperty, propertyNames } from "../../model/properties.ts";
import {
  decodeBase64,
  isKey,
  isMessageId,
  isPropertyText,
  isQueueId,
  isTag,
  isText,
  isTtlMs,
} from "./message_rules.ts";
import { readTimingField, type TimingFields, timingOf } from "./timing_fields.ts";

/** When and from where a message came. */
export type Origin = { readonly bornMs: number; readonly bornHost: Host };

/** The parts of a message that are not its body. */
export type MessageFields = {
  tag?: string;
  keys?: readonly string[];
  properties?: readonly (readonly [string, string])[];
  shardingKey?: string;
  queueId?: number;
  messageId?: string;
  ttlMs?: number;
} & TimingFields;

/** A message, and which queue it asks for. */
export type Addressed = {
  readonly message: NewMessage;
  readonly queueId: number | null;
  readonly shardingKey: string | undefined;
  /** The id its producer chose. */
  readonly messageId: string | undefined;
};

/**
 * The messages of a request: one object, or `{"messages": […]}`.
 *
 * @throws {BrokerError} `invalid_argument`, with the path to what is wrong; `message_too_large`;
 *   `limit_exceeded`: too many.
 */
export function readSendBody(value: unknown, origin: Origin): Addressed[] {
  const object = objectAt(value, "");
  if (!Object.hasOwn(object, "messages")) return [readMessage(object, "", origin)];
  for (const name in object) if (name !== "messages") throw refuse(name, "it is not known here");
  const messages = object["messages"];
  if (!Array.isArray(messages)) throw refuse("messages", "it has to be a list of messages");
  if (messages.length === 0) throw refuse("messages", "it is empty");
  if (messages.length > limits.batchMessagesMax) {
    throw new BrokerError(
      "limit_exceeded",
      `Cannot send ${messages.length} messages at once: at most ${limits.batchMessagesMax}; ` +
        "an NDJSON stream takes more",
    );
  }
  return messages.map((message, index) => readMessage(message, `messages[${index}]`, origin));
}

/**
 * One message. `at` is the path that errors begin with.
 *
 * @throws {BrokerError} As `readSendBody`.
 */
export function readMessage(value: unknown, at: string, origin: Origin): Addressed {
  const object = objectAt(value, at);
  const fields: MessageFields = {};
  let body: Uint8Array | undefined;
  for (const name in object) {
    const found = object[name];
    if (name === "body" || name === "bodyBase64") {
      if (body) throw refuse(join(at, name), "body and bodyBase64 exclude each other");
      body = name === "body" ? textBody(found, at) : base64Body(found, at);
    } else readField(fields, name, found, at);
  }
  if (!body) throw refuse(join(at, "body"), "a message needs body or bodyBase64");
  return addressed(body, fields, origin);
}

/**
 * A body with its fields, which were checked, as the door takes it.
 *
 * @throws {BrokerError} `message_too_large`.
 */
export function addressed(body: Uint8Array, fields: MessageFields, origin: Origin): Addressed {
  if (body.length > limits.bodyBytesMax) {
    throw new BrokerError(
      "message_too_large",
      `Cannot take a message body of ${body.length} bytes: at most ${limits.bodyBytesMax}`,
    );
  }
  const { bornMs, bornHost } = origin;
  const properties = propertiesText(fields);
  const message = { body, properties, flag: 0, sysFlag: 0, bornMs, bornHost, reconsumeTimes: 0 };
  const timing = timingOf(fields);
  return {
    message: timing === undefined ? message : { ...message, timing },
    queueId: fields.queueId ?? null,
    shardingKey: fields.shardingKey,
    messageId: fields.messageId,
  };
}

/** Checks one named field and keeps it. @throws {BrokerError} `invalid_argument`. */
function readField(fields: MessageFields, name: string, found: unknown, at: string): void {
  switch (name) {
    case "tag":
      fields.tag = checked(found, isTag, join(at, name), "a word without blanks and |");
      return;
    case "keys":
      fields.keys = keysOf(found, join(at, name));
      return;
    case "properties":
      fields.properties = propertiesOf(found, join(at, name));
      return;
    case "shardingKey":
      fields.shardingKey = checked(found, isShardingKey, join(at, name), shardingKeyWanted);
      return;
    case "queueId":
      if (typeof found !== "number" || !isQueueId(found)) {
        throw refuse(join(at, name), "it has to be the number of a queue", found);
      }
      fields.queueId = found;
      return;
    case "messageId":
      fields.messageId = checked(found, isMessageId, join(at, name), "a word of 1 to 255 letters");
      return;
    case "ttlMs":
      if (typeof found !== "number" || !isTtlMs(found)) {
        throw refuse(join(at, name), ttlWanted, found);
      }
      fields.ttlMs = found;
      return;
    default: {
      const kept = readTimingField(fields, name, found);
      if (kept === true) return;
      throw refuse(join(at, name), kept || "it is not known here", kept ? found : undefined);
    }
  }
}

const ttlWanted = `it has to be whole milliseconds from 1 to ${limits.retentionMsMax}`;
const shardingKeyWanted = `1 to ${limits.keyLengthMax} characters`;

/** A sharding key: any text a property can hold, up to a key's length. */
export function isShardingKey(text: string): boolean {
  return text.length <= limits.keyLengthMax && isPropertyText(text);
}

/** Names that are fields of their own, or that brokers and clients give a meaning. */
export function isPropertyName(name: string): boolean {
  return isPropertyText(name) && !isReservedProperty(name);
}

function keysOf(found: unknown, at: string): readonly string[] {
  if (!Array.isArray(found)) throw refuse(at, "it has to be a list of words", found);
  if (found.length > limits.keysPerMessageMax) {
    throw refuse(at, `at most ${limits.keysPerMessageMax} keys are taken`);
  }
  return found.map((key, index) => checked(key, isKey, `${at}[${index}]`, "a word without blanks"));
}

function propertiesOf(found: unknown, at: string): readonly (readonly [string, string])[] {
  const object = objectAt(found, at);
  const properties: [string, string][] = [];
  for (const name in object) {
    if (!isPropertyName(name)) {
      throw refuse(join(at, name), "the name is empty, reserved or not text that can be stored");
    }
    const value = checked(object[name], isPropertyText, join(at, name), "text, not empty");
    properties.push([name, value]);
  }
  return properties;
}

function propertiesText(fields: MessageFields): string {
  const { tag, keys, properties, shardingKey, messageId, ttlMs } = fields;
  const entries: (readonly [string, string])[] = properties ? [...properties] : [];
  if (tag !== undefined) entries.push([propertyNames.tags, tag]);
  if (keys && keys.length > 0) entries.push([propertyNames.keys, keys.join(" ")]);
  if (shardingKey !== undefined) entries.push([propertyNames.shardingKey, shardingKey]);
  if (messageId !== undefined) entries.push([propertyNames.uniqueKey, messageId]);
  if (ttlMs !== undefined) entries.push([propertyNames.timeToLiveMs, String(ttlMs)]);
  return entries.length === 0 ? "" : encodeProperties(entries);
}

/** As a part of Node's shared pool: on Deno memory of its own would cost four times as much. */
function textBody(found: unknown, at: string): Uint8Array {
  return Buffer.from(checked(found, isText, join(at, "body"), "text without lone surrogates"));
}

function base64Body(found: unknown, at: string): Uint8Array {
  const bytes = typeof found === "string" ? decodeBase64(found) : undefined;
  if (bytes) return bytes;
  throw refuse(join(at, "bodyBase64"), "it has to be padded base64", found);
}

function checked(
  found: unknown,
  isGood: (text: string) => boolean,
  at: string,
  wanted: string,
): string {
  if (typeof found === "string" && isGood(found)) return found;
  throw refuse(at, `it has to be ${wanted}`, found);
}

function objectAt(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw refuse(at === "" ? "the body" : at, "it has to be an object", value);
}

function join(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function refuse(at: string, why: string, found?: unknown): BrokerError {
  const shown = found === undefined ? "" : `, found ${shortJson(found)}`;
  return new BrokerError("invalid_argument", `Cannot read ${at.slice(0, 200)}: ${why}${shown}`);
}

function shortJson(found: unknown): string {
  if (typeof found === "object" && found !== null) {
    return Array.isArray(found) ? "a list" : "an object";
  }
  return JSON.stringify(typeof found === "string" ? found.slice(0, 60) : found);
}
