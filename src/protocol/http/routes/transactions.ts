/**
 * `/v1/transactions`: messages that nobody sees before their producer has decided; and the
 * questions to producers who have not.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type {
  TransactionCheck,
  TransactionInfo,
  Verdict,
} from "../../../broker/transaction_door.ts";
import { BrokerError } from "../../../model/errors.ts";
import { checkGroupName } from "../../../model/names.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { bodyText, parseJson } from "../body.ts";
import {
  bodyEndpoint,
  type Endpoint,
  plainEndpoint,
  queryEndpoint,
  readBy,
  refuseQuery,
} from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { queryNumber, waitMsField } from "../fields.ts";
import { readMessage } from "../message_in.ts";
import { MessageWriter } from "../message_out.ts";
import { halfMessageSchema, newMessageSchema, receiptSchema } from "../message_schema.ts";
import { readyTopic, receiptJson } from "../send_batches.ts";

const tag = "Transactions";
const pageDefault = 100;
const one = "/v1/transactions/{transactionId}";
const states = ["prepared", "parked", "committed", "rolled-back"] as const;
const groupField = z.string().min(1).max(limits.groupLengthMax);

const beginSchema = z.strictObject({
  topic: z.string().min(1).max(255),
  producerGroup: groupField
    .openapi({ description: "Who decides: any producer of the group may be asked." }),
  message: newMessageSchema,
  checkUrl: z.string().min(1).max(limits.checkUrlLengthMax).optional().openapi({
    description: "Where the producer is asked by webhook. Its host has to be one of the setting " +
      "`webhookHosts`. Without it the group collects its questions.",
  }),
  immunityMs: z.number().int().min(limits.transactionCheckMsMin).max(limits.immunityMsMax)
    .optional().openapi({ description: "How long the producer is not asked." }),
}).openapi("NewTransaction");
const begunSchema = z.object({
  transactionId: z.string().openapi({ description: "Who has it may decide." }),
  messageId: z.string(),
  queueId: z.number().int(),
  deliverAtMs: z.number().int().optional(),
  survived: z.enum(["power-loss", "process-crash", "replica"]),
}).openapi("Transaction");
const verdictSchema = z.strictObject({
  producerGroup: groupField.optional()
    .openapi({ description: "Refused when the transaction is another group's." }),
}).openapi("TransactionVerdict");
const settledSchema = z.object({
  state: z.enum(["committed", "rolled-back"]),
  first: z.boolean()
    .openapi({ description: "False: it was decided before, and `state` is what was decided." }),
  receipt: receiptSchema.optional()
    .openapi({ description: "Of the message this request committed." }),
}).openapi("SettledTransaction");
const infoSchema = z.object({
  transactionId: z.string(),
  state: z.enum(states),
  topic: z.string(),
  queueId: z.number().int(),
  producerGroup: z.string(),
  messageId: z.string(),
  createdMs: z.number().int(),
  checks: z.number().int().openapi({ description: "How often the producer was really asked." }),
  nextCheckMs: z.number().int().optional(),
  checkUrl: z.string().optional(),
  deliverAtMs: z.number().int().optional(),
  timerKey: z.string().optional(),
  settledMs: z.number().int().optional(),
}).openapi("TransactionInfo");
const listQuery = z.strictObject({
  state: z.enum(states).openapi({
    description: "`parked`: asked as often as allowed, and waiting for an operator.",
  }),
  after: z.string().max(60).optional().openapi({ description: "`next` of the page before." }),
  max: queryNumber(1, limits.timersPageMax, "Transactions on a page.").optional(),
});
const pageSchema = z.object({
  transactions: z.array(infoSchema),
  count: z.number().int().openapi({ description: "All in the state." }),
  next: z.string().nullable(),
});
const rearmSchema = z.union([
  z.strictObject({ ids: z.array(z.string().min(1).max(60)).min(1).max(limits.acksPerRequestMax) }),
  z.strictObject({ all: z.literal(true) }),
]).openapi("Rearm");
const rearmedSchema = z.object({ rearmed: z.number().int() }).openapi("Rearmed");
const collectSchema = z.strictObject({
  waitMs: waitMsField.default(0),
  max: z.number().int().min(1).max(limits.popMessagesMax).default(32),
}).openapi("CollectChecks");
const checksSchema = z.object({
  checks: z.array(
    z.object({
      transactionId: z.string(),
      check: z.number().int().openapi({ description: "Which question this is, from 1." }),
      createdMs: z.number().int(),
      message: halfMessageSchema,
    }).openapi("TransactionCheck"),
  ),
}).openapi("TransactionChecks");

/** The rows of transactions. */
export const transactionEndpoints: readonly Endpoint[] = [
  {
    operationId: "beginTransaction",
    method: "post",
    path: "/v1/transactions",
    tag,
    summary: "Begin a transaction: store a message that nobody sees",
    body: beginSchema,
    answers: { 200: { description: "Stored, and undecided.", schema: begunSchema } },
    run: begin,
  },
  queryEndpoint({
    operationId: "listTransactions",
    method: "get",
    path: "/v1/transactions",
    tag,
    summary: "List transactions in a state",
    query: listQuery,
    answers: { 200: { description: "One page.", schema: pageSchema } },
  }, async ({ context }, { state, after = null, max }) => {
    const query = { state, after, transactionsMax: max ?? pageDefault };
    const { transactions, count, next } = await context.broker.transactions.list(query);
    return jsonAnswer({ transactions: transactions.map(infoJson), count, next });
  }),
  plainEndpoint({
    operationId: "readTransaction",
    method: "get",
    path: one,
    tag,
    summary: "Read a transaction",
    answers: { 200: { description: "The transaction.", schema: infoSchema } },
  }, async ({ context, params }) => {
    const id = params["transactionId"] ?? "";
    const found = await context.broker.transactions.find(id);
    if (found !== null) return jsonAnswer(infoJson(found));
    throw new BrokerError(
      "message_not_found",
      `Cannot find transaction ${JSON.stringify(id.slice(0, 60))}: its verdict is so old that it ` +
        "was forgotten",
    );
  }),
  ...(["commit", "rollback"] as const).map(verdictEndpoint),
  bodyEndpoint({
    operationId: "rearmTransaction",
    method: "post",
    path: `${one}/rearm`,
    tag,
    summary: "Ask about a parked transaction again",
    body: z.strictObject({}),
    answers: { 200: { description: "1, or 0 if it was not parked.", schema: rearmedSchema } },
  }, async ({ context, params }) => {
    const rearmed = await context.broker.transactions.rearm([params["transactionId"] ?? ""]);
    return jsonAnswer({ rearmed });
  }),
  bodyEndpoint({
    operationId: "rearmTransactions",
    method: "post",
    path: "/v1/transactions/rearm",
    tag,
    summary: "Ask about parked transactions again",
    body: rearmSchema,
    answers: { 200: { description: "How many were parked.", schema: rearmedSchema } },
  }, async ({ context }, ask) => {
    const rearmed = await context.broker.transactions.rearm("ids" in ask ? ask.ids : null);
    return jsonAnswer({ rearmed });
  }),
  bodyEndpoint({
    operationId: "collectChecks",
    method: "post",
    path: "/v1/producers/{group}/checks",
    tag,
    summary: "Collect the questions to a producer group",
    description: "Answers when there is one, or after `waitMs`. Answer each by committing or " +
      "rolling back; what is not answered is asked again.",
    body: collectSchema,
    answers: { 200: { description: "Questions, or none.", schema: checksSchema } },
  }, async ({ context, params, request }, { waitMs, max }) => {
    const producerGroup = params["group"] ?? "";
    checkGroupName(producerGroup);
    const checks = await context.broker.transactions.collectChecks({
      producerGroup,
      checksMax: max,
      waitMs,
      ...(waitMs > 0 ? { signal: request.signal } : {}),
    });
    const writer = new MessageWriter();
    return jsonAnswer({ checks: checks.map((check) => checkJson(check, writer)) });
  }),
];

function verdictEndpoint(verdict: Verdict): Endpoint {
  return bodyEndpoint({
    operationId: `${verdict}Transaction`,
    method: "post",
    path: `${one}/${verdict}`,
    tag,
    summary: verdict === "commit"
      ? "Commit: the message becomes visible, at once or at its time"
      : "Roll back: nobody will ever see the message",
    description: "The first verdict decides; a later one is answered with it.",
    body: verdictSchema,
    answers: { 200: { description: "Decided, now or before.", schema: settledSchema } },
  }, async ({ context, params }, { producerGroup = null }) => {
    const id = params["transactionId"] ?? "";
    const settled = await context.broker.transactions.settle(id, verdict, producerGroup);
    const { state, first, receipt } = settled;
    return jsonAnswer({ state, first, ...(receipt && { receipt: receiptJson(receipt) }) });
  });
}

/** The message is read by the same hand as one that is sent. */
async function begin(exchange: Exchange): Promise<Answer> {
  const { context, request, info } = exchange;
  refuseQuery(request);
  const { message: wish, ...rest } = messageApart(parseJson(await bodyText(exchange)));
  const ask = readBy(beginSchema.omit({ message: true }), rest, "the body");
  const { host: ip, port } = info.remote;
  const origin = { bornMs: context.clock.wallMs(), bornHost: { ip, port } };
  const { message, queueId, shardingKey } = readMessage(wish, "message", origin);
  await readyTopic(context, ask.topic);
  const begun = await context.broker.transactions.prepare({
    topic: ask.topic,
    queueId,
    ...(shardingKey === undefined ? {} : { shardingKey }),
    storeHost: context.settings.storeHost,
    producerGroup: ask.producerGroup,
    message,
    checkUrl: ask.checkUrl ?? null,
    immunityMs: ask.immunityMs ?? null,
  });
  const { transactionId, messageId, deliverAtMs, survived } = begun;
  const due = deliverAtMs === null ? {} : { deliverAtMs };
  return jsonAnswer({ transactionId, messageId, queueId: begun.queueId, ...due, survived });
}

function messageApart(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new BrokerError("invalid_argument", "Cannot read the body: it has to be an object");
}

function infoJson(info: TransactionInfo): Record<string, unknown> {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => value !== null));
}

function checkJson(check: TransactionCheck, writer: MessageWriter): Record<string, unknown> {
  const { transactionId, createdMs, topic, queueId, record } = check;
  const message = writer.half({ topic, queueId, record });
  return { transactionId, check: check.check, createdMs, message };
}
