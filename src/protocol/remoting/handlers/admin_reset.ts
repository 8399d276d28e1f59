/**
 * Moving groups: INVOKE_BROKER_TO_RESET_OFFSET (222), CLONE_GROUP_OFFSET (314), and where all of
 * them are: GET_ALL_CONSUMER_OFFSET (43), GET_ALL_DELAY_OFFSET (45). Protocol 10.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import type { ResetPreview, ResetTarget } from "../../../broker/broker.ts";
import { type Answer, type Call, done, type RemotingContext } from "../call.ts";
import { requestCodes } from "../codes.ts";
import { type HeaderOf, readHeader } from "../field_tables.ts";
import { type MessageQueue, messageQueueMapText } from "../message_queue_keys.ts";
import { cloneOffsets, resetOffset } from "./admin_fields.ts";
import { jsonBody } from "./json_body.ts";
import { dataVersion } from "./pages.ts";

type ResetHeader = HeaderOf<typeof resetOffset>;

/**
 * Moves a group to a time or an offset. Members that are online hear of it at once, and follow at
 * the latest with their next pull.
 */
export async function handleResetOffset(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker, settings: { brokerName } } = context;
  const header = readHeader(resetOffset, call.command.extFields);
  const { group, topic, queueId: wantedQueue = -1 } = header;
  await broker.groupForUse(group);
  const moves = (await broker.previewReset(group, topic, targetOf(header)))
    .filter(({ queueId }) => wantedQueue < 0 || queueId === wantedQueue)
    .filter((move) => header.isForce !== false || goesBack(move));
  const by = `an admin tool at ${call.peer.address}`;
  for (const { queueId, toOffset: offset } of moves) {
    context.resets.put(group, topic, queueId, offset);
    await broker.resetOffsets(group, topic, { kind: "offset", queueId, offset }, by);
  }
  const rows = moves.map(({ queueId, toOffset }) =>
    [{ topic, brokerName, queueId }, toOffset] as const
  );
  await tellMembers(header, rows, context);
  return { ...done, body: utf8(`{"offsetTable":${messageQueueMapText(rows)}}`) };
}

/** Gives one group the places of another, in one topic or in all it has a place in. */
export async function handleCloneOffsets(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker } = context;
  const { from, to, topic } = readHeader(cloneOffsets, call.command.extFields);
  const by = `an admin tool at ${call.peer.address}`;
  const topics = topic === undefined || topic === ""
    ? new Set((await broker.places(from, null)).map((place) => place.topic))
    : [topic];
  for (const each of topics) {
    for (const place of await broker.cloneOffsets(from, to, each, by)) {
      const { queueId, committedOffset } = place;
      if (committedOffset !== null) context.resets.put(to, each, queueId, committedOffset);
    }
  }
  return done;
}

/** The places of all groups, as "topic@group" → queue → offset. */
export async function handleAllOffsets(_call: Call, { broker }: RemotingContext): Promise<Answer> {
  const offsetTable: Record<string, Record<string, number>> = {};
  // One group after the other: each is a question to every shard for every topic.
  for (const { name } of broker.groups()) {
    for (const { topic, queueId, committedOffset } of await broker.places(name, null)) {
      if (committedOffset === null) continue;
      const queues = offsetTable[`${topic}@${name}`] ??= {};
      queues[queueId] = committedOffset;
    }
  }
  return { ...done, body: jsonBody({ dataVersion: dataVersion(broker.groups()), offsetTable }) };
}

/** Delayed messages are kept by their time here, not in queues of levels: there are no places. */
export function handleDelayOffsets(): Answer {
  return { ...done, body: jsonBody({ offsetTable: {} }) };
}

function targetOf({ queueId = -1, offset, timestampMs }: ResetHeader): ResetTarget {
  if (queueId >= 0 && offset !== undefined && offset >= 0) {
    return { kind: "offset", queueId, offset };
  }
  return timestampMs < 0 ? { kind: "latest" } : { kind: "time", ms: timestampMs };
}

/** Without force a tool only means to read again, never to skip. */
function goesBack({ fromOffset, toOffset }: ResetPreview): boolean {
  return fromOffset === null || toOffset < fromOffset;
}

/** RESET_CONSUMER_CLIENT_OFFSET (220), to each member. C++ reads a list instead of a map. */
async function tellMembers(
  { group, topic, timestampMs }: ResetHeader,
  rows: readonly (readonly [MessageQueue, number])[],
  { broker, clients }: RemotingContext,
): Promise<void> {
  if (rows.length === 0) return;
  const map = utf8(`{"offsetTable":${messageQueueMapText(rows)}}`);
  const list = jsonBody({ offsetTable: rows.map(([queue, offset]) => ({ ...queue, offset })) });
  const extFields = { topic, group, timestamp: String(timestampMs), isForce: "true" };
  for (const { connection, language } of await broker.consumers(group)) {
    const code = requestCodes.resetConsumerClientOffset;
    clients.tell(connection, { code, extFields, body: language === "CPP" ? list : map });
  }
}
