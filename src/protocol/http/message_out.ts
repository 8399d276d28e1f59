/**
 * Stored records → messages as HTTP users read them.
 *
 * A body is text when it is valid UTF-8 without control characters beyond tab and line ends,
 * and base64 otherwise, so that what is shown is always what was sent. RocketMQ's clients compress
 * large bodies; these are inflated within `limits`, and handed out as they are beyond them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { limits } from "../../base/limits.ts";
import type { FoundMessage, ReceivedMessage } from "../../broker/broker.ts";
import { decodeProperties, propertyNames } from "../../model/properties.ts";
import { readRecord, type RecordFields } from "../../model/record.ts";

const compressedFlag = 1;
const compressionShift = 8;
const compressionMask = 7;
/** What bits 8 to 10 of `sysFlag` say; zero is from clients that knew zlib only. */
const encodings = ["zlib", "lz4", "zstd", "zlib"] as const;
type BodyEncoding = (typeof encodings)[number];

const ownFields: ReadonlySet<string> = new Set([
  propertyNames.tags,
  propertyNames.keys,
  propertyNames.shardingKey,
  propertyNames.uniqueKey,
  propertyNames.timeToLiveMs,
  propertyNames.producerGroup,
  propertyNames.correlationId,
  propertyNames.replyToClient,
  // For the clients that trace.
  propertyNames.messageRegion,
  propertyNames.traceOn,
]);
// A byte order mark at the front belongs to the body.
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message as it is read. Fields that are absent are left out of the JSON. */
export type MessageJson = {
  readonly messageId: string;
  readonly topic?: string;
  readonly queueId: number;
  readonly offset: number;
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly bodyEncoding?: BodyEncoding;
  readonly tag?: string;
  readonly keys: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly shardingKey?: string;
  readonly ttlMs?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly bornMs: number;
  readonly storedMs: number;
  readonly attempt?: number;
  readonly receipt?: string;
};

/** Makes the messages of one answer, which together inflate a bounded number of bytes. */
export class MessageWriter {
  #inflateBytesLeft: number = limits.inflatedPerAnswerBytesMax;

  /** A message read from its queue. @throws {WireError} The record is damaged. */
  read(record: Uint8Array): MessageJson {
    return this.#message(readRecord(record));
  }

  /** A leased message. @throws {WireError} The record is damaged. */
  received(message: ReceivedMessage): MessageJson {
    const { queueId, offset, attempt, receipt } = message;
    return { ...this.#message(readRecord(message.record)), queueId, offset, attempt, receipt };
  }

  /** A message that was looked up. @throws {WireError} The record is damaged. */
  found(message: FoundMessage): MessageJson {
    const { topic, queueId } = message;
    return { ...this.#message(readRecord(message.record)), topic, queueId };
  }

  /** A message that is in no queue yet: it has no offset, and was not stored there at any time. */
  half(message: FoundMessage): Omit<MessageJson, "offset" | "storedMs"> {
    const { offset: _offset, storedMs: _storedMs, ...rest } = this.found(message);
    return rest;
  }

  #message(fields: RecordFields): MessageJson {
    const properties = decodeProperties(fields.properties);
    const tag = properties.get(propertyNames.tags);
    const shardingKey = properties.get(propertyNames.shardingKey);
    const ttlMs = properties.get(propertyNames.timeToLiveMs);
    return {
      messageId: properties.get(propertyNames.uniqueKey) ?? "",
      queueId: fields.queueId,
      offset: fields.queueOffset,
      ...this.#body(fields),
      ...(tag === undefined ? {} : { tag }),
      keys: properties.get(propertyNames.keys)?.split(" ").filter((key) => key !== "") ?? [],
      properties: userProperties(properties),
      ...(shardingKey === undefined ? {} : { shardingKey }),
      ...(ttlMs === undefined ? {} : { ttlMs: Number(ttlMs) }),
      ...replyFields(properties),
      bornMs: fields.bornMs,
      storedMs: fields.storedMs,
    };
  }

  #body(fields: RecordFields): Pick<MessageJson, "body" | "bodyBase64" | "bodyEncoding"> {
    if ((fields.sysFlag & compressedFlag) === 0) return bodyJson(fields.body);
    const kind = encodings[fields.sysFlag >> compressionShift & compressionMask];
    const inflated = kind === "zlib" ? this.#inflate(fields.body) : undefined;
    if (inflated) return bodyJson(inflated);
    const bodyEncoding = kind === undefined ? {} : { bodyEncoding: kind };
    return { bodyBase64: base64(fields.body), ...bodyEncoding };
  }

  /** `undefined`: more than may be inflated, or not what it claims to be. */
  #inflate(body: Uint8Array): Uint8Array | undefined {
    const maxOutputLength = Math.min(limits.inflatedBytesMax, this.#inflateBytesLeft);
    if (maxOutputLength === 0) return undefined;
    try {
      const inflated = inflateSync(body, { maxOutputLength });
      this.#inflateBytesLeft -= inflated.length;
      return inflated;
    } catch {
      // What was inflated before the bound was met has been work too.
      this.#inflateBytesLeft = Math.max(0, this.#inflateBytesLeft - limits.inflatedBytesMax);
      return undefined;
    }
  }
}

/** What a responder needs to reply, if a reply is asked for. */
function replyFields(
  properties: ReadonlyMap<string, string>,
): Pick<MessageJson, "correlationId" | "replyTo"> {
  const correlationId = properties.get(propertyNames.correlationId);
  const replyTo = properties.get(propertyNames.replyToClient);
  return {
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(replyTo === undefined ? {} : { replyTo }),
  };
}

/** A body as users read it: text when it is plain text, base64 otherwise. */
export function bodyJson(body: Uint8Array): { body: string } | { bodyBase64: string } {
  const text = plainText(body);
  return text === undefined ? { bodyBase64: base64(body) } : { body: text };
}

function plainText(body: Uint8Array): string | undefined {
  try {
    const text = strictUtf8.decode(body);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** The properties that are no fields of their own. */
export function userProperties(properties: ReadonlyMap<string, string>): Record<string, string> {
  const entries: [string, string][] = [];
  for (const entry of properties) if (!ownFields.has(entry[0])) entries.push(entry);
  // Not by assignment: a property may be called "__proto__".
  return Object.fromEntries(entries);
}
