/** `POST /v1/topics/{topic}/messages`: the hottest route. @module */
import type { SendReceipt } from "../../../model/message.ts";
import { type Answer, jsonTextAnswer } from "../answer.ts";
import { bodyBytes, bodyText, parseJson } from "../body.ts";
import { decodedBody } from "../coding.ts";
import { type Endpoint, refuseQuery } from "../endpoint.ts";
import type { Exchange, HttpContext } from "../exchange.ts";
import { readSendBody } from "../message_in.ts";
import type { Origin } from "../message_in.ts";
import { batchSchema, newMessageSchema, receiptsSchema } from "../message_schema.ts";
import { sendLines } from "../ndjson.ts";
import { rawHeadersSchema, rawMessage, refuseRawHeaders } from "../raw_message.ts";
import { receiptsText, sendAll, sendOne } from "../send_batches.ts";

/** The row of sending. */
export const sendEndpoint: Endpoint = {
  operationId: "sendMessages",
  method: "post",
  path: "/v1/topics/{topic}/messages",
  tag: "Messages",
  summary: "Send messages",
  description: "One message or a batch as JSON, one message as a raw body with headers, or one " +
    "message a line as NDJSON. The answer comes when every message is stored; receipts stand in " +
    "the order of the messages. Messages of a batch without queue and sharding key go to one " +
    "queue together. When only some parts of a batch could be stored, the problem carries " +
    "`receipts` with null for those that were not.",
  body: newMessageSchema.or(batchSchema),
  otherBodies: {
    "application/x-ndjson": "One message a line. A bad line is refused with its number (`line`); " +
      "`receipts` are those of the lines before it, which are stored.",
    "application/octet-stream": "The body of one message; other types mean the same. A header " +
      "`Curlew-Property-<name>` is a property, whose name arrives in lower case.",
  },
  headers: rawHeadersSchema,
  answers: { 200: { description: "Stored.", schema: receiptsSchema } },
  run: send,
};

/** Each step hands on what the next one needs, and keeps nothing of the request beyond that. */
function send(exchange: Exchange): Promise<Answer> {
  const { context, request, headers, info } = exchange;
  refuseQuery(request);
  const { host: ip, port } = info.remote;
  const origin: Origin = { bornMs: context.clock.wallMs(), bornHost: { ip, port } };
  const type = mediaType(headers.get("content-type"));
  return sendAs(type, exchange, origin).then(answerOf);
}

function sendAs(type: string, exchange: Exchange, origin: Origin): Promise<SendReceipt[]> {
  const { context, request, headers, params } = exchange;
  const topic = params["topic"] ?? "";
  if (type === "application/json") {
    refuseRawHeaders(headers);
    const text = bodyText(exchange);
    return typeof text === "string"
      ? sendJson(context, topic, text, origin)
      : text.then((late) => sendJson(context, topic, late, origin));
  }
  if (type === "application/x-ndjson") {
    refuseRawHeaders(headers);
    const lines = decodedBody(request) ?? new Blob([]).stream();
    return sendLines(exchange, lines, origin);
  }
  const { headers: all } = request;
  const bytes = bodyBytes(exchange);
  return bytes instanceof Uint8Array
    ? sendOne(context, topic, rawMessage(bytes, all, origin))
    : bytes.then((late) => sendOne(context, topic, rawMessage(late, all, origin)));
}

function sendJson(context: HttpContext, topic: string, text: string, origin: Origin) {
  const messages = readSendBody(parseJson(text), origin);
  const [only] = messages;
  return only !== undefined && messages.length === 1
    ? sendOne(context, topic, only)
    : sendAll(context, topic, messages);
}

function answerOf(receipts: readonly SendReceipt[]): Answer {
  return jsonTextAnswer(receiptsText(receipts));
}

/** The type without its parameters. */
function mediaType(header: string | null): string {
  if (header === null || header === "application/json") return header ?? "";
  return header.split(";", 1)[0]!.trim().toLowerCase();
}
