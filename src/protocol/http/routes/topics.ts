/** `/v1/topics`: making, reading, changing, deleting, listing. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import {
  permRead,
  permReadWrite,
  permWrite,
  type Topic,
  type TopicSettings,
} from "../../../model/topic.ts";
import { emptyAnswer, jsonAnswer } from "../answer.ts";
import { bodyEndpoint, type Endpoint, plainEndpoint, queryEndpoint } from "../endpoint.ts";
import { pageOf, pageQuery, queryFlag } from "../fields.ts";
import { existingTopic } from "../lookup.ts";

const permOfWord = {
  "read-write": permReadWrite,
  "read-only": permRead,
  "write-only": permWrite,
  "none": 0,
} as const;
const permWords = ["read-write", "read-only", "write-only", "none"] as const;

const settingsSchema = z.strictObject({
  queues: z.number().int().min(1).max(limits.queuesPerTopicMax)
    .openapi({ description: "May grow, never shrink." }),
  durability: z.enum(["power-loss", "process-crash"])
    .openapi({ description: "What a message has survived when its sender is answered." }),
  retentionMs: z.number().int().min(limits.retentionMsMin).max(limits.retentionMsMax),
  retentionBytes: z.number().int().min(1).max(limits.retentionBytesMax).nullable(),
  deleteUnread: z.boolean()
    .openapi({ description: "Whether retention also deletes what a group has not read." }),
  ordered: z.boolean().openapi({
    description: "Queues cannot be added: a sharding key keeps its queue while the topic lives.",
  }),
  messageTtlMs: z.number().int().min(1).max(limits.retentionMsMax).nullable().openapi({
    description: "Messages not consumed for so long are passed over; null: they never expire.",
  }),
  dedupe: z.enum(["explicit", "all", "off"]).openapi({
    description: "Which messages are recognised when they are sent again: those with a messageId " +
      "of their producer's, all that come with an id, or none.",
  }),
  perm: z.enum(permWords),
  attributes: z.record(z.string().max(255), z.string().max(1024)),
}).openapi("TopicSettings");
const changesSchema = settingsSchema.partial().openapi("TopicChanges");
const topicSchema = z.object({
  name: z.string(),
  system: z.boolean(),
  createdMs: z.number().int(),
  version: z.number().int(),
  settings: settingsSchema,
}).openapi("Topic");
const topicWithRangesSchema = topicSchema.extend({
  queues: z.array(z.object({
    queueId: z.number().int(),
    minOffset: z.number().int(),
    maxOffset: z.number().int(),
  })),
});

/** The rows of topics. */
export const topicEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "listTopics",
    method: "get",
    path: "/v1/topics",
    tag: "Topics",
    summary: "List topics by name",
    query: z.strictObject({
      ...pageQuery,
      system: queryFlag("Whether the broker's own topics are listed too.").optional(),
    }),
    answers: {
      200: {
        description: "One page; `next` is what `after` has to be for the next, or null.",
        schema: z.object({ topics: z.array(topicSchema), next: z.string().nullable() }),
      },
    },
  }, ({ context }, query) => {
    const topics = context.broker.topics().filter((topic) => query.system || !topic.system);
    const { page, next } = pageOf(topics, query);
    return jsonAnswer({ topics: page.map(topicJson), next });
  }),
  bodyEndpoint({
    operationId: "makeTopic",
    method: "put",
    path: "/v1/topics/{topic}",
    tag: "Topics",
    summary: "Make a topic",
    description: "Settings left out take their defaults. Repeating the request changes nothing.",
    body: changesSchema,
    answers: {
      201: { description: "Made.", schema: topicSchema },
      200: { description: "It was there, with these settings.", schema: topicSchema },
    },
  }, async ({ context, params }, changes) => {
    const name = params["topic"] ?? "";
    const status = context.broker.topic(name) ? 200 : 201;
    const topic = await context.broker.createTopic(name, settingsOf(changes));
    return jsonAnswer(topicJson(topic), status);
  }),
  plainEndpoint({
    operationId: "readTopic",
    method: "get",
    path: "/v1/topics/{topic}",
    tag: "Topics",
    summary: "Read a topic, with the offsets of its queues",
    answers: { 200: { description: "The topic.", schema: topicWithRangesSchema } },
  }, async ({ context, params }) => {
    const topic = existingTopic(context.broker, params["topic"] ?? "");
    const ranges = await context.broker.queueRanges(topic.name);
    const queues = ranges.map(({ minOffset, maxOffset }, queueId) => {
      return { queueId, minOffset, maxOffset };
    });
    return jsonAnswer({ ...topicJson(topic), queues });
  }),
  bodyEndpoint({
    operationId: "changeTopic",
    method: "patch",
    path: "/v1/topics/{topic}",
    tag: "Topics",
    summary: "Change a topic's settings",
    body: changesSchema,
    answers: { 200: { description: "The topic as it is now.", schema: topicSchema } },
  }, async ({ context, params }, changes) => {
    const topic = existingTopic(context.broker, params["topic"] ?? "");
    return jsonAnswer(topicJson(await context.broker.changeTopic(topic.name, settingsOf(changes))));
  }),
  plainEndpoint({
    operationId: "deleteTopic",
    method: "delete",
    path: "/v1/topics/{topic}",
    tag: "Topics",
    summary: "Delete a topic with its messages",
    answers: { 204: { description: "Deleted." } },
  }, async ({ context, params }) => {
    const topic = existingTopic(context.broker, params["topic"] ?? "");
    await context.broker.deleteTopic(topic.name);
    return emptyAnswer;
  }),
];

function settingsOf(changes: z.output<typeof changesSchema>): Partial<TopicSettings> {
  const { perm, ...others } = changes;
  const settings = perm === undefined ? others : { ...others, perm: permOfWord[perm] };
  // Absent fields are absent in the parsed value too; the schema's type cannot say so.
  return settings as Partial<TopicSettings>;
}

function topicJson(topic: Topic): z.output<typeof topicSchema> {
  const { name, system, createdMs, version, settings } = topic;
  const { queues, durability, retentionMs, retentionBytes, deleteUnread } = settings;
  const perm = permWords.find((word) => permOfWord[word] === (settings.perm & permReadWrite)) ??
    "none";
  const attributes = { ...settings.attributes };
  const { ordered, messageTtlMs, dedupe } = settings;
  const kept = { durability, retentionMs, retentionBytes, deleteUnread, messageTtlMs, dedupe };
  const shown = { queues, ordered, ...kept, perm, attributes };
  return { name, system, createdMs, version, settings: shown };
}
