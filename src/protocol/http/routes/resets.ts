/** `/v1/groups/{group}/reset`, and undoing, cloning, and what was done. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { ResetTarget } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint, queryEndpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { placesSchema } from "../fields.ts";
import { existingGroup, existingTopic } from "../lookup.ts";
import { placesAnswer } from "../places_out.ts";

const topicField = z.string().min(1).max(255);
const queueIdField = z.number().int().min(0).max(limits.queuesPerTopicMax - 1);
const offsetField = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const resetSchema = z.strictObject({
  topic: topicField,
  to: z.union([
    z.literal("earliest"),
    z.literal("latest"),
    z.strictObject({ timeMs: z.number().int().min(0) }),
    z.strictObject({ queueId: queueIdField, offset: offsetField }),
  ]).openapi({ description: "earliest, latest, {timeMs}, or {queueId, offset}." }),
  dryRun: z.boolean().optional().openapi({
    description: "true: change nothing, and answer `preview`, what the reset would do.",
  }),
}).openapi("Reset");
const previewSchema = z.object({
  preview: z.array(
    z.object({
      queueId: z.number().int(),
      fromOffset: z.number().int().nullable(),
      toOffset: z.number().int(),
      replayed: z.number().int().openapi({ description: "Messages delivered once more." }),
      skipped: z.number().int().openapi({ description: "Messages that would not be delivered." }),
    }).openapi("ResetPreview"),
  ),
});
const undoSchema = z.strictObject({ topic: topicField }).openapi("UndoReset");
const cloneSchema = z.strictObject({
  from: z.string().min(1).max(255).openapi({ description: "The group whose places are taken." }),
  topic: topicField,
}).openapi("ClonePlaces");
const eventsSchema = z.object({
  events: z.array(
    z.object({
      queueId: z.number().int(),
      atMs: z.number().int(),
      kind: z.enum(["reset", "undo", "clone", "key-skipped", "key-buried", "began"]),
      by: z.string(),
      fromOffset: z.number().int(),
      toOffset: z.number().int(),
    }).openapi("PlaceEvent"),
  ),
});
const placesNow = { 200: { description: "The group's places now.", schema: placesSchema } };

/** The rows of resets. */
export const resetEndpoints: readonly Endpoint[] = [
  bodyEndpoint({
    operationId: "resetGroup",
    method: "post",
    path: "/v1/groups/{group}/reset",
    tag: "Groups",
    summary: "Move a group to another place, or preview that",
    description: "Open deliveries of the queues are forgotten: their receipts expire.",
    body: resetSchema,
    answers: {
      200: {
        description: "The group's places now; with `dryRun`, what would be done.",
        schema: z.union([placesSchema, previewSchema]),
      },
    },
  }, async (exchange, { topic, to, dryRun }) => {
    const group = groupOf(exchange, topic);
    const { broker } = exchange.context;
    const target = targetOf(to);
    if (dryRun === true) {
      return jsonAnswer({ preview: await broker.previewReset(group, topic, target) });
    }
    return placesAnswer(await broker.resetOffsets(group, topic, target, "http"));
  }),
  bodyEndpoint({
    operationId: "undoReset",
    method: "post",
    path: "/v1/groups/{group}/reset/undo",
    tag: "Groups",
    summary: "Take the newest reset or clone of each queue back",
    description: "What was open before comes back with its attempts. 409: nothing to take back.",
    body: undoSchema,
    answers: placesNow,
  }, async (exchange, { topic }) => {
    const group = groupOf(exchange, topic);
    return placesAnswer(await exchange.context.broker.undoReset(group, topic, "http"));
  }),
  bodyEndpoint({
    operationId: "cloneGroup",
    method: "post",
    path: "/v1/groups/{group}/clone",
    tag: "Groups",
    summary: "Put a group where another one is",
    description: "What is open in the other group begins again in this one. A group that is not " +
      "there yet is made, with the settings of the other one.",
    body: cloneSchema,
    answers: placesNow,
  }, async (exchange, { from, topic }) => {
    const { broker } = exchange.context;
    const source = existingGroup(broker, from);
    existingTopic(broker, topic);
    const to = exchange.params["group"] ?? "";
    if (to === source.name) {
      throw new BrokerError("invalid_argument", `Cannot clone group ${to} from itself`);
    }
    if (broker.group(to) === undefined) await broker.createGroup(to, source.settings);
    return placesAnswer(await broker.cloneOffsets(source.name, to, topic, "http"));
  }),
  queryEndpoint({
    operationId: "listPlaceEvents",
    method: "get",
    path: "/v1/groups/{group}/events",
    tag: "Groups",
    summary: "Read what was done to a group's places, newest first",
    query: z.strictObject({ topic: topicField }),
    answers: { 200: { description: "Resets, clones, and decided keys.", schema: eventsSchema } },
  }, async (exchange, { topic }) => {
    const group = groupOf(exchange, topic);
    return jsonAnswer({ events: await exchange.context.broker.placeEvents(group, topic) });
  }),
];

function groupOf({ context, params }: Exchange, topic: string): string {
  existingTopic(context.broker, topic);
  return existingGroup(context.broker, params["group"] ?? "").name;
}

function targetOf(to: z.output<typeof resetSchema>["to"]): ResetTarget {
  if (typeof to === "string") return { kind: to };
  if ("timeMs" in to) return { kind: "time", ms: to.timeMs };
  return { kind: "offset", queueId: to.queueId, offset: to.offset };
}
