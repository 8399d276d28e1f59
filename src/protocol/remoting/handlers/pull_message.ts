/**
 * PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361): protocol 7.3.
 *
 * The broker waits where the messages will appear; here a waiting pull is a promise and a count.
 *
 * @module
 */
import { limits } from "../../../base/limits.ts";
import type { Broker, PullResult } from "../../../broker/broker.ts";
import type { Group } from "../../../model/group.ts";
import type { Filter } from "../../../model/subscription.ts";
import { permRead } from "../../../model/topic.ts";
import { type Answer, type Call, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { type HeaderOf, type HeaderTable, readHeader, required } from "../field_tables.ts";
import { pullMessage } from "../fields.ts";
import type { Parking } from "../parking.ts";
import { readExpression } from "./expression.ts";

/**
 * The version is milliseconds, but nanoseconds with one client: beyond what an int64 field takes.
 */
const pullFields = {
  ...pullMessage,
  subscriptionVersion: required("subVersion", "string"),
} as const satisfies HeaderTable;
type PullHeader = HeaderOf<typeof pullFields>;

/** Bits of a pull's `sysFlag`. */
const pullFlags = { commitOffset: 1, suspend: 2, subscription: 4 } as const;
/** What a pull without a wish of its own brings at most. */
const bytesDefault = 256 * 1024;

/**
 * Reads a queue; waits for messages if the client asked for it. A crowd of consumers has a pull
 * waiting each: nothing is awaited on that road, since a suspended function keeps all it has.
 */
export function handlePullMessage(
  call: Call,
  context: RemotingContext,
): Answer | Promise<Answer> {
  const header = readHeader(pullFields, call.command.extFields);
  const group = context.broker.group(header.consumerGroup);
  if (group === undefined) return pullForNewGroup(header, call, context);
  return pullForGroup(group, header, call, context);
}

async function pullForNewGroup(
  header: PullHeader,
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const group = await context.broker.groupForUse(header.consumerGroup);
  return await pullForGroup(group, header, call, context);
}

function pullForGroup(
  group: Group,
  header: PullHeader,
  call: Call,
  context: RemotingContext,
): Answer | Promise<Answer> {
  const { broker } = context;
  if (!group.settings.consumeEnabled) {
    return refusal(
      responseCodes.noPermission,
      `Cannot pull for group ${group.name}: consuming is switched off`,
    );
  }
  const refused = checkQueue(header, broker);
  if (refused !== undefined) return refused;
  const { consumerGroup, topic, queueId } = header;
  const resetTo = context.resets.follow(consumerGroup, topic, queueId, header.queueOffset);
  if (resetTo !== undefined) return movedAnswer(header, resetTo, broker);
  if ((header.sysFlag & pullFlags.subscription) !== 0) return pullAsItSays(header, call, context);
  const filter = filterOf(header, broker);
  if (!("kind" in filter)) return filter;
  return pull(filter, header, call, context);
}

/** With the filter the pull carries. */
async function pullAsItSays(
  header: PullHeader,
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const expression = readExpression(header.expressionType, header.subscription ?? "");
  return await pull(await context.broker.compile(expression), header, call, context);
}

function checkQueue(header: PullHeader, broker: Broker): Answer | undefined {
  const { queueId } = header;
  const topic = broker.topic(header.topic);
  if (topic === undefined) {
    return refusal(
      responseCodes.topicNotExist,
      `Cannot pull from topic ${header.topic}: it does not exist`,
    );
  }
  if ((topic.settings.perm & permRead) === 0) {
    return refusal(
      responseCodes.noPermission,
      `Cannot pull from topic ${topic.name}: it is not readable`,
    );
  }
  if (queueId >= 0 && queueId < topic.queueRefs.length) return undefined;
  return refusal(
    responseCodes.systemError,
    `Cannot pull from queue ${queueId} of topic ${topic.name}: ` +
      `it has queues 0 to ${topic.queueRefs.length - 1}`,
  );
}

/** The filter of the group's heartbeats. */
function filterOf(header: PullHeader, broker: Broker): Filter | Answer {
  const { consumerGroup, topic } = header;
  const subscription = broker.subscription(consumerGroup, topic);
  if (subscription === undefined) {
    return refusal(
      responseCodes.subscriptionNotExist,
      `Cannot pull: group ${consumerGroup} has not subscribed to topic ${topic}`,
    );
  }
  if (subscription.version >= Number(header.subscriptionVersion)) return subscription.filter;
  return refusal(
    responseCodes.subscriptionNotLatest,
    `Cannot pull: the subscription of group ${consumerGroup} to topic ${topic} is newer ` +
      `(${header.subscriptionVersion}) than the last heartbeat's (${subscription.version})`,
  );
}

/** A pull may bring the group's offset along. Its failure is no reason to refuse the messages. */
function commitAlong(header: PullHeader, call: Call, context: RemotingContext): void {
  if ((header.sysFlag & pullFlags.commitOffset) === 0 || header.commitOffset <= 0) return;
  const { consumerGroup, topic, queueId, commitOffset } = header;
  if (context.resets.has(consumerGroup, topic, queueId)) return;
  context.broker.commitOffset(consumerGroup, topic, queueId, commitOffset).catch((fault) =>
    context.log.warn("offset of a pull was not committed", {
      group: consumerGroup,
      topic,
      queueId,
      address: call.peer.address,
      fault: fault instanceof Error ? fault : String(fault),
    })
  );
}

function pull(
  filter: Filter,
  header: PullHeader,
  call: Call,
  context: RemotingContext,
): Promise<Answer> {
  const { peer } = call;
  commitAlong(header, call, context);
  const wishedBytes = header.messageBytesMax ?? bytesDefault;
  const waitMs = clamp(header.suspendTimeoutMs, limits.pollWaitMsMax);
  const waits = (header.sysFlag & pullFlags.suspend) !== 0 && peer.parking.enter();
  const result = context.broker.pull({
    topic: header.topic,
    queueId: header.queueId,
    offset: header.queueOffset,
    messagesMax: clamp(header.messagesMax, limits.pullMessagesMax),
    bytesMax: clamp(wishedBytes <= 0 ? bytesDefault : wishedBytes, limits.replyBytesMax),
    filter,
    waitMs: waits ? waitMs : 0,
    signal: peer.gone,
    group: header.consumerGroup,
  });
  return answered(result, header.queueOffset, waits ? peer.parking : null);
}

/** All that is kept of a pull while it waits; `parking` is where it took a place. */
function answered(
  result: Promise<PullResult>,
  offset: number,
  parking: Parking | null,
): Promise<Answer> {
  return result.then((found) => {
    parking?.leave();
    return pullAnswer(found, offset);
  }, (thrown) => {
    parking?.leave();
    throw thrown;
  });
}

function pullAnswer(result: PullResult, offset: number): Answer {
  switch (result.outcome) {
    case "found":
      return {
        ...placed(responseCodes.success, result.nextOffset, result),
        body: result.records,
        // The client asks again at once, which it cannot before it has read what is waiting.
        lighter: placed(responseCodes.pullRetryImmediately, offset, result),
      };
    case "filtered":
      return placed(responseCodes.pullRetryImmediately, result.nextOffset, result);
    case "empty":
      return placed(responseCodes.pullNotFound, result.nextOffset, result);
    case "outside": {
      const moved = offset > result.maxOffset ? result.maxOffset : result.minOffset;
      return placed(responseCodes.pullOffsetMoved, moved, result);
    }
  }
}

/** The group was reset: a member drops what it holds of the queue and begins again there. */
async function movedAnswer(
  { topic, queueId }: PullHeader,
  offset: number,
  broker: Broker,
): Promise<Answer> {
  const range = (await broker.queueRanges(topic))[queueId] ?? { minOffset: 0, maxOffset: offset };
  return placed(responseCodes.pullOffsetMoved, offset, range);
}

/** Clients read these four numbers whatever the code. */
function placed(
  code: number,
  nextOffset: number,
  result: Pick<PullResult, "minOffset" | "maxOffset">,
): Answer {
  return {
    code,
    extFields: {
      suggestWhichBrokerId: "0",
      nextBeginOffset: String(nextOffset),
      minOffset: String(result.minOffset),
      maxOffset: String(result.maxOffset),
    },
  };
}

function clamp(value: number, max: number): number {
  return Math.max(1, Math.min(value, max));
}
