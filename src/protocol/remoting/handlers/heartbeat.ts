/**
 * HEART_BEAT (34), UNREGISTER_CLIENT (35), GET_CONSUMER_LIST_BY_GROUP (38) and
 * CHECK_CLIENT_CONFIG (46): who is there. Protocol 9 and 7.2.
 *
 * @module
 */
import { digestOf } from "../../../base/hash.ts";
import { limits } from "../../../base/limits.ts";
import type { HeartbeatAsk } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { checkClientId } from "../../../model/names.ts";
import type { Expression, Subscription } from "../../../model/subscription.ts";
import { type Answer, type Call, done, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import { consumerGroup, heartBeatAnswer, unregisterClient } from "../fields.ts";
import { readExpression } from "./expression.ts";
import {
  boolField,
  isObject,
  jsonBody,
  type JsonObject,
  numberField,
  objectsField,
  readBody,
  requiredText,
  textField,
} from "./json_body.ts";

type Membership = HeartbeatAsk["consumers"][number];

/** A client shows that it lives, and says what it wants. Nearly always it wants what it wanted. */
export async function handleHeartbeat(call: Call, context: RemotingContext): Promise<Answer> {
  const { connection, heartbeats } = call.peer;
  const digest = digestOf(call.body);
  const last = heartbeats.again(digest);
  if (last !== null) {
    const { clientId, groupCount } = last;
    const isKnown = await context.broker.members.repeatBeat({ clientId, connection, groupCount });
    if (isKnown) {
      if (last.produces) context.producers.put(clientId, connection);
      return unchanged;
    }
    heartbeats.forgetLast();
  }
  return await takeHeartbeat(call, digest, context);
}

async function takeHeartbeat(
  call: Call,
  digest: number,
  context: RemotingContext,
): Promise<Answer> {
  const { broker } = context;
  const body = readBody(call.body);
  const clientId = requiredText(body, "clientID");
  checkClientId(clientId);
  const fingerprint = numberField(body, "heartbeatFingerprint", 0);
  const isLight = boolField(body, "withoutSub", false);
  const recalled = isLight ? call.peer.heartbeats.recall(clientId, fingerprint) : undefined;
  // A light heartbeat we cannot complete would look like "subscribed to nothing".
  if (isLight && recalled === undefined) return heartbeatAnswer(true);
  const ask = recalled ?? await readHeartbeat(body, clientId, call, context);
  const { subscriptionsChanged } = await broker.heartbeat(ask);
  // A group that was passed over may be there next time.
  if (isLight || ask.consumers.length === consumersIn(body)) {
    call.peer.heartbeats.taken(digest, ask);
  } else call.peer.heartbeats.forgetLast();
  if (!isLight) call.peer.heartbeats.remember(fingerprint, ask);
  // Those that produce may ask, and replies are to find them.
  if (ask.producerGroups.length > 0) context.producers.put(clientId, call.peer.connection);
  return heartbeatAnswer(subscriptionsChanged);
}

/** A client leaves a group, in either role or both. */
export async function handleUnregister(call: Call, context: RemotingContext): Promise<Answer> {
  const header = readHeader(unregisterClient, call.command.extFields);
  await context.broker.unregister({
    clientId: header.clientId,
    connection: call.peer.connection,
    producerGroup: header.producerGroup ?? null,
    consumerGroup: header.consumerGroup ?? null,
  });
  return done;
}

/** The ids of a group's members, from which each member works out its share of the queues. */
export async function handleConsumerList(call: Call, context: RemotingContext): Promise<Answer> {
  const { consumerGroup: group } = readHeader(consumerGroup, call.command.extFields);
  const consumerIdList = await context.broker.members.consumerIds(group);
  if (consumerIdList.length === 0) {
    return refusal(responseCodes.systemError, `Group ${group} has no members`);
  }
  const body = idBodies.get(consumerIdList) ?? jsonBody({ consumerIdList });
  idBodies.set(consumerIdList, body);
  return { ...done, body };
}

/** The same list is asked for by all its members; it goes when the broker has a newer one. */
const idBodies = new WeakMap<readonly string[], Uint8Array>();

/** Whether the broker can filter as a client is going to ask; clients do not start on a "no". */
export async function handleCheckConfig(call: Call, context: RemotingContext): Promise<Answer> {
  const { subscriptionData } = readBody(call.body);
  if (!isObject(subscriptionData)) {
    return refusal(
      responseCodes.subscriptionParseFailed,
      "Cannot check a subscription: the request has none",
    );
  }
  await context.broker.compile(expressionOf(subscriptionData));
  return done;
}

function heartbeatAnswer(subscriptionChanged: boolean): Answer {
  return {
    ...done,
    extFields: writeHeader(heartBeatAnswer, { supportsV2: true, subscriptionChanged }),
  };
}

/** What nearly every heartbeat is answered. */
const unchanged = heartbeatAnswer(false);

function consumersIn(body: JsonObject): number {
  return objectsField(body, "consumerDataSet", limits.subscriptionsPerMemberMax).length;
}

async function readHeartbeat(
  body: JsonObject,
  clientId: string,
  call: Call,
  context: RemotingContext,
): Promise<HeartbeatAsk> {
  const consumers: Membership[] = [];
  for (const consumer of objectsField(body, "consumerDataSet", limits.subscriptionsPerMemberMax)) {
    const membership = membershipOf(consumer);
    if (await prepareGroup(membership, call, context)) consumers.push(membership);
  }
  const producers = objectsField(body, "producerDataSet", limits.subscriptionsPerMemberMax);
  return {
    clientId,
    connection: call.peer.connection,
    address: call.peer.address,
    language: call.command.language,
    version: call.command.version,
    producerGroups: producers.map((producer) => requiredText(producer, "groupName")),
    consumers,
  };
}

function membershipOf(consumer: JsonObject): Membership {
  const subscriptions = objectsField(
    consumer,
    "subscriptionDataSet",
    limits.subscriptionsPerMemberMax,
  );
  const model = textField(consumer, "messageModel", "CLUSTERING");
  return {
    group: requiredText(consumer, "groupName"),
    consumeType: textField(consumer, "consumeType", "CONSUME_PASSIVELY"),
    messageModel: model === "BROADCASTING" ? "BROADCASTING" : "CLUSTERING",
    consumeFromWhere: textField(consumer, "consumeFromWhere", "CONSUME_FROM_LAST_OFFSET"),
    subscriptions: subscriptions.map(subscriptionOf),
  };
}

function subscriptionOf(subscription: JsonObject): Subscription {
  return {
    topic: requiredText(subscription, "topic"),
    expression: expressionOf(subscription),
    // Versions are compared as numbers; one client writes nanoseconds, which JSON rounds.
    version: numberField(subscription, "subVersion", 0),
  };
}

function expressionOf(subscription: JsonObject): Expression {
  const text = textField(subscription, "subString", "");
  return readExpression(textField(subscription, "expressionType", "TAG"), text);
}

/**
 * Makes the group, and with it its retry topic, if it is missing. False: the broker makes no groups
 * on the fly. The heartbeat still counts for the client's other groups; its pulls will be told.
 */
async function prepareGroup(
  { group }: Membership,
  call: Call,
  { broker, log }: RemotingContext,
): Promise<boolean> {
  try {
    if (broker.group(group) === undefined) await broker.groupForUse(group);
    return true;
  } catch (fault) {
    if (!(fault instanceof BrokerError) || fault.code !== "group_not_found") throw fault;
    log.warn("consumer of an unknown group is ignored", { group, address: call.peer.address });
    return false;
  }
}
