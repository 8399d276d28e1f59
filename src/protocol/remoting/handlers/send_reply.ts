/**
 * SEND_REPLY_MESSAGE (324) and SEND_REPLY_MESSAGE_V2 (325): a responder's answer. Protocol 6.5.
 *
 * Here it is handed on at once and not stored: whoever asked waits for it now or never.
 *
 * @module
 */
import { inflateSync } from "node:zlib";
import { limits } from "../../../base/limits.ts";
import { asBrokerError, BrokerError } from "../../../model/errors.ts";
import { propertyNames, readProperty } from "../../../model/properties.ts";
import { type Answer, type Call, refusal, type RemotingContext } from "../call.ts";
import { responseCodes } from "../codes.ts";
import type { SendMessageHeader } from "../fields.ts";
import { pushReply } from "../reply_push.ts";
import { readSendHeader } from "./send_header.ts";

const compressedFlag = 0x1;
const compressionMask = 0x700;
/** No word about the way, from clients that know one only, and zlib by its name. */
const zlibTypes: readonly number[] = [0x000, 0x300];

/** Brings a reply to whoever asked, over whichever protocol. */
export async function handleSendReply(call: Call, context: RemotingContext): Promise<Answer> {
  const header = readSendHeader(call);
  try {
    await deliver(header, call, context);
  } catch (thrown) {
    const fault = asBrokerError(thrown);
    if (fault.code === "internal") throw thrown;
    return refusal(responseCodes.systemError, fault.message);
  }
  const { region, traceOn } = context.settings;
  return {
    code: responseCodes.success,
    extFields: {
      msgId: "0",
      queueId: "0",
      queueOffset: "0",
      MSG_REGION: region,
      TRACE_ON: traceOn ? "true" : "false",
    },
  };
}

async function deliver(header: SendMessageHeader, call: Call, context: RemotingContext) {
  const properties = header.properties ?? "";
  const replyTo = readProperty(properties, propertyNames.replyToClient);
  const correlationId = readProperty(properties, propertyNames.correlationId);
  if (replyTo === undefined || correlationId === undefined) {
    throw new BrokerError(
      "invalid_argument",
      "Cannot reply: the message does not say to which request " +
        `(${propertyNames.replyToClient}, ${propertyNames.correlationId})`,
    );
  }
  const connection = context.producers.find(replyTo);
  if (connection !== undefined) {
    const { remote: bornHost, storeHost } = call.peer;
    return await pushReply(connection, { header, body: call.body, bornHost, storeHost }, context);
  }
  const body = plainBody(call.body, header.sysFlag);
  await context.broker.reply({ correlationId, replyTo, body, properties });
}

/** The body as its author wrote it: clients of other protocols do not know how it was packed. */
function plainBody(body: Uint8Array, sysFlag: number): Uint8Array {
  if ((sysFlag & compressedFlag) === 0) return body.slice();
  if (zlibTypes.includes(sysFlag & compressionMask)) {
    try {
      return new Uint8Array(inflateSync(body, { maxOutputLength: limits.inflatedBytesMax }));
    } catch {
      throw unreadable(`its zlib body is damaged, or larger than ${limits.inflatedBytesMax} bytes`);
    }
  }
  throw unreadable(`its body is packed in a way (${sysFlag & compressionMask}) that is not zlib`);
}

function unreadable(why: string): BrokerError {
  return new BrokerError("invalid_argument", `Cannot hand a reply on: ${why}`);
}
