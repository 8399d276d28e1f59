/**
 * Moving groups: INVOKE_BROKER_TO_RESET_OFFSET (222), CLONE_GROUP_OFFSET (314), and where all of
 * them are: GET_ALL_CONSUMER_OFFSET (43), QUERY_CORRECTION_OFFSET (308), GET_ALL_DELAY_OFFSET (45).
 * Protocol 7.2, 10.
 *
 * @module
 */
import { utf8 } from "../../../base/bytes.ts";
import type { ResetPreview, ResetTarget } from "../../../broker/broker.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { type HeaderOf, readHeader } from "../field_tables.ts";
import { messageQueueMapText } from "../message_queue_keys.ts";
import { cloneOffsets, correctionOffset, resetOffset } from "./admin_fields.ts";
import { allPlaces } from "./all_places.ts";
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
  if (broker.group(group) === undefined) {
    return refusal(
      responseCodes.subscriptionGroupNotExist,
      `Cannot reset group ${group.slice(0, 200)}: it does not exist`,
    );
  }
  const queues = (await broker.previewReset(group, topic, targetOf(header)))
    .filter(({ queueId }) => wantedQueue < 0 || queueId === wantedQueue);
  const offsets = queues
    .filter((move) => header.isForce !== false || goesBack(move))
    .map(({ queueId, toOffset }) => ({ queueId, offset: toOffset }));
  const by = `an admin tool at ${call.peer.address}`;
  await broker.resetOffsets(group, topic, { kind: "offsets", offsets }, by);
  // Where the group stands now, in queues that stayed as well: tools show this as the outcome.
  const moved = new Map(offsets.map(({ queueId, offset }) => [queueId, offset]));
  const rows = queues.map(({ queueId, fromOffset, toOffset }) =>
    [{ topic, brokerName, queueId }, moved.get(queueId) ?? fromOffset ?? toOffset] as const
  );
  return { ...done, body: utf8(`{"offsetTable":${messageQueueMapText(rows)}}`) };
}

/** Gives one group the places of another, in one topic or in all it has a place in. */
export async function handleCloneOffsets(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const { from, to, topic } = readHeader(cloneOffsets, call.command.extFields);
  const by = `an admin tool at ${call.peer.address}`;
  const topics = topic === undefined || topic === ""
    ? new Set((await broker.places(from, null)).map((place) => place.topic))
    : [topic];
  for (const each of topics) await broker.cloneOffsets(from, to, each, by);
  return done;
}

/** The places of all groups, as "topic@group" → queue → offset. */
export async function handleAllOffsets(_call: Call, { broker }: RemotingContext): Promise<Answer> {
  const offsetTable: Record<string, Record<string, number>> = {};
  const groups = broker.groups();
  for (const [group, places] of await allPlaces(groups.map(({ name }) => name), broker)) {
    for (const { topic, queueId, committedOffset } of places) {
      if (committedOffset === null) continue;
      const queues = offsetTable[`${topic}@${group}`] ??= {};
      queues[queueId] = committedOffset;
    }
  }
  return { ...done, body: jsonBody({ dataVersion: dataVersion(groups), offsetTable }) };
}

/**
 * How far a topic is finished by all groups together, by queue: the smallest place of any. Where
 * `compareGroup` is behind that, RocketMQ's largest number. Places that retention overtook do not
 * count.
 */
export async function handleCorrectionOffset(
  call: Call,
  { broker }: RemotingContext,
): Promise<Answer> {
  const header = readHeader(correctionOffset, call.command.extFields);
  const left = new Set((header.filterGroups ?? "").split(","));
  const names = broker.groups().map(({ name }) => name);
  const smallest = new Map<number, number>();
  const compared = new Map<number, number>();
  for (const [group, places] of await allPlaces(names, broker)) {
    for (const { topic, queueId, committedOffset, minOffset } of places) {
      if (topic !== header.topic || committedOffset === null) continue;
      if (group === header.compareGroup) compared.set(queueId, committedOffset);
      if (left.has(group) || committedOffset < minOffset) continue;
      smallest.set(queueId, Math.min(smallest.get(queueId) ?? Infinity, committedOffset));
    }
  }
  const rows = Array.from(smallest, ([queueId, offset]) => {
    const isBehind = (compared.get(queueId) ?? Infinity) < offset;
    // Written by hand: the number is beyond what a double holds.
    return `"${queueId}":${isBehind ? "9223372036854775807" : offset}`;
  });
  return { ...done, body: utf8(`{"correctionOffsets":{${rows.join(",")}}}`) };
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
