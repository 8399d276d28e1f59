/** `/v1/groups/{group}/dead-letters`: what a group gave up on, and sending it back. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { DeadLetter, LetterChoice, LetterPlace } from "../../../broker/dead_letter_desk.ts";
import { BrokerError } from "../../../model/errors.ts";
import { jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint, plainEndpoint, queryEndpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { queryNumber } from "../fields.ts";
import { existingGroup } from "../lookup.ts";
import { MessageWriter } from "../message_out.ts";
import { messageIdLengthMax } from "../message_rules.ts";
import { messageSchema } from "../message_schema.ts";

const path = "/v1/groups/{group}/dead-letters";
const pageDefault = 32;
const perSecondDefault = 500;

const letterSchema = z.object({
  messageId: z.string(),
  originTopic: z.string(),
  originQueueId: z.number().int().nullable(),
  originOffset: z.number().int().nullable(),
  reason: z.enum(["attempts-exhausted", "given-up", "buried"]).nullable(),
  attempts: z.number().int(),
  diedMs: z.number().int(),
  by: z.string().nullable().openapi({ description: "The operator who buried it." }),
  message: messageSchema,
}).openapi("DeadLetter");
const redriveSchema = z.object({
  id: z.string(),
  group: z.string(),
  state: z.enum(["running", "done", "stopped", "failed"]),
  startedMs: z.number().int(),
  perSecond: z.number(),
  redriven: z.number().int(),
  gone: z.number().int().openapi({ description: "Redriven or purged before their turn came." }),
  left: z.number().int().openapi({ description: "Left where they are: see `problem`." }),
  problem: z.string().nullable(),
}).openapi("Redrive");
const idsField = z.array(z.string().min(1).max(messageIdLengthMax)).min(1)
  .max(limits.redriveIdsMax);
const choiceFields = {
  all: z.literal(true).optional().openapi({ description: "All there are now." }),
  messageIds: idsField.optional(),
  max: z.number().int().min(1).max(limits.redriveIdsMax).optional()
    .openapi({ description: "So many of the oldest." }),
};
const redriveBody = z.strictObject({
  ...choiceFields,
  perSecond: z.number().min(0.1).max(limits.redrivePerSecondMax).optional()
    .openapi({ description: `Letters a second; ${perSecondDefault} unless told.` }),
}).openapi("RedriveRequest");
const purgeBody = z.strictObject(choiceFields).openapi("PurgeRequest");

/** The rows of dead letters. */
export const deadLetterEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "listDeadLetters",
    method: "get",
    path,
    tag: "Dead letters",
    summary: "List a group's dead letters",
    query: z.strictObject({
      after: z.string().regex(/^\d{1,5}:\d{1,15}$/, "the `next` of the page before").optional()
        .openapi({ description: "`next` of the page before." }),
      max: queryNumber(1, limits.pullMessagesMax, "Letters at most.").optional(),
    }),
    answers: {
      200: {
        description: "One page, oldest first in each queue; `next` is null at the end.",
        schema: z.object({
          deadLetters: z.array(letterSchema),
          next: z.string().nullable(),
          total: z.number().int(),
        }),
      },
    },
  }, async (exchange, { after, max }) => {
    const { deadLetters } = exchange.context.broker;
    const place = after === undefined ? null : placeOf(after);
    const page = await deadLetters.list(groupOf(exchange), place, max ?? pageDefault);
    const writer = new MessageWriter();
    const { next } = page;
    return jsonAnswer({
      deadLetters: page.letters.map((letter) => letterJson(letter, writer)),
      next: next === null ? null : `${next.queueId}:${next.offset}`,
      total: page.left,
    });
  }),
  plainEndpoint({
    operationId: "readDeadLetter",
    method: "get",
    path: `${path}/{messageId}`,
    tag: "Dead letters",
    summary: "Read one dead letter",
    answers: { 200: { description: "The letter.", schema: letterSchema } },
  }, async (exchange) => {
    const group = groupOf(exchange);
    const messageId = exchange.params["messageId"] ?? "";
    const [letter] = await exchange.context.broker.deadLetters.find(group, messageId);
    if (letter !== undefined) return jsonAnswer(letterJson(letter, new MessageWriter()));
    const shown = JSON.stringify(messageId.slice(0, 255));
    const claim = `Cannot find dead letter ${shown}: group ${group} has none with this message id`;
    throw new BrokerError("message_not_found", claim);
  }),
  bodyEndpoint({
    operationId: "redriveDeadLetters",
    method: "post",
    path: `${path}/redrive`,
    tag: "Dead letters",
    summary: "Send dead letters back to the topics they came from",
    description:
      "Begins, and answers at once; `GET /v1/groups/{group}/redrives/{id}` tells how far it is. " +
      "A letter goes back exactly once, whatever is restarted meanwhile. It keeps its message id " +
      "and begins with no attempts.",
    body: redriveBody,
    answers: { 202: { description: "It has begun.", schema: redriveSchema } },
  }, async (exchange, { perSecond, ...choice }) => {
    const group = groupOf(exchange);
    const { deadLetters } = exchange.context.broker;
    const rate = perSecond ?? perSecondDefault;
    return jsonAnswer(await deadLetters.redrive(group, choiceOf(choice), rate), 202);
  }),
  bodyEndpoint({
    operationId: "purgeDeadLetters",
    method: "post",
    path: `${path}/purge`,
    tag: "Dead letters",
    summary: "Drop dead letters",
    body: purgeBody,
    answers: {
      200: { description: "Dropped.", schema: z.object({ purged: z.number().int() }) },
    },
  }, async (exchange, choice) => {
    const { deadLetters } = exchange.context.broker;
    return jsonAnswer({ purged: await deadLetters.purge(groupOf(exchange), choiceOf(choice)) });
  }),
  ...redriveEndpoints(),
];

function redriveEndpoints(): Endpoint[] {
  const all = "/v1/groups/{group}/redrives";
  const one = `${all}/{id}`;
  return [
    plainEndpoint({
      operationId: "listRedrives",
      method: "get",
      path: all,
      tag: "Dead letters",
      summary: "List a group's redrives since the broker started",
      answers: {
        200: {
          description: "Newest first.",
          schema: z.object({ redrives: z.array(redriveSchema) }),
        },
      },
    }, (exchange) => {
      const { deadLetters } = exchange.context.broker;
      return jsonAnswer({ redrives: deadLetters.redrives(groupOf(exchange)) });
    }),
    plainEndpoint({
      operationId: "readRedrive",
      method: "get",
      path: one,
      tag: "Dead letters",
      summary: "Read how far a redrive is",
      answers: { 200: { description: "The redrive.", schema: redriveSchema } },
    }, (exchange) => {
      const group = groupOf(exchange);
      const id = exchange.params["id"] ?? "";
      const found = exchange.context.broker.deadLetters.redrives(group).find((one) => {
        return one.id === id;
      });
      if (found !== undefined) return jsonAnswer(found);
      const claim = `Cannot find redrive ${JSON.stringify(id.slice(0, 64))}: group ${group} has ` +
        "none of this id since the broker started";
      throw new BrokerError("message_not_found", claim);
    }),
    plainEndpoint({
      operationId: "stopRedrive",
      method: "delete",
      path: one,
      tag: "Dead letters",
      summary: "Stop a redrive",
      description: "What is sent back stays sent back; the rest stays a dead letter.",
      answers: { 200: { description: "Stopped.", schema: redriveSchema } },
    }, (exchange) => {
      const { deadLetters } = exchange.context.broker;
      return jsonAnswer(deadLetters.stopRedrive(groupOf(exchange), exchange.params["id"] ?? ""));
    }),
  ];
}

function groupOf({ context, params }: Exchange): string {
  return existingGroup(context.broker, params["group"] ?? "").name;
}

/** @throws {BrokerError} `invalid_argument`: not exactly one way to choose. */
function choiceOf({ all, messageIds, max }: z.output<typeof purgeBody>): LetterChoice {
  const ways = [all, messageIds, max].filter((way) => way !== undefined).length;
  if (ways === 1) {
    if (messageIds !== undefined) return { kind: "ids", messageIds };
    return max === undefined ? { kind: "all" } : { kind: "oldest", messagesMax: max };
  }
  throw new BrokerError(
    "invalid_argument",
    `Cannot choose dead letters: one of all, messageIds and max is needed, found ${ways}`,
  );
}

function placeOf(text: string): LetterPlace {
  const [queueId = "", offset = ""] = text.split(":");
  return { queueId: Number(queueId), offset: Number(offset) };
}

function letterJson(letter: DeadLetter, writer: MessageWriter): z.output<typeof letterSchema> {
  const { messageId, originTopic, originQueueId, originOffset } = letter;
  const { reason, attempts, diedMs, by, record, queueId, offset } = letter;
  const origin = { originTopic, originQueueId, originOffset };
  const shown = { ...writer.read(record), queueId, offset };
  const message = { ...shown, keys: [...shown.keys], properties: { ...shown.properties } };
  return { messageId, ...origin, reason, attempts, diedMs, by, message };
}
