/** `…/queues/{queueId}/messages`: reading a queue by offset, without a group. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { Broker } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import type { Topic } from "../../../model/topic.ts";
import { jsonAnswer } from "../answer.ts";
import { type Endpoint, queryEndpoint } from "../endpoint.ts";
import { queryNumber, sqlField, tagsField, waitMsQuery } from "../fields.ts";
import { existingTopic } from "../lookup.ts";
import { MessageWriter } from "../message_out.ts";
import { messageSchema } from "../message_schema.ts";
import { ProblemError } from "../problem.ts";
import { splitRecords } from "../../../model/record.ts";

const pullMaxDefault = 32;

const offsetField = z.string().regex(/^(earliest|latest|\d{1,15})$/, "earliest, latest or a number")
  .openapi({ description: "A number, `earliest` or `latest`.", example: "earliest" });

/** The row of pulling. */
export const queueEndpoint: Endpoint = queryEndpoint({
  operationId: "readQueue",
  method: "get",
  path: "/v1/topics/{topic}/queues/{queueId}/messages",
  tag: "Reading",
  summary: "Read a queue from an offset",
  description:
    "Go on at `nextOffset`, also when no message came: others may have been skipped by " +
    "`tags` or `sql`. An offset outside the queue is a problem with `minOffset` and `maxOffset`.",
  query: z.strictObject({
    offset: offsetField,
    max: queryNumber(1, limits.pullMessagesMax, "Messages at most.").optional(),
    waitMs: waitMsQuery.optional(),
    tags: tagsField.optional(),
    sql: sqlField.optional(),
  }),
  answers: {
    200: {
      description: "Messages, or none.",
      schema: z.object({
        messages: z.array(messageSchema),
        nextOffset: z.number().int(),
        minOffset: z.number().int(),
        maxOffset: z.number().int(),
      }),
    },
  },
}, async ({ context, params, request }, query) => {
  const { broker } = context;
  const topic = existingTopic(broker, params["topic"] ?? "");
  const queueId = queueOf(topic, params["queueId"] ?? "");
  const offset = await offsetOf(broker, topic.name, queueId, query.offset);
  const waitMs = query.waitMs ?? 0;
  const { outcome, records, nextOffset, minOffset, maxOffset } = await broker.pull({
    topic: topic.name,
    queueId,
    offset,
    messagesMax: query.max ?? pullMaxDefault,
    bytesMax: limits.replyBytesMax,
    filter: await context.filters.of(query),
    waitMs,
    ...(waitMs > 0 ? { signal: request.signal } : {}),
  });
  if (outcome === "outside") {
    throw new ProblemError(
      "offset_not_found",
      `Cannot read queue ${queueId} of ${topic.name} at ${offset}: it reaches from ${minOffset} ` +
        `to ${maxOffset}`,
      { minOffset, maxOffset },
    );
  }
  const writer = new MessageWriter();
  const messages = splitRecords(records).map((record) => writer.read(record));
  return jsonAnswer({ messages, nextOffset, minOffset, maxOffset });
});

/** A queue's number as it stands in a path. @throws {BrokerError} `queue_not_found`. */
function queueOf(topic: Topic, text: string): number {
  const queueId = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (queueId >= 0 && queueId < topic.settings.queues) return queueId;
  throw new BrokerError(
    "queue_not_found",
    `Cannot find queue ${
      JSON.stringify(text.slice(0, 20))
    } of ${topic.name}: its queues are 0 to ` +
      `${topic.settings.queues - 1}`,
  );
}

async function offsetOf(
  broker: Broker,
  topic: string,
  queueId: number,
  wanted: string,
): Promise<number> {
  if (wanted !== "earliest" && wanted !== "latest") return Number(wanted);
  const range = (await broker.queueRanges(topic))[queueId];
  if (!range) throw new BrokerError("queue_not_found", `Cannot find queue ${queueId} of ${topic}`);
  return wanted === "earliest" ? range.minOffset : range.maxOffset;
}
