/** A message of a request as the door takes it: protocol 6.1. @module */
import type { Host, NewMessage } from "../../../model/message.ts";
import { propertyNames, withoutProperties, withProperty } from "../../../model/properties.ts";
import type { BatchMessage } from "../batch_encoding.ts";
import type { SendMessageHeader } from "../fields.ts";

/** Whose message it is, and of which cluster a responder finds the topic for replies. */
export type MessageOrigin = {
  readonly header: SendMessageHeader;
  readonly bornHost: Host;
  readonly clusterName: string;
};

/** What a pop had added must not come back: it would be taken for this delivery's. */
const strippedNames: readonly string[] = [propertyNames.popCheckPoint];

/** The message with its properties as they came, but for what only brokers say. */
export function newMessageOf(
  { body, properties, flag }: BatchMessage,
  { header, bornHost, clusterName }: MessageOrigin,
): NewMessage {
  return {
    body,
    properties: asAnswerable(withoutProperties(properties, strippedNames), clusterName),
    flag,
    sysFlag: header.sysFlag,
    bornMs: header.bornMs,
    bornHost,
    reconsumeTimes: header.reconsumeTimes ?? 0,
  };
}

/** A responder makes the name of the topic for its reply out of the request's cluster. */
function asAnswerable(properties: string, clusterName: string): string {
  if (!properties.includes(propertyNames.replyToClient)) return properties;
  return withProperty(properties, propertyNames.cluster, clusterName);
}
