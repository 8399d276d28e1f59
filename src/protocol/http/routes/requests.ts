/** `…/topics/{topic}/requests` and `/v1/replies`: a message that is answered. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { Reply } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { emptyAnswer, jsonAnswer } from "../answer.ts";
import { bodyText, parseJson } from "../body.ts";
import { bodyEndpoint, type Endpoint, readBy, refuseQuery } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { type Origin, readMessage } from "../message_in.ts";
import { bodyJson, userProperties } from "../message_out.ts";
import { newMessageSchema } from "../message_schema.ts";
import { decodeProperties } from "../../../model/properties.ts";
import { readyTopic } from "../send_batches.ts";

const requestMsDefault = 10_000;

const timeoutShape = {
  timeoutMs: z.number().int().min(1).max(limits.requestMsMax).default(requestMsDefault)
    .openapi({ description: "How long to wait for the reply." }),
};
const requestSchema = newMessageSchema.safeExtend(timeoutShape).openapi("RequestMessage");
/** What is no field of a message, for the reader of messages does the rest. */
const waitSchema = z.object(timeoutShape);
const nameField = z.string().min(1).max(limits.clientIdLengthMax);
const { body, bodyBase64, properties } = newMessageSchema.shape;
const replySchema = z.strictObject({
  correlationId: nameField.openapi({ description: "As the request's message shows it." }),
  replyTo: nameField.openapi({ description: "As the request's message shows it." }),
  body,
  bodyBase64,
  properties,
}).openapi("Reply");
const replyShownSchema = z.object({
  correlationId: z.string(),
  body: z.string().optional().openapi({ description: "The body, when it is plain text." }),
  bodyBase64: z.string().optional().openapi({ description: "The body otherwise." }),
  properties: z.record(z.string(), z.string()),
}).openapi("ReplyMessage");

/** The rows of asking and answering. */
export const requestEndpoints: readonly Endpoint[] = [
  {
    operationId: "sendRequest",
    method: "post",
    path: "/v1/topics/{topic}/requests",
    tag: "Messages",
    summary: "Send a message and wait for its reply",
    description: "Whoever consumes the message answers it by POST /v1/replies. Without a reply " +
      "within `timeoutMs` the answer is a problem with status 504 and code `timeout`; unless " +
      "`ttlMs` says otherwise, consumers do not see the message any more then.",
    body: requestSchema,
    answers: { 200: { description: "The reply.", schema: replyShownSchema } },
    run: request,
  },
  bodyEndpoint({
    operationId: "sendReply",
    method: "post",
    path: "/v1/replies",
    tag: "Messages",
    summary: "Reply to a request",
    description:
      "`correlationId` and `replyTo` are those of the request's message. 404 with code " +
      "`message_not_found`: nobody waits for the reply any more.",
    body: replySchema,
    answers: { 204: { description: "Who waited has it." } },
  }, async (exchange, { correlationId, replyTo, ...fields }) => {
    const { message } = readMessage(fields, "", originOf(exchange));
    const { body, properties } = message;
    await exchange.context.broker.reply({ correlationId, replyTo, body, properties });
    return emptyAnswer;
  }),
];

async function request(exchange: Exchange) {
  const { context, params, request } = exchange;
  refuseQuery(request);
  const value = parseJson(await bodyText(exchange));
  const { timeoutMs } = readBy(waitSchema, value, "the body");
  const fields = { ...(value as Readonly<Record<string, unknown>>) };
  delete fields["timeoutMs"];
  const { message, queueId, shardingKey } = readMessage(fields, "", originOf(exchange));
  if (message.timing !== undefined) {
    throw new BrokerError(
      "invalid_argument",
      "Cannot ask with a message for later: whoever waits for the reply waits now",
    );
  }
  const topic = params["topic"] ?? "";
  await readyTopic(context, topic);
  const target = shardingKey === undefined ? { topic, queueId } : { topic, queueId, shardingKey };
  const { storeHost } = context.settings;
  const { signal } = request;
  return jsonAnswer(
    replyJson(
      await context.broker.request({ ...target, storeHost, message, timeoutMs, signal }),
    ),
  );
}

function originOf({ context, info }: Exchange): Origin {
  const { host: ip, port } = info.remote;
  return { bornMs: context.clock.wallMs(), bornHost: { ip, port } };
}

function replyJson({ correlationId, body, properties }: Reply) {
  const decoded = decodeProperties(properties);
  return { correlationId, ...bodyJson(body), properties: userProperties(decoded) };
}
