/**
 * PUSH_REPLY_MESSAGE_TO_CLIENT (326): brings a reply to the producer that asked. Protocol 6.5.
 *
 * @module
 */
import { limits } from "../../base/limits.ts";
import type { Reply, ReplyCarrier } from "../../broker/broker.ts";
import { BrokerError } from "../../model/errors.ts";
import type { Host } from "../../model/message.ts";
import { propertyNames, withProperty } from "../../model/properties.ts";
import type { RemotingContext } from "./call.ts";
import { requestCodes, responseCodes } from "./codes.ts";
import { writeHeader } from "./field_tables.ts";
import { pushReplyMessage, type SendMessageHeader } from "./fields.ts";

/** A reply on its way to one of our clients. */
export type PushedReply = {
  readonly header: SendMessageHeader;
  readonly body: Uint8Array;
  readonly bornHost: Host;
  readonly storeHost: Host;
};

/** Those who are told replies under this name came from no producer of this protocol. */
const otherProducers = "CURLEW_REPLIES";
const nowhere: Host = { ip: "0.0.0.0", port: 0 };

/**
 * Pushes a reply and waits until the client has taken it.
 *
 * @throws {BrokerError} `timeout`, `too_busy`; `conflict`: it did not want it.
 */
export async function pushReply(
  connection: number,
  { header, body, bornHost, storeHost }: PushedReply,
  { clients, clock }: RemotingContext,
): Promise<void> {
  const nowMs = clock.wallMs();
  const { pushReplyTime } = propertyNames;
  const extFields = writeHeader(pushReplyMessage, {
    ...header,
    properties: withProperty(header.properties ?? "", pushReplyTime, String(nowMs)),
    bornHost: hostText(bornHost),
    storeHost: hostText(storeHost),
    storedMs: nowMs,
  });
  const request = { code: requestCodes.pushReplyMessageToClient, extFields, body };
  const answer = await clients.ask(connection, request, limits.pushReplyMsMax);
  if (answer.code === responseCodes.success) return;
  throw new BrokerError(
    "conflict",
    `Cannot bring the reply to its client: it answered ${answer.code} ${answer.remark ?? ""}`,
  );
}

/** Brings replies of other protocols' clients to producers of this one. */
export function replyCarrier(context: RemotingContext): ReplyCarrier {
  return {
    async deliver(reply) {
      const connection = context.producers.find(reply.replyTo);
      if (connection === undefined) return false;
      const header = headerOf(reply, context);
      const pushed = { header, body: reply.body, bornHost: nowhere, storeHost: nowhere };
      await pushReply(connection, pushed, context);
      return true;
    },
  };
}

/** As clients read it: they pass over an IPv6 address. */
function hostText({ ip, port }: Host): string {
  return `${ip}:${port}`;
}

function headerOf(reply: Reply, { settings, clock }: RemotingContext): SendMessageHeader {
  let { properties } = reply;
  properties = withProperty(properties, propertyNames.correlationId, reply.correlationId);
  properties = withProperty(properties, propertyNames.replyToClient, reply.replyTo);
  properties = withProperty(properties, propertyNames.messageType, "reply");
  return {
    producerGroup: otherProducers,
    topic: `${settings.clusterName}_REPLY_TOPIC`,
    defaultTopic: "TBW102",
    defaultTopicQueues: 1,
    queueId: 0,
    sysFlag: 0,
    bornMs: clock.wallMs(),
    flag: 0,
    properties,
    reconsumeTimes: 0,
    unitMode: false,
    maxReconsumeTimes: undefined,
    isBatch: undefined,
    brokerName: undefined,
  };
}
