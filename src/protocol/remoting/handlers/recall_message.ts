/** RECALL_MESSAGE (370): a producer calls a timed message off. Protocol 6.4. @module */
import { type Answer, type Call, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import { readHeader, writeHeader } from "../field_tables.ts";
import { recallMessage, recallMessageAnswer } from "../fields.ts";
import { parseRecallHandle } from "../recall_handle.ts";

/** Calls a message off. The verdict is decided before the answer: what is recalled never comes. */
export async function handleRecallMessage(
  call: Call,
  { broker, settings }: RemotingContext,
): Promise<Answer> {
  const { topic, recallHandle } = readHeader(recallMessage, call.command.extFields);
  if (broker.topic(topic) === undefined) {
    return refusal(responseCodes.topicNotExist, `Cannot recall: topic ${topic} does not exist`);
  }
  const handle = parseRecallHandle(recallHandle);
  if (handle === undefined) return illegal("the handle is none that a send answered");
  if (handle.topic !== topic) {
    return illegal(`the handle is of topic ${handle.topic}, the request of ${topic}`);
  }
  if (handle.brokerName !== settings.brokerName) {
    return illegal(`the handle is of broker ${handle.brokerName}, this is ${settings.brokerName}`);
  }
  const { uniqueKey: messageId } = handle;
  const { verdict } = await broker.timers.cancel(topic, { by: "id", messageId });
  if (verdict === "cancelled") {
    const { region } = settings;
    const extFields = writeHeader(recallMessageAnswer, { messageId, region });
    return { code: responseCodes.success, extFields };
  }
  return illegal(
    verdict === "already-delivered"
      ? `message ${messageId} was delivered already`
      : `no message ${messageId} waits for its time in topic ${topic}`,
  );
}

function illegal(why: string): Answer {
  return refusal(responseCodes.illegalOperation, `Cannot recall a message: ${why}`);
}
