/** `…/groups/{group}/stream`: messages as server-sent events. @module */
import { z } from "@hono/zod-openapi";
import { limits } from "../../../base/limits.ts";
import { BrokerError } from "../../../model/errors.ts";
import type { Answer } from "../answer.ts";
import { BroadcastSource } from "../broadcast_source.ts";
import { ClusterSource } from "../cluster_source.ts";
import { readCursor } from "../cursor.ts";
import { type Endpoint, queryEndpoint } from "../endpoint.ts";
import { eventBody, type EventSource } from "../event_stream.ts";
import type { Exchange, HttpContext } from "../exchange.ts";
import { clientIdField, queryNumber, sqlField, tagsField } from "../fields.ts";
import { existingTopic } from "../lookup.ts";
import { clientIdDefault, invisibleMsDefault, usableGroup } from "./receive.ts";

const streamMaxDefault = 32;
const eventType = "text/event-stream";
const { invisibleMsMin, invisibleMsMax, popMessagesMax } = limits;

const streamQuery = z.strictObject({
  mode: z.enum(["cluster", "broadcast"]).default("cluster").openapi({
    description: "cluster: the group shares the messages; broadcast: this reader gets all of " +
      "them. With a clientId the broker keeps its place and wants acknowledgements; without one " +
      "its place is in the ids of the events.",
  }),
  tags: tagsField.optional(),
  sql: sqlField.optional(),
  max: queryNumber(1, popMessagesMax, "Messages asked for at once.").optional(),
  ack: z.enum(["manual", "auto"]).optional().openapi({
    description: "For streams whose place the broker keeps. manual: settle each receipt by a " +
      "request. auto: a batch is acknowledged when the connection took it and asks for the next.",
  }),
  invisibleMs: queryNumber(
    invisibleMsMin,
    invisibleMsMax,
    "For streams whose place the broker keeps: how long before an unsettled message comes again.",
  ).optional(),
  clientId: clientIdField.optional(),
  from: z.enum(["earliest", "latest"]).optional().openapi({
    description: "broadcast without clientId: where to begin without Last-Event-ID; else as the " +
      "group says.",
  }),
});
type StreamQuery = z.output<typeof streamQuery>;

/** The row of streaming. */
export const streamEndpoint: Endpoint = queryEndpoint({
  operationId: "streamMessages",
  method: "get",
  path: "/v1/topics/{topic}/groups/{group}/stream",
  tag: "Consuming",
  summary: "Receive messages as server-sent events",
  description: "`data` of an event is a message. `id` is a place: sent back as Last-Event-ID, a " +
    "broadcast stream goes on exactly after that event, a cluster stream goes on as the same " +
    "client. `event: gap` tells of messages that were deleted before they could be read, " +
    "`event: problem` why the stream ends. Comments keep the connection alive.",
  query: streamQuery,
  headers: z.object({ "Last-Event-ID": z.string().optional() }),
  answers: { 200: { description: "Events.", contentType: eventType } },
}, async (exchange, query) => {
  const { context, params, request } = exchange;
  checkMode(query);
  const topic = existingTopic(context.broker, params["topic"] ?? "").name;
  const group = await usableGroup(context, params["group"] ?? "");
  if (context.streams.open >= limits.eventStreamsMax) {
    const message = `Cannot open another stream: ${limits.eventStreamsMax} are open`;
    throw new BrokerError("too_busy", message);
  }
  // Nobody will read a body here, so nobody would end the stream.
  if (request.method === "HEAD") return { status: 200, contentType: eventType, body: null };
  const over = new AbortController();
  const source = isLeased(query)
    ? await clusterSource(exchange, query, { topic, group, signal: over.signal })
    : await broadcastSource(exchange, query, { topic, group, signal: over.signal });
  return eventAnswer(context, request, source, over);
});

type Target = { readonly topic: string; readonly group: string; readonly signal: AbortSignal };

async function clusterSource(
  { context, request }: Exchange,
  query: StreamQuery,
  { topic, group, signal }: Target,
): Promise<EventSource> {
  const id = request.headers.get("last-event-id");
  const wanted = { kind: "cluster", topic, group } as const;
  const resumed = id === null ? undefined : readCursor(id, context.signer, wanted);
  return new ClusterSource(context, {
    ask: {
      topic,
      group,
      ...(query.mode === "broadcast" ? { mode: query.mode } : {}),
      clientId: query.clientId ?? resumed?.clientId ?? clientIdDefault,
      messagesMax: query.max ?? streamMaxDefault,
      invisibleMs: query.invisibleMs ?? invisibleMsDefault,
      filter: await context.filters.of(query),
    },
    ack: query.ack ?? "manual",
    sequence: resumed?.sequence ?? 0,
    signal,
  });
}

async function broadcastSource(
  { context, request }: Exchange,
  query: StreamQuery,
  { topic, group, signal }: Target,
): Promise<EventSource> {
  const id = request.headers.get("last-event-id");
  const wanted = { kind: "broadcast", topic, group } as const;
  const offsets = id === null
    ? await firstOffsets(context, topic, group, query.from)
    : readCursor(id, context.signer, wanted).offsets;
  const filter = await context.filters.of(query);
  const messagesMax = query.max ?? streamMaxDefault;
  return new BroadcastSource(context, { topic, group, filter, messagesMax, offsets, signal });
}

async function firstOffsets(
  { broker }: HttpContext,
  topic: string,
  group: string,
  from: StreamQuery["from"],
): Promise<number[]> {
  const start = from ?? broker.group(group)?.settings.startFrom ?? "earliest";
  const ranges = await broker.queueRanges(topic);
  return ranges.map(({ minOffset, maxOffset }) => start === "earliest" ? minOffset : maxOffset);
}

/** Whether the broker keeps the reader's place, or the ids of its events do. */
function isLeased({ mode, clientId }: StreamQuery): boolean {
  return mode === "cluster" || clientId !== undefined;
}

function checkMode(query: StreamQuery): void {
  const { mode, ack, invisibleMs, from, clientId } = query;
  const foreign = isLeased(query) ? { from } : { ack, invisibleMs };
  const whose = mode === "cluster" ? "" : clientId === undefined ? " without" : " with";
  for (const [name, value] of Object.entries(foreign)) {
    if (value === undefined) continue;
    const message = `Cannot read the query: ${name} has no meaning in mode ${mode}` +
      (whose === "" ? "" : `${whose} clientId`);
    throw new BrokerError("invalid_argument", message);
  }
}

function eventAnswer(
  context: HttpContext,
  request: Request,
  source: EventSource,
  over: AbortController,
): Answer {
  // Some listeners tell that the client left by the signal, some by cancelling the body.
  const leave = () => over.abort();
  request.signal.addEventListener("abort", leave);
  context.streams.open++;
  const body = eventBody(source, () => {
    context.streams.open--;
    request.signal.removeEventListener("abort", leave);
    over.abort();
  });
  if (request.signal.aborted) over.abort();
  return {
    status: 200,
    contentType: eventType,
    body,
    headers: [["x-accel-buffering", "no"]],
  };
}
