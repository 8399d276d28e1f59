/**
 * Offsets of groups and queues: QUERY_CONSUMER_OFFSET (14), UPDATE_CONSUMER_OFFSET (15),
 * SEARCH_OFFSET_BY_TIMESTAMP (29), GET_MAX_OFFSET (30), GET_MIN_OFFSET (31) and
 * GET_EARLIEST_MSG_STORETIME (32). Protocol 7.2 and 7.4.
 *
 * @module
 */
import type { Broker } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import {
  earliestStoreTimeAnswer,
  offsetAnswer,
  queryConsumerOffset,
  queueOfTopic,
  searchOffset,
  updateConsumerOffset,
} from "../fields.ts";
import { storedMsAt } from "./stored_times.ts";

/**
 * Where a group goes on reading a queue. A group without a place starts a young queue at 0, so that
 * it sees what was sent before it came; otherwise it is told 22 and decides by its own settings.
 */
export async function handleQueryOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(queryConsumerOffset, call.command.extFields);
  const { topic, queueId, consumerGroup } = header;
  const group = broker.group(consumerGroup);
  if (broker.topic(topic) === undefined) return noOffset(consumerGroup, topic, queueId);
  const places = group === undefined ? [] : await broker.places(consumerGroup, topic, queueId);
  const place = places.find((each) => each.queueId === queueId);
  const committed = place?.committedOffset ?? null;
  if (committed !== null) {
    context.resets.passed(consumerGroup, topic, queueId, committed);
    return answerOffset(committed);
  }
  const decidesItself = header.setZeroIfNotFound === false ||
    group?.settings.startFrom === "latest";
  const { minOffset } = place ?? await rangeOf(topic, queueId, broker);
  if (decidesItself || minOffset > 0) return noOffset(consumerGroup, topic, queueId);
  return answerOffset(0);
}

/** A group moved on in a queue. */
export async function handleUpdateOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(updateConsumerOffset, call.command.extFields);
  const { topic, queueId, consumerGroup, commitOffset } = header;
  if (broker.topic(topic) === undefined) {
    return refusal(
      responseCodes.topicNotExist,
      `Cannot commit an offset: topic ${topic} does not exist`,
    );
  }
  // What it has read counts for nothing any more: the group begins elsewhere.
  if (context.resets.has(consumerGroup, topic, queueId)) return done;
  if (broker.group(consumerGroup) === undefined) await broker.groupForUse(consumerGroup);
  await broker.commitOffset(consumerGroup, topic, queueId, commitOffset);
  return done;
}

/** One past the newest message of a queue. */
export async function handleMaxOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { topic, queueId } = readHeader(queueOfTopic, call.command.extFields);
  return answerOffset((await rangeOf(topic, queueId, context.broker)).maxOffset);
}

/** The oldest message of a queue. */
export async function handleMinOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { topic, queueId } = readHeader(queueOfTopic, call.command.extFields);
  return answerOffset((await rangeOf(topic, queueId, context.broker)).minOffset);
}

/** LOWER: the first message stored at that time or later. UPPER: the last one not later. */
export async function handleSearchOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const header = readHeader(searchOffset, call.command.extFields);
  const { topic, queueId, timestampMs } = header;
  if (header.boundary?.toUpperCase() !== "UPPER") {
    return answerOffset(await broker.offsetAtTime(topic, queueId, timestampMs));
  }
  const after = await broker.offsetAtTime(topic, queueId, timestampMs + 1);
  const { minOffset } = await rangeOf(topic, queueId, broker);
  return answerOffset(Math.max(minOffset, after - 1));
}

/** When the oldest message of a queue was stored; -1 if there is none. */
export async function handleEarliestTime(call: Call, context: RemotingContext): Promise<Answer> {
  const { topic, queueId } = readHeader(queueOfTopic, call.command.extFields);
  const { minOffset, maxOffset } = await rangeOf(topic, queueId, context.broker);
  const storedMs = minOffset === maxOffset
    ? -1
    : await storedMsAt(context.broker, topic, queueId, minOffset) ?? -1;
  return { ...done, extFields: writeHeader(earliestStoreTimeAnswer, { storedMs }) };
}

async function rangeOf(topic: string, queueId: number, broker: Broker) {
  const ranges = await broker.queueRanges(topic);
  const range = ranges[queueId];
  if (range !== undefined) return range;
  throw new BrokerError(
    "queue_not_found",
    `Cannot read queue ${queueId} of topic ${topic}: it has queues 0 to ${ranges.length - 1}`,
  );
}

function answerOffset(offset: number): Answer {
  return { ...done, extFields: writeHeader(offsetAnswer, { offset }) };
}

function noOffset(group: string, topic: string, queueId: number): Answer {
  return refusal(
    responseCodes.queryNotFound,
    `Group ${group} has no offset in queue ${queueId} of topic ${topic}`,
  );
}
