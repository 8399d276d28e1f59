/** `/v1/timers`: messages that are not visible yet, looked at, called off, moved. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import type { TimerInfo, TimerMove, TimerName, TimerOutcome } from "../../../broker/timer_door.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { bodyText, parseJson } from "../body.ts";
import { type Endpoint, queryEndpoint, readBy } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { queryNumber } from "../fields.ts";
import { existingTopic } from "../lookup.ts";
import { isTimerKey } from "../timing_fields.ts";

const pageDefault = 100;
const tag = "Timers";
const byId = "/v1/timers/{messageId}";
const timeField = (what: string) => queryNumber(0, Number.MAX_SAFE_INTEGER, what).optional();
const topicField = z.string().min(1).max(255);
const keyField = z.string().min(1).max(limits.keyLengthMax).refine(
  isTimerKey,
  "text that can be stored",
)
  .openapi({ description: "The key its producer gave the timer." });

const timerSchema = z.object({
  messageId: z.string(),
  topic: z.string(),
  queueId: z.number().int(),
  timerKey: z.string().optional(),
  deliverAtMs: z.number().int().openapi({ description: "When it becomes visible." }),
  bytes: z.number().int().openapi({ description: "Of the message as it is stored." }),
}).openapi("Timer");
const pageSchema = z.object({
  timers: z.array(timerSchema),
  count: z.number().int().openapi({ description: "All that are pending in the topic." }),
  next: z.string().nullable().openapi({ description: "What `after` has to be for more." }),
}).openapi("Timers");
const outcomeSchema = z.object({
  verdict: z.enum(["cancelled", "rescheduled", "already-delivered", "unknown"]).openapi({
    description: "`already-delivered`: consumers may have it. `unknown`: nothing of this name is " +
      "pending, and nothing says that it was delivered.",
  }),
  deliverAtMs: z.number().int().optional().openapi({ description: "The new time." }),
}).openapi("TimerOutcome");
const moveSchema = z.strictObject({
  deliverAtMs: z.number().int().min(0).optional(),
  delayMs: z.number().int().min(0).optional().openapi({ description: "From now." }),
}).refine(
  ({ deliverAtMs, delayMs }) => (deliverAtMs === undefined) !== (delayMs === undefined),
  "exactly one of deliverAtMs and delayMs is needed",
).openapi("TimerMove");

const listQuery = z.strictObject({
  topic: topicField,
  key: keyField.optional(),
  fromMs: timeField("Due at this time or later."),
  toMs: timeField("Due at this time or earlier."),
  after: z.string().max(60).optional()
    .openapi({ description: "`next` of the page before." }),
  max: queryNumber(1, limits.timersPageMax, "Timers on a page.").optional(),
});
const keyQuery = z.strictObject({ topic: topicField, key: keyField });
const idQuery = z.strictObject({
  topic: topicField.optional().openapi({ description: "Narrows the search." }),
});

const outcomes = { 200: { description: "What became of it.", schema: outcomeSchema } };

/** The rows of timers. */
export const timerEndpoints: readonly Endpoint[] = [
  queryEndpoint({
    operationId: "listTimers",
    method: "get",
    path: "/v1/timers",
    tag,
    summary: "List pending timers by due time, or find one by its key",
    query: listQuery,
    answers: { 200: { description: "One page.", schema: pageSchema } },
  }, list),
  queryEndpoint({
    operationId: "readTimer",
    method: "get",
    path: byId,
    tag,
    summary: "Read a pending timer",
    query: idQuery,
    answers: { 200: { description: "The timer.", schema: timerSchema } },
  }, async ({ context, params }, { topic }) => {
    const name = idOf(params);
    const found = await context.broker.timers.find(checkedTopic(context, topic), name);
    if (found !== null) return jsonAnswer(timerJson(found));
    throw new BrokerError(
      "message_not_found",
      `Cannot find timer ${JSON.stringify(name.messageId)}: none is pending; ` +
        "what was delivered is at /v1/messages",
    );
  }),
  queryEndpoint({
    operationId: "cancelTimer",
    method: "delete",
    path: byId,
    tag,
    summary: "Call a timer off",
    query: idQuery,
    answers: outcomes,
  }, async ({ context, params }, { topic }) => {
    const { timers } = context.broker;
    return outcomeAnswer(await timers.cancel(checkedTopic(context, topic), idOf(params)));
  }),
  queryEndpoint({
    operationId: "moveTimer",
    method: "patch",
    path: byId,
    tag,
    summary: "Move a timer to another time",
    query: idQuery,
    body: moveSchema,
    answers: outcomes,
  }, async (exchange, { topic }) => {
    const { context, params } = exchange;
    const to = await moveOf(exchange);
    const { timers } = context.broker;
    return outcomeAnswer(await timers.move(checkedTopic(context, topic), idOf(params), to));
  }),
  queryEndpoint({
    operationId: "cancelTimerByKey",
    method: "delete",
    path: "/v1/timers",
    tag,
    summary: "Call a timer off by its key",
    query: keyQuery,
    answers: outcomes,
  }, async ({ context }, { topic, key }) => {
    const name = { by: "key", timerKey: key } as const;
    const { timers } = context.broker;
    return outcomeAnswer(await timers.cancel(checkedTopic(context, topic), name));
  }),
  queryEndpoint({
    operationId: "moveTimerByKey",
    method: "patch",
    path: "/v1/timers",
    tag,
    summary: "Move a timer to another time by its key",
    query: keyQuery,
    body: moveSchema,
    answers: outcomes,
  }, async (exchange, { topic, key }) => {
    const { context } = exchange;
    const to = await moveOf(exchange);
    const name = { by: "key", timerKey: key } as const;
    const { timers } = context.broker;
    return outcomeAnswer(await timers.move(checkedTopic(context, topic), name, to));
  }),
];

async function list({ context }: Exchange, query: z.output<typeof listQuery>): Promise<Answer> {
  const { broker } = context;
  const topic = existingTopic(broker, query.topic).name;
  if (query.key === undefined) {
    const { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, after = null, max } = query;
    const page = { fromMs, toMs, after, timersMax: max ?? pageDefault };
    const { timers, count, next } = await broker.timers.list({ topic, ...page });
    return jsonAnswer({ timers: timers.map(timerJson), count, next });
  }
  const others = [query.fromMs, query.toMs, query.after, query.max];
  if (others.some((other) => other !== undefined)) {
    const message = "Cannot list timers: a key names one timer and goes with topic only";
    throw new BrokerError("invalid_argument", message);
  }
  const found = await broker.timers.find(topic, { by: "key", timerKey: query.key });
  const timers = found === null ? [] : [timerJson(found)];
  return jsonAnswer({ timers, count: timers.length, next: null });
}

function checkedTopic({ broker }: Exchange["context"], name: string | undefined): string | null {
  return name === undefined ? null : existingTopic(broker, name).name;
}

function idOf(params: Exchange["params"]): Extract<TimerName, { by: "id" }> {
  return { by: "id", messageId: params["messageId"] ?? "" };
}

async function moveOf(exchange: Exchange): Promise<TimerMove> {
  const text = await bodyText(exchange);
  const to = readBy(moveSchema, text === "" ? {} : parseJson(text), "the body");
  return { deliverAtMs: to.deliverAtMs ?? null, delayMs: to.delayMs ?? null };
}

function timerJson({ timerKey, ...timer }: TimerInfo): z.output<typeof timerSchema> {
  return timerKey === null ? timer : { ...timer, timerKey };
}

function outcomeAnswer({ verdict, deliverAtMs }: TimerOutcome): Answer {
  return jsonAnswer(deliverAtMs === null ? { verdict } : { verdict, deliverAtMs });
}
