/** `/v1/messages`: finding messages by id, key or time. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { Broker, FoundMessage } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { parseOffsetMessageId } from "../../../model/message_id.ts";
import { jsonAnswer } from "../answer.ts";
import { type Endpoint, queryEndpoint } from "../endpoint.ts";
import { queryNumber } from "../fields.ts";
import { existingTopic } from "../lookup.ts";
import { MessageWriter } from "../message_out.ts";
import { messageIdLengthMax } from "../message_rules.ts";
import { messagesSchema } from "../message_schema.ts";

const findMaxDefault = 64;
const timeField = (what: string) => queryNumber(0, Number.MAX_SAFE_INTEGER, what).optional();

const findQuery = z.strictObject({
  topic: z.string().min(1).max(255).optional()
    .openapi({ description: "Needed for key and time; for an id it narrows the search." }),
  id: z.string().min(1).max(messageIdLengthMax).optional()
    .openapi({ description: "A message id, or the offset id RocketMQ's tools show." }),
  key: z.string().min(1).max(limits.keyLengthMax).optional(),
  fromMs: timeField("Stored at this time or later."),
  toMs: timeField("Stored before this time."),
  max: queryNumber(1, limits.pullMessagesMax, "Messages at most.").optional(),
});
type Find = z.output<typeof findQuery>;

/** The row of finding. */
export const findEndpoint: Endpoint = queryEndpoint({
  operationId: "findMessages",
  method: "get",
  path: "/v1/messages",
  tag: "Reading",
  summary: "Find messages by id, by key or by time",
  description: "Exactly one of `id`, `key` and `fromMs` with `toMs`.",
  query: findQuery,
  answers: { 200: { description: "What was found, or none.", schema: messagesSchema } },
}, async ({ context }, query) => {
  const { broker } = context;
  if (query.topic !== undefined) existingTopic(broker, query.topic);
  const found = (await find(broker, query)).slice(0, query.max ?? findMaxDefault);
  const writer = new MessageWriter();
  return jsonAnswer({ messages: found.map((message) => writer.found(message)) });
});

async function find(broker: Broker, query: Find): Promise<FoundMessage[]> {
  const { topic, id, key, fromMs, toMs } = query;
  const max = query.max ?? findMaxDefault;
  const byTime = fromMs !== undefined || toMs !== undefined;
  const ways = [id !== undefined, key !== undefined, byTime].filter(Boolean).length;
  if (ways !== 1) throw refuse(`one of id, key, and fromMs with toMs is needed, found ${ways}`);
  if (id !== undefined) return await findById(broker, topic ?? null, id);
  if (topic === undefined) throw refuse("topic is needed with key and with time");
  if (key !== undefined) return await broker.findByKey(topic, key, max);
  if (fromMs === undefined || toMs === undefined || fromMs >= toMs) {
    throw refuse("fromMs and a later toMs are needed");
  }
  return await broker.findByTime(topic, fromMs, toMs, max);
}

/** Both kinds of id look alike: what is no message's own id may name a place. */
async function findById(
  broker: Broker,
  topic: string | null,
  id: string,
): Promise<FoundMessage[]> {
  const found = await broker.findById(topic, id);
  const place = found.length === 0 ? parseOffsetMessageId(id) : undefined;
  if (!place) return found;
  const there = await broker.findByPhysicalOffset(place.physicalOffset);
  return there && (topic === null || there.topic === topic) ? [there] : [];
}

function refuse(why: string): BrokerError {
  return new BrokerError("invalid_argument", `Cannot look for messages: ${why}`);
}
