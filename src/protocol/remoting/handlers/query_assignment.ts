/**
 * QUERY_ASSIGNMENT (400) and SET_MESSAGE_REQUEST_MODE (401): which queues a member reads, and
 * whether it pulls or pops. Protocol 7.2.
 *
 * @module
 */
import type { Broker } from "../../../broker/broker.ts";
import { WireError } from "../../../model/errors.ts";
import { retryPrefix } from "../../../model/names.ts";
import { allocateQueues } from "../allocate_queues.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { jsonBody, readBody, requiredText, textField } from "./json_body.ts";

/** Where the modes are kept; the key is "topic@group". */
const modeNamespace = "MESSAGE_REQUEST_MODE";
const modes: ReadonlySet<string> = new Set(["PULL", "POP"]);

/**
 * The queues of one member. Members that pop are all told "any queue": messages are leased one by
 * one here, so there is nothing to share out.
 */
export async function handleQueryAssignment(call: Call, context: RemotingContext): Promise<Answer> {
  const { broker, settings: { brokerName } } = context;
  const body = readBody(call.body);
  const topic = requiredText(body, "topic");
  const group = requiredText(body, "consumerGroup");
  const known = broker.topic(topic);
  if (known === undefined) return assigned([]);
  const mode = await modeOf(topic, group, broker);
  const queueIds = mode === "POP" ? [-1] : await pulledQueues(body, known.queueRefs.length, broker);
  return assigned(queueIds.map((queueId) => ({
    attachments: {},
    messageQueue: { brokerName, queueId, topic },
    mode,
  })));
}

/** Lets a group pull or pop a topic. Its members learn of it with their next question. */
export async function handleSetRequestMode(call: Call, { broker }: RemotingContext) {
  const body = readBody(call.body);
  const topic = requiredText(body, "topic");
  const group = requiredText(body, "consumerGroup");
  const mode = textField(body, "mode", "PULL");
  if (!modes.has(mode)) {
    throw new WireError(`Cannot read body: "mode" is ${JSON.stringify(mode.slice(0, 40))}`);
  }
  if (topic.startsWith(retryPrefix)) {
    return refusal(
      responseCodes.noPermission,
      `Cannot set how ${topic} is consumed: retry topics are always pulled`,
    );
  }
  await broker.putKeyValue(modeNamespace, `${topic}@${group}`, mode);
  return done;
}

async function modeOf(topic: string, group: string, broker: Broker): Promise<string> {
  if (topic.startsWith(retryPrefix)) return "PULL";
  const kept = await broker.keyValue(modeNamespace, `${topic}@${group}`);
  return kept === "POP" ? "POP" : "PULL";
}

async function pulledQueues(
  body: Readonly<Record<string, unknown>>,
  queueCount: number,
  broker: Broker,
): Promise<number[]> {
  const clientId = requiredText(body, "clientId");
  const isBroadcast = textField(body, "messageModel", "CLUSTERING") === "BROADCASTING";
  const members = isBroadcast
    ? [clientId]
    : await broker.members.consumerIds(requiredText(body, "consumerGroup"));
  return allocateQueues(textField(body, "strategyName", "AVG"), queueCount, members, clientId);
}

function assigned(messageQueueAssignments: readonly object[]): Answer {
  return { ...done, body: jsonBody({ messageQueueAssignments }) };
}
