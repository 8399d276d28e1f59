/** What the test broker does with single messages. @module */
import { ByteWriter } from "../../../src/base/bytes.ts";
import { javaHash } from "../../../src/base/hash.ts";
import type { FoundMessage, PullRequest, PullResult } from "../../../src/broker/broker.ts";
import { accepts, compileExpression } from "../../../src/core/filter.ts";
import { BrokerError } from "../../../src/model/errors.ts";
import type { NewMessage } from "../../../src/model/message.ts";
import type { UniqueKeys } from "../../../src/model/message_id.ts";
import {
  checkPropertiesBytes,
  propertyNames,
  readProperty,
  withProperty,
} from "../../../src/model/properties.ts";
import { recordProperties } from "../../../src/model/record.ts";
import type { Expression, Filter } from "../../../src/model/subscription.ts";
import type { TopicSettings } from "../../../src/model/topic.ts";

/** What a topic is made of unless a test says otherwise. */
export const topicDefaults: TopicSettings = {
  queues: 4,
  durability: "power-loss",
  retentionMs: 3_600_000,
  retentionBytes: null,
  deleteUnread: true,
  perm: 6,
  ordered: false,
  messageTtlMs: null,
  dedupe: "explicit",
  attributes: {},
};

/** The message as it is stored: checked, and with a unique key. */
export function withKey(message: NewMessage, keys: UniqueKeys): NewMessage {
  const { properties } = message;
  checkPropertiesBytes(properties);
  if (readProperty(properties, propertyNames.uniqueKey) !== undefined) return message;
  return {
    ...message,
    properties: withProperty(properties, propertyNames.uniqueKey, keys.next()),
  };
}

/** The filter of an expression. */
export function compiled({ language, text }: Expression): Filter {
  if (language === "SQL92") return compileExpression({ language, text });
  if (text.includes("&&")) throw new BrokerError("filter_invalid");
  if (text === "*") return { kind: "all" };
  const tags = text.split("||").map((tag) => tag.trim());
  return { kind: "tags", tags, hashes: tags.map(javaHash) };
}

/** Whether a record passes a filter. */
export function matches(filter: Filter, record: Uint8Array): boolean {
  if (filter.kind === "all") return true;
  if (filter.kind === "sql") return accepts(filter, 0, () => recordProperties(record, 0));
  const tag = readProperty(recordProperties(record, 0), propertyNames.tags);
  return tag !== undefined && filter.tags.includes(tag);
}

/** The stored records of one queue; the first has offset 0, those below `minOffset` are gone. */
export type Queue = { records: Uint8Array[]; minOffset: number };

/** What a pull of a queue comes to at once. */
export function readQueue(
  { records, minOffset }: Queue,
  { offset, messagesMax, bytesMax, filter }: PullRequest,
): PullResult {
  const maxOffset = records.length;
  const bounds = { minOffset, maxOffset, records: new Uint8Array(0), count: 0 };
  if (offset < minOffset || offset > maxOffset) {
    return { ...bounds, outcome: "outside", nextOffset: offset };
  }
  if (offset === maxOffset) return { ...bounds, outcome: "empty", nextOffset: offset };
  const found: Uint8Array[] = [];
  let next = offset;
  for (let bytes = 0; next < maxOffset && found.length < messagesMax; next++) {
    const record = records[next]!;
    if (!matches(filter, record)) continue;
    if (found.length > 0 && bytes + record.length > bytesMax) break;
    bytes += record.length;
    found.push(record);
  }
  if (found.length === 0) return { ...bounds, outcome: "filtered", nextOffset: next };
  const outcome = "found";
  return { ...bounds, outcome, nextOffset: next, records: joined(found), count: found.length };
}

/** One property of a stored message. */
export function propertyOf(found: FoundMessage, name: string): string | undefined {
  return readProperty(recordProperties(found.record, 0), name);
}

/** Records back to back. */
export function joined(records: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const record of records) writer.put(record);
  return writer.view().slice();
}
