/** `…/parked-keys`: keys of ordered groups that wait for an operator. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import { jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint, plainEndpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { existingGroup, existingTopic } from "../lookup.ts";

const path = "/v1/topics/{topic}/groups/{group}/parked-keys";
const parkedSchema = z.object({
  parkedKeys: z.array(
    z.object({
      queueId: z.number().int(),
      offset: z.number().int(),
      key: z.string(),
      messageId: z.string(),
      attempts: z.number().int(),
      behind: z.number().int().openapi({ description: "Messages of the key waiting behind it." }),
    }).openapi("ParkedKey"),
  ),
});
const settleSchema = z.strictObject({
  queueId: z.number().int().min(0).max(limits.queuesPerTopicMax - 1),
  offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  action: z.enum(["retry", "skip", "bury"]).openapi({
    description: "Deliver it anew; finish it undelivered; or move it to the dead letters.",
  }),
}).openapi("SettleParkedKey");

/** The rows of parked keys. */
export const parkedKeyEndpoints: readonly Endpoint[] = [
  plainEndpoint({
    operationId: "listParkedKeys",
    method: "get",
    path,
    tag: "Groups",
    summary: "List keys whose first message failed as often as the group allows",
    answers: { 200: { description: "The keys, by queue and offset.", schema: parkedSchema } },
  }, async (exchange) => await parkedAnswer(exchange, namesOf(exchange))),
  bodyEndpoint({
    operationId: "settleParkedKey",
    method: "post",
    path: `${path}/settle`,
    tag: "Groups",
    summary: "Retry, skip or bury the message a key is parked on",
    description: "The messages behind it follow in their order. 409: the key is not parked there.",
    body: settleSchema,
    answers: { 200: { description: "The keys that are parked now.", schema: parkedSchema } },
  }, async (exchange, { queueId, offset, action }) => {
    const names = namesOf(exchange);
    const { broker } = exchange.context;
    await broker.settleKey(names.group, names.topic, { queueId, offset }, action, "http");
    return await parkedAnswer(exchange, names);
  }),
];

type Names = { readonly topic: string; readonly group: string };

function namesOf({ context, params }: Exchange): Names {
  const topic = existingTopic(context.broker, params["topic"] ?? "").name;
  return { topic, group: existingGroup(context.broker, params["group"] ?? "").name };
}

async function parkedAnswer({ context }: Exchange, { topic, group }: Names) {
  const parked = await context.broker.parkedKeys(group, topic);
  return jsonAnswer({
    parkedKeys: parked.map(({ queueId, offset, key, messageId, attempts, behind }) => {
      return { queueId, offset, key, messageId, attempts, behind };
    }),
  });
}
