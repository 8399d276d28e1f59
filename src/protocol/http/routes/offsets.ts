/** `/v1/groups/{group}/offsets`: where a group is, and how consumers that pull say so. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { Broker, QueuePlace } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { bodyEndpoint, type Endpoint, queryEndpoint } from "../endpoint.ts";
import { placesSchema } from "../fields.ts";
import { existingGroup, existingTopic } from "../lookup.ts";
import { placesAnswer } from "../places_out.ts";

const topicField = z.string().min(1).max(255);
const queueIdField = z.number().int().min(0).max(limits.queuesPerTopicMax - 1);
const offsetField = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const commitSchema = z.strictObject({
  offsets: z.array(
    z.strictObject({ topic: topicField, queueId: queueIdField, offset: offsetField }),
  )
    .min(1).max(limits.queuesPerTopicMax),
}).openapi("CommitOffsets");
/** The rows of offsets. */
export const offsetEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "readOffsets",
    method: "get",
    path: "/v1/groups/{group}/offsets",
    tag: "Groups",
    summary: "Read where a group is in each queue, and its lag",
    query: z.strictObject({
      topic: topicField.optional().openapi({ description: "Only this topic." }),
    }),
    answers: { 200: { description: "The group's places.", schema: placesSchema } },
  }, async ({ context, params }, query) => {
    const group = existingGroup(context.broker, params["group"] ?? "");
    if (query.topic !== undefined) existingTopic(context.broker, query.topic);
    return placesAnswer(await context.broker.places(group.name, query.topic ?? null));
  }),
  bodyEndpoint({
    operationId: "commitOffsets",
    method: "put",
    path: "/v1/groups/{group}/offsets",
    tag: "Groups",
    summary: "Commit offsets of consumers that pull",
    description:
      "All names and offsets are checked before the first one is committed. Commits go " +
      "forward only: an offset behind the group's place changes nothing, a reset moves it back.",
    body: commitSchema,
    answers: { 200: { description: "The group's places now.", schema: placesSchema } },
  }, async ({ context, params }, { offsets }) => {
    const { broker } = context;
    const group = existingGroup(broker, params["group"] ?? "").name;
    for (const { topic, queueId } of offsets) {
      const { queues } = existingTopic(broker, topic).settings;
      if (queueId < queues) continue;
      throw new BrokerError("queue_not_found", `Cannot commit: ${topic} has no queue ${queueId}`);
    }
    await refuseBeyondEnd(broker, offsets);
    for (const { topic, queueId, offset } of offsets) {
      await broker.commitOffset(group, topic, queueId, offset);
    }
    const places: QueuePlace[] = [];
    for (const topic of new Set(offsets.map((commit) => commit.topic))) {
      places.push(...await broker.places(group, topic));
    }
    return placesAnswer(places);
  }),
];

/** A place behind the end of a queue would pass over messages that are still to come. */
async function refuseBeyondEnd(
  broker: Broker,
  offsets: z.output<typeof commitSchema>["offsets"],
): Promise<void> {
  for (const [topic, commits] of Map.groupBy(offsets, ({ topic }) => topic)) {
    const ranges = await broker.queueRanges(topic);
    for (const { queueId, offset } of commits) {
      const { minOffset = 0, maxOffset = 0 } = ranges[queueId] ?? {};
      if (offset <= maxOffset) continue;
      throw new BrokerError(
        "invalid_argument",
        `Cannot commit offset ${offset} of queue ${queueId} of ${topic}: ` +
          `it has offsets ${minOffset} to ${maxOffset}`,
      );
    }
  }
}
