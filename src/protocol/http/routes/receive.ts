/**
 * `…/groups/{group}/receive`, `ack`, `nack`, `extend`: leasing messages and settling them.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { ReceiptVerdict } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import {
  clientIdField,
  invisibleMsField,
  modeField,
  receiptsField,
  sqlField,
  tagsField,
  waitMsField,
} from "../fields.ts";
import { existingTopic, groupMissing } from "../lookup.ts";
import { MessageWriter } from "../message_out.ts";
import { messagesSchema } from "../message_schema.ts";
import { failureOf, ProblemError } from "../problem.ts";

const base = "/v1/topics/{topic}/groups/{group}";
const receiveMaxDefault = 32;
/** What a consumer gets that does not say how long it needs: RocketMQ's usual minute, halved. */
export const invisibleMsDefault = 30_000;
/** Who receives, if nobody says. */
export const clientIdDefault = "http";

const receiveSchema = z.strictObject({
  max: z.number().int().min(1).max(limits.popMessagesMax).default(receiveMaxDefault),
  waitMs: waitMsField.default(0),
  invisibleMs: invisibleMsField.default(invisibleMsDefault),
  tags: tagsField.optional(),
  sql: sqlField.optional(),
  mode: modeField.default("cluster"),
  clientId: clientIdField.optional(),
}).openapi("Receive");
// Each for itself: to extend a named one would say in the document that both at once hold, and
// neither allows what the other adds.
const settleSchema = z.strictObject({ receipts: receiptsField }).openapi("Settle");
const nackSchema = z.strictObject({
  receipts: receiptsField,
  delayMs: z.number().int().min(0).max(limits.delayMsMax).optional()
    .openapi({ description: "Wait before the next delivery; by the group's ladder otherwise." }),
}).openapi("Nack");
const extendSchema = z.strictObject({
  receipts: receiptsField,
  invisibleMs: invisibleMsField,
}).openapi("Extend");
const verdictField = z.enum(["done", "expired", "invalid"]).openapi({
  description:
    "`done` also when repeated; `expired`: delivered again since; `invalid`: not issued " +
    "to this group.",
});
const verdictsSchema = z.object({
  verdicts: z.array(z.object({ receipt: z.string(), verdict: verdictField })),
}).openapi("Verdicts");
const extendedSchema = z.object({
  verdicts: z.array(z.object({
    receipt: z.string(),
    verdict: verdictField,
    invisibleUntilMs: z.number().int().optional(),
  })),
});

const settled = "What became of each receipt. When none is `done` the answer is a problem with " +
  "`verdicts`: 400 if all are invalid, 409 otherwise.";

/** The rows of leasing and settling. */
export const receiveEndpoints: readonly Endpoint[] = [
  bodyEndpoint({
    operationId: "receiveMessages",
    method: "post",
    path: `${base}/receive`,
    tag: "Consuming",
    summary: "Receive messages for a group",
    description: "Waits up to `waitMs` for the first message and answers at once when there is " +
      "one. Each message is hidden from the group's other consumers for `invisibleMs`; settle it " +
      "by its receipt before that, or it is delivered again.",
    body: receiveSchema,
    answers: { 200: { description: "Messages, or none.", schema: messagesSchema } },
  }, receive),
  bodyEndpoint({
    operationId: "acknowledgeMessages",
    method: "post",
    path: `${base}/ack`,
    tag: "Consuming",
    summary: "Acknowledge messages: they are done",
    body: settleSchema,
    answers: { 200: { description: settled, schema: verdictsSchema } },
  }, async (exchange, { receipts }) => {
    const { broker, group } = consumer(exchange);
    return verdictsAnswer("acknowledge", await broker.ack(group, receipts));
  }),
  bodyEndpoint({
    operationId: "giveMessagesBack",
    method: "post",
    path: `${base}/nack`,
    tag: "Consuming",
    summary: "Give messages back: they are delivered again",
    body: nackSchema,
    answers: { 200: { description: settled, schema: verdictsSchema } },
  }, async (exchange, { receipts, delayMs }) => {
    const { broker, group } = consumer(exchange);
    return verdictsAnswer("give back", await broker.nack(group, receipts, delayMs ?? null));
  }),
  bodyEndpoint({
    operationId: "extendDeliveries",
    method: "post",
    path: `${base}/extend`,
    tag: "Consuming",
    summary: "Keep messages hidden for longer, counted from now",
    body: extendSchema,
    answers: { 200: { description: settled, schema: extendedSchema } },
  }, async (exchange, { receipts, invisibleMs }) => {
    const { broker, group } = consumer(exchange);
    return verdictsAnswer("extend", await broker.extend(group, receipts, invisibleMs));
  }),
];

async function receive(
  { context, params, request }: Exchange,
  ask: z.output<typeof receiveSchema>,
): Promise<Answer> {
  const { broker } = context;
  const topic = existingTopic(broker, params["topic"] ?? "").name;
  const group = await usableGroup(context, params["group"] ?? "");
  const { max, waitMs, invisibleMs, mode, clientId } = ask;
  if (mode === "broadcast" && clientId === undefined) throw needsClientId();
  const received = await broker.receive({
    topic,
    group,
    ...(mode === "broadcast" ? { mode } : {}),
    clientId: clientId ?? clientIdDefault,
    messagesMax: max,
    bytesMax: limits.replyBytesMax,
    invisibleMs,
    waitMs,
    filter: await context.filters.of(ask),
    // Asking for the signal costs: nobody who does not wait needs it.
    ...(waitMs > 0 ? { signal: request.signal } : {}),
  });
  const writer = new MessageWriter();
  return jsonAnswer({ messages: received.map((message) => writer.received(message)) });
}

/** The group, made on the fly when the broker allows it. @throws {BrokerError} `group_not_found` */
export async function usableGroup(context: Exchange["context"], name: string): Promise<string> {
  if (context.broker.group(name)) return name;
  try {
    return (await context.broker.groupForUse(name)).name;
  } catch (thrown) {
    const error = failureOf(thrown);
    throw error.code === "group_not_found" ? groupMissing(context.broker, name) : error;
  }
}

function needsClientId(): BrokerError {
  return new BrokerError(
    "invalid_argument",
    "Cannot receive in mode broadcast without clientId: each client has a place of its own",
  );
}

function consumer({ context, params }: Exchange) {
  const { broker } = context;
  existingTopic(broker, params["topic"] ?? "");
  const group = params["group"] ?? "";
  if (!broker.group(group)) throw groupMissing(broker, group);
  return { broker, group };
}

function verdictsAnswer(
  what: string,
  verdicts: readonly (ReceiptVerdict & { readonly invisibleUntilMs?: number })[],
): Answer {
  const shown = verdicts.map(({ receipt, verdict, invisibleUntilMs }) =>
    verdict === "done" && invisibleUntilMs !== undefined
      ? { receipt, verdict, invisibleUntilMs }
      : { receipt, verdict }
  );
  if (verdicts.some(({ verdict }) => verdict === "done")) return jsonAnswer({ verdicts: shown });
  const isInvalid = verdicts.every(({ verdict }) => verdict === "invalid");
  throw new ProblemError(
    isInvalid ? "receipt_invalid" : "receipt_expired",
    `Cannot ${what} ${verdicts.length} ${verdicts.length === 1 ? "message" : "messages"}: ` +
      (isInvalid
        ? "no receipt was issued to this group for this topic"
        : "every receipt is expired or invalid; the messages were delivered again since"),
    { verdicts: shown },
  );
}
