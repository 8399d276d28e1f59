/** A stored message on its way to another queue: retry and dead letter. @module */
import { ByteWriter } from "../../src/base/bytes.ts";
import { javaHash } from "../../src/base/hash.ts";
import { propertyNames, readProperty, withProperty } from "../../src/model/properties.ts";
import { readRecord, recordBytes, type RecordFields, writeRecord } from "../../src/model/record.ts";
import { offsetMessageId } from "../../src/model/message_id.ts";

/** A record for another queue; offsets and stored time are filled in when it is appended. */
export type Rewritten = { readonly record: Uint8Array; readonly tagHash: number };

/** The message as it goes to the retry topic: origin noted, one more time consumed. */
export function forRetry(
  record: Uint8Array,
  target: { readonly topic: string; readonly queueId: number },
): Rewritten {
  const fields = readRecord(record);
  let properties = fields.properties;
  if (readProperty(properties, propertyNames.retryTopic) === undefined) {
    properties = withProperty(properties, propertyNames.retryTopic, fields.topic);
  }
  properties = withOrigin(properties, fields);
  return rewrite(fields, target, properties, fields.reconsumeTimes + 1);
}

/**
 * The message as it goes to the dead-letter topic: where it came from, and how often it was tried.
 */
export function forDeadLetter(
  record: Uint8Array,
  target: { readonly topic: string; readonly queueId: number },
  reconsumeTimes: number,
): Rewritten {
  const fields = readRecord(record);
  const originTopic = readProperty(fields.properties, propertyNames.retryTopic) ?? fields.topic;
  const originId = readProperty(fields.properties, propertyNames.uniqueKey) ?? "";
  let properties = withOrigin(fields.properties, fields);
  properties = withProperty(properties, propertyNames.deadLetterOriginTopic, originTopic);
  if (originId !== "") {
    properties = withProperty(properties, propertyNames.deadLetterOriginMessageId, originId);
  }
  if (readProperty(properties, propertyNames.retryTopic) === undefined) {
    properties = withProperty(properties, propertyNames.retryTopic, originTopic);
  }
  return rewrite(fields, target, properties, reconsumeTimes);
}

/** The first offset message id stays with a message however often it comes back. */
function withOrigin(properties: string, fields: RecordFields): string {
  if (readProperty(properties, propertyNames.originMessageId) !== undefined) return properties;
  const { ip, port } = fields.storeHost;
  const id = offsetMessageId(ip, port, fields.physicalOffset);
  return withProperty(properties, propertyNames.originMessageId, id);
}

function rewrite(
  fields: RecordFields,
  target: { readonly topic: string; readonly queueId: number },
  properties: string,
  reconsumeTimes: number,
): Rewritten {
  const changed = { ...fields, ...target, properties, reconsumeTimes };
  const writer = new ByteWriter(recordBytes(changed));
  writeRecord(writer, changed);
  const tag = readProperty(properties, propertyNames.tags);
  return { record: writer.view(), tagHash: tag === undefined ? 0 : javaHash(tag) };
}
