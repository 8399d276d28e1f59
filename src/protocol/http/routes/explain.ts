/** `/v1/messages/{id}/explain`: why a message was, or was not, delivered to a group. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import { causeKinds, type ExplainTarget } from "../../../model/explanation.ts";
import { BrokerError } from "../../../model/errors.ts";
import { jsonAnswer } from "../answer.ts";
import { type Endpoint, queryEndpoint } from "../endpoint.ts";
import { queryNumber } from "../fields.ts";
import { messageIdLengthMax } from "../message_rules.ts";

const groupField = z.string().min(1).max(255)
  .openapi({ description: "The group it is about; it need not exist." });
const topicField = z.string().min(1).max(255);

const explanationSchema = z.object({
  messageId: z.string().nullable(),
  topic: z.string(),
  queueId: z.number().int().nullable(),
  offset: z.number().int().nullable(),
  group: z.string(),
  causes: z.array(
    z.object({
      cause: z.enum(causeKinds),
      sentence: z.string(),
      facts: z.record(
        z.string(),
        z.union([z.string(), z.number(), z.boolean(), z.null()]),
      ),
      command: z.string().nullable().openapi({
        description: "What changes it on the command line; null: nothing has to be changed.",
      }),
    }).openapi("Cause"),
  ),
}).openapi("Explanation");
const answers = {
  200: {
    description: "Causes, the deciding one first. An unknown name or message is a cause too.",
    schema: explanationSchema,
  },
};

/** The rows of explaining. */
export const explainEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "explainMessage",
    method: "get",
    path: "/v1/messages/{id}/explain",
    tag: "Reading",
    summary: "Explain why a message was, or was not, delivered to a group",
    query: z.strictObject({
      group: groupField,
      topic: topicField.optional().openapi({ description: "Where to look; all topics if absent." }),
    }),
    answers,
  }, async ({ context, params }, { group, topic }) => {
    const messageId = params["id"] ?? "";
    if (messageId.length > messageIdLengthMax) {
      const claim = `Cannot explain: a message id has at most ${messageIdLengthMax} characters`;
      throw new BrokerError("invalid_argument", claim);
    }
    const target: ExplainTarget = { by: "id", messageId, topic: topic ?? null };
    return jsonAnswer(await context.broker.explain(target, group));
  }),
  queryEndpoint({
    operationId: "explainPlace",
    method: "get",
    path: "/v1/explain",
    tag: "Reading",
    summary: "Explain a message by its place in a queue",
    query: z.strictObject({
      group: groupField,
      topic: topicField,
      queueId: queryNumber(0, limits.queuesPerTopicMax - 1, "The queue."),
      offset: queryNumber(0, Number.MAX_SAFE_INTEGER, "The message's offset in it."),
    }),
    answers,
  }, async ({ context }, { group, topic, queueId, offset }) => {
    const target: ExplainTarget = { by: "place", topic, queueId, offset };
    return jsonAnswer(await context.broker.explain(target, group));
  }),
];
