/** A stored message on its way to another queue: retry, dead letter, and back again. @module */
import { Buffer } from "node:buffer";
import { ByteWriter } from "../../src/base/bytes.ts";
import { javaHash } from "../../src/base/hash.ts";
import { limits } from "../../src/base/limits.ts";
import type { DeathReason } from "../../src/model/dead_letter.ts";
import {
  propertyNames,
  readProperty,
  withoutProperties,
  withProperty,
} from "../../src/model/properties.ts";
import { readRecord, recordBytes, type RecordFields, writeRecord } from "../../src/model/record.ts";
import { offsetMessageId } from "../../src/model/message_id.ts";

/** A record for another queue; offsets and stored time are filled in when it is appended. */
export type Rewritten = { readonly record: Uint8Array; readonly tagHash: number };

/** Where a rewritten message goes. */
export type RewriteTarget = { readonly topic: string; readonly queueId: number };

/** Why and when a message died. `by`: the operator, if one decided it. */
export type Death = {
  readonly reason: DeathReason;
  readonly attempts: number;
  readonly atMs: number;
  readonly by?: string;
};

type Mark = readonly [string, string];

/** What a message collects on its way to the dead letters, and loses when it goes back. */
const wayMarks: readonly string[] = [
  propertyNames.retryTopic,
  propertyNames.originMessageId,
  propertyNames.originQueueId,
  propertyNames.originQueueOffset,
  propertyNames.deadLetterOriginTopic,
  propertyNames.deadLetterOriginMessageId,
  propertyNames.deadLetterReason,
  propertyNames.deadLetterAttempts,
  propertyNames.deadLetterTimeMs,
  propertyNames.deadLetterBy,
];

/** The message as it goes to the retry topic: origin noted, one more time consumed. */
export function forRetry(record: Uint8Array, target: RewriteTarget): Rewritten {
  const fields = readRecord(record);
  const { properties } = fields;
  const marks: Mark[] = [];
  if (readProperty(properties, propertyNames.retryTopic) === undefined) {
    marks.push([propertyNames.retryTopic, fields.topic]);
  }
  marks.push(...originOf(fields));
  return rewrite(fields, target, withMarks(properties, marks), fields.reconsumeTimes + 1);
}

/** The message as it goes to the dead-letter topic: where it came from, why, how often tried. */
export function forDeadLetter(
  record: Uint8Array,
  target: RewriteTarget,
  death: Death,
): Rewritten {
  const fields = readRecord(record);
  const { properties } = fields;
  const retryTopic = readProperty(properties, propertyNames.retryTopic);
  const originTopic = retryTopic ?? fields.topic;
  const originId = readProperty(properties, propertyNames.uniqueKey) ?? "";
  // What tells where to go back stands first: a message without room for all keeps that.
  const marks: Mark[] = [[propertyNames.deadLetterOriginTopic, originTopic], ...originOf(fields)];
  if (originId !== "") marks.push([propertyNames.deadLetterOriginMessageId, originId]);
  if (retryTopic === undefined) marks.push([propertyNames.retryTopic, originTopic]);
  marks.push([propertyNames.deadLetterReason, death.reason]);
  marks.push([propertyNames.deadLetterAttempts, String(death.attempts)]);
  marks.push([propertyNames.deadLetterTimeMs, String(death.atMs)]);
  if (death.by !== undefined) marks.push([propertyNames.deadLetterBy, death.by]);
  return rewrite(fields, target, withMarks(properties, marks), death.attempts);
}

/** A dead letter as it goes back to its topic: as new, with the id it always had. */
export function forRedrive(record: Uint8Array, target: RewriteTarget): Rewritten {
  const fields = readRecord(record);
  return rewrite(fields, target, withoutProperties(fields.properties, wayMarks), 0);
}

/** The first place of a message stays with it however often it comes back. */
function originOf(fields: RecordFields): Mark[] {
  if (readProperty(fields.properties, propertyNames.originMessageId) !== undefined) return [];
  const { ip, port } = fields.storeHost;
  return [
    [propertyNames.originMessageId, offsetMessageId(ip, port, fields.physicalOffset)],
    [propertyNames.originQueueId, String(fields.queueId)],
    [propertyNames.originQueueOffset, String(fields.queueOffset)],
  ];
}

/**
 * The properties with as many of the marks as a record has room for: a message whose own properties
 * fill the record must still be able to leave the queue it blocks.
 */
function withMarks(properties: string, marks: readonly Mark[]): string {
  let text = properties;
  let bytes = Buffer.byteLength(properties);
  for (const [name, value] of marks) {
    const more = Buffer.byteLength(name) + Buffer.byteLength(value) + 3;
    if (bytes + more > limits.propertiesBytesMax) continue;
    text = withProperty(text, name, value);
    bytes += more;
  }
  return text;
}

function rewrite(
  fields: RecordFields,
  target: RewriteTarget,
  properties: string,
  reconsumeTimes: number,
): Rewritten {
  const changed = { ...fields, ...target, properties, reconsumeTimes };
  const writer = new ByteWriter(recordBytes(changed));
  writeRecord(writer, changed);
  const tag = readProperty(properties, propertyNames.tags);
  return { record: writer.view(), tagHash: tag === undefined ? 0 : javaHash(tag) };
}
