/** What operators and other programs ask: health, metrics, the name servers' addresses. @module */
import { z } from "@hono/zod-openapi";
import type { Metrics } from "../../../base/metrics.ts";
import type { Health } from "../../../broker/broker.ts";
import { BrokerError } from "../../../model/errors.ts";
import { type Answer, jsonAnswer, textAnswer } from "../answer.ts";
import { type Endpoint, plainEndpoint, queryEndpoint } from "../endpoint.ts";
import type { Exchange } from "../exchange.ts";
import { problemAnswer } from "../problem.ts";
import {
  commitSeconds,
  diskFreeBytes,
  ready,
  shardRows,
  shardState,
  streamsOpen,
} from "../metric_rows.ts";

const shardStates = ["ok", "refusing", "stopped", "damaged"] as const;
const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

const healthSchema = z.object({
  ready: z.boolean(),
  version: z.string(),
  problems: z.array(z.string()),
  shards: z.array(z.object({
    shard: z.number().int(),
    state: z.enum(shardStates),
    reason: z.string(),
  })),
}).openapi("Health");

/** The rows of operation. */
export const operationEndpoints: readonly Endpoint[] = [
  plainEndpoint({
    operationId: "readHealth",
    method: "get",
    path: "/healthz",
    tag: "Operation",
    summary: "Whether the process answers",
    answers: {
      200: {
        description: "It does.",
        schema: z.object({ alive: z.boolean(), version: z.string() }),
      },
    },
  }, ({ context }) => jsonAnswer({ alive: true, version: context.version })),
  plainEndpoint({
    operationId: "readReadiness",
    method: "get",
    path: "/readyz",
    tag: "Operation",
    summary: "Whether the broker can serve, and what is wrong if not",
    answers: {
      200: { description: "It can.", schema: healthSchema },
      503: { description: "It cannot: `problems` says why.", schema: healthSchema },
    },
  }, readiness),
  plainEndpoint({
    operationId: "readMetrics",
    method: "get",
    path: "/metrics",
    tag: "Operation",
    summary: "Metrics for Prometheus",
    answers: { 200: { description: "Exposition format 0.0.4.", contentType: "text/plain" } },
  }, async ({ context }) => {
    setGauges(context.metrics, await context.broker.health(), context.streams.open);
    return textAnswer(context.metrics.text(), prometheusType);
  }),
  // RocketMQ's clients append words of their own to the address and to the query.
  queryEndpoint({
    operationId: "readNameServers",
    method: "get",
    path: "/rocketmq/nsaddr",
    tag: "Operation",
    summary: "Name servers' addresses, for RocketMQ clients that are given an address server",
    query: z.looseObject({}),
    answers: { 200: { description: "`host:port`, parted by `;`.", contentType: "text/plain" } },
  }, nameServers),
  queryEndpoint({
    operationId: "readNameServersOfUnit",
    method: "get",
    path: "/rocketmq/{nsaddrOfUnit}",
    tag: "Operation",
    summary: "The same for clients that have a unit name: `nsaddr-UNIT`",
    query: z.looseObject({}),
    answers: { 200: { description: "`host:port`, parted by `;`.", contentType: "text/plain" } },
  }, (exchange) => {
    const name = exchange.params["nsaddrOfUnit"] ?? "";
    if (/^nsaddr-./.test(name)) return nameServers(exchange);
    const shown = JSON.stringify(name.slice(0, 100));
    const message = `Cannot find ${shown}: under /rocketmq are nsaddr and nsaddr-UNIT`;
    return problemAnswer(new BrokerError("not_supported", message), {}, 404);
  }),
];

/** No address belongs to a unit: every one is told the same. */
function nameServers({ context, request, info }: Exchange): Answer {
  const { hostname } = new URL(request.url);
  const dialledHost = hostname.replace(/^\[|\]$/g, "");
  return textAnswer(context.settings.nameServers(info.remote.host, dialledHost).join(";"));
}

async function readiness({ context }: Exchange) {
  const health = await context.broker.health();
  const shards = health.shards.map(({ shard, stats: { state, reason } }) => {
    return { shard, state, reason };
  });
  const { ready: isReady, problems } = health;
  const value = { ready: isReady, version: context.version, problems, shards };
  return jsonAnswer(value, isReady ? 200 : 503);
}

function setGauges(metrics: Metrics, health: Health, streams: number): void {
  metrics.series(ready).set(health.ready ? 1 : 0);
  metrics.series(streamsOpen).set(streams);
  for (const { shard, stats } of health.shards) {
    const name = String(shard);
    for (const state of shardStates) {
      metrics.series(shardState, [name, state]).set(stats.state === state ? 1 : 0);
    }
    for (const [field, row] of Object.entries(shardRows)) {
      metrics.series(row, [name]).set(stats[field as keyof typeof shardRows]);
    }
    if (stats.disk !== null) metrics.series(diskFreeBytes, [name]).set(stats.disk.freeBytes);
    metrics.series(commitSeconds, [name]).set(stats.commitMsTotal / 1000);
  }
}
