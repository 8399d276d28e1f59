/**
 * LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): who reads a queue in order. Protocol 7.6.
 *
 * @module
 */
import { limits } from "../../../base/limits.ts";
import type { LockAsk } from "../../../broker/broker.ts";
import { type Answer, type Call, done, type RemotingContext } from "../call.ts";
import { jsonBody, numberField, objectsField, readBody, requiredText } from "./json_body.ts";

/** Answers the queues that were granted; the others belong to someone else. */
export async function handleLockQueues(call: Call, context: RemotingContext): Promise<Answer> {
  const { brokerName } = context.settings;
  const granted = await context.broker.lockQueues(readLock(call.body));
  const lockOKMQSet = granted.map(({ topic, queueId }) => ({ brokerName, queueId, topic }));
  return { ...done, body: jsonBody({ lockOKMQSet }) };
}

/** Gives back what the client holds; what it does not hold stays as it is. */
export async function handleUnlockQueues(call: Call, context: RemotingContext): Promise<Answer> {
  await context.broker.unlockQueues(readLock(call.body));
  return done;
}

function readLock(bytes: Uint8Array): LockAsk {
  const body = readBody(bytes);
  const queues = objectsField(body, "mqSet", limits.queuesPerLockRequestMax);
  return {
    group: requiredText(body, "consumerGroup"),
    clientId: requiredText(body, "clientId"),
    queues: queues.map((queue) => ({
      topic: requiredText(queue, "topic"),
      queueId: numberField(queue, "queueId", -1),
    })),
  };
}
