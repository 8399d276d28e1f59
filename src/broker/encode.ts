/** Messages as they come → the records that are stored. @module */
import { ByteWriter } from "../base/bytes.ts";
import { javaHash } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { BrokerError } from "../model/errors.ts";
import type { UniqueKeys } from "../model/message_id.ts";
import type { Host, NewMessage } from "../model/message.ts";
import {
  checkPropertiesBytes,
  encodeProperties,
  propertyNames,
  readProperty,
  withAdded,
  withEncoded,
} from "../model/properties.ts";
import { writeRecord } from "../model/record.ts";

/** Above this the scratch memory is given back after use: one large batch must not stay. */
const scratchBytesMax = 1024 * 1024;

/** What a message says of traces. */
const traceNames = [propertyNames.messageRegion, propertyNames.traceOn];

/** Where records are going. */
export type RecordTarget = {
  readonly topic: string;
  readonly queueId: number;
  readonly storeHost: Host;
};

/** Records, with what is asked of them again and again. All views end with the next `encode`. */
export type EncodedMessages = {
  /** All records back to back. */
  readonly bytes: Uint8Array;
  readonly records: readonly Uint8Array[];
  readonly tagHashes: readonly number[];
  readonly messageIds: readonly string[];
  /** Whether the id came along, so that the message may have been sent before. */
  readonly ownIds: readonly boolean[];
};

/** Writes records into memory that is used again and again, with ids where none came along. */
export class RecordEncoder {
  readonly #uniqueKeys: UniqueKeys;
  readonly #traceText: string | null;
  #scratch = new ByteWriter(64 * 1024);

  /** `traceRegion`: every message says so; without, consumers leave out what they did with it. */
  constructor(uniqueKeys: UniqueKeys, traceRegion: string | null) {
    this.#uniqueKeys = uniqueKeys;
    const { messageRegion, traceOn } = propertyNames;
    this.#traceText = traceRegion === null
      ? null
      : encodeProperties([[messageRegion, traceRegion], [traceOn, "true"]]);
  }

  /** @throws {BrokerError} `message_too_large` */
  encode(messages: readonly NewMessage[], target: RecordTarget): EncodedMessages {
    // Asking copies records into the link's batch, so the scratch is free at every beginning.
    if (this.#scratch.capacity > scratchBytesMax) this.#scratch = new ByteWriter(64 * 1024);
    this.#scratch.clear();
    const writer = this.#scratch;
    const count = messages.length;
    // Each as long as it will be: pushed to, even a list of one has room for seventeen.
    const ends = new Array<number>(count);
    const tagHashes = new Array<number>(count);
    const messageIds = new Array<string>(count);
    const ownIds = new Array<boolean>(count);
    for (let index = 0; index < count; index++) {
      const message = messages[index]!; // `index` is below the length
      checkSize(message);
      let properties = message.properties;
      let messageId = readProperty(properties, propertyNames.uniqueKey);
      ownIds[index] = messageId !== undefined;
      if (messageId === undefined) {
        messageId = this.#uniqueKeys.next();
        properties = withAdded(properties, propertyNames.uniqueKey, messageId);
      }
      if (this.#traceText !== null) {
        properties = withEncoded(properties, traceNames, this.#traceText);
      }
      checkPropertiesBytes(properties);
      const tag = readProperty(message.properties, propertyNames.tags);
      tagHashes[index] = tag === undefined ? 0 : javaHash(tag);
      messageIds[index] = messageId;
      writeRecord(writer, recordOf(message, properties, target));
      ends[index] = writer.length;
    }
    // Views only now: the memory may have moved while it grew.
    const bytes = writer.view();
    const records = count === 1
      ? [bytes]
      : ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
    return { bytes, records, tagHashes, messageIds, ownIds };
  }
}

function recordOf(message: NewMessage, properties: string, target: RecordTarget) {
  return {
    queueId: target.queueId,
    flag: message.flag,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: message.sysFlag,
    bornMs: message.bornMs,
    bornHost: message.bornHost,
    storedMs: 0,
    storeHost: target.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: 0,
    body: message.body,
    topic: target.topic,
    properties,
  };
}

function checkSize(message: NewMessage): void {
  if (message.body.length <= limits.bodyBytesMax) return;
  throw new BrokerError(
    "message_too_large",
    `Cannot send: the body has ${message.body.length} bytes, at most ${limits.bodyBytesMax} ` +
      "are allowed",
  );
}
